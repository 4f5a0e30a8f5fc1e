-- Elect: become the leader, or stay it.
-- spec    Leader.tla!Elect   guard: the lease of another has run out; the epoch only grows
-- in      worker int, lease_s float8
-- out     the epoch, if this worker leads now; else null
-- locks   the leader's row; for a change, the leadership, exclusively: no verb of the leader before is at work then
-- plan    leader_pkey
create or replace function {schema}.elect(worker int, lease_s float8) returns bigint
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
declare
  l leader;
begin
perform refuse_snapshots();
-- Without the lock first: to see that somebody leads waits for no sweep. To stay the leader waits only for a rescue, which
-- has the row to its end; it is no matter then if the lease ran out, as long as nobody else was elected.
update leader k set seen_at = clock() where k.worker = elect.worker returning * into l;
if found then
  return l.epoch;
end if;
select * into l from leader;
if l.worker <> elect.worker and l.seen_at between clock() - elect.lease_s * interval '1 second' and clock()
  and exists (select from worker w where w.worker = l.worker and w.lost_at is null and w.stopped_at is null)
then
  return null;
end if;
perform pg_advisory_xact_lock('leader'::regclass::oid::int, 0);
select * into l from leader;
if l.seen_at between clock() - elect.lease_s * interval '1 second' and clock()
  and exists (select from worker w where w.worker = l.worker and w.lost_at is null and w.stopped_at is null)
then
  return null;
end if;
update leader set epoch = epoch + 1, worker = elect.worker, seen_at = clock(), watching_since = clock(), watched_at = clock()
returning * into l;
if tracing() then
  perform trace('Elect', 'epoch:' || l.epoch, null, 'worker:' || elect.worker, jsonb_build_object('worker', elect.worker),
    jsonb_build_object('epoch', l.epoch));
end if;
return l.epoch;
end;
$$;
