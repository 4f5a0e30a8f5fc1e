-- As leader: this transaction acts for the leader of this epoch, and no other is elected before it ends.
-- spec    Leader.tla!Act   guard: the epoch is the present one, read under the lock
-- in      epoch bigint
-- out     nothing, or an error (AW001) if another leader has been elected
-- locks   shared: the leadership, which an election takes exclusively
-- plan    leader_pkey
create or replace function {schema}.as_leader(epoch bigint) returns void
language plpgsql as $$
begin
perform refuse_snapshots();
perform pg_advisory_xact_lock_shared('leader'::regclass::oid::int, 0);
if not exists (select from leader l where l.epoch = as_leader.epoch) then
  raise exception 'epoch % is over: another worker leads', as_leader.epoch using errcode = 'AW001';
end if;
if tracing() then
  -- Its events say under which epoch it acted.
  perform set_config('{schema}.trace_epoch', as_leader.epoch::text, true);
end if;
end;
$$;
