-- Cancel: a job that is not over ends now, because a person or a program says so.
-- spec    Queue.tla!Cancel   guard: the job is deferred, available or running
-- in      job bigint
-- out     true if it was cancelled here; false if it is over, or unknown; an error (55P03) if somebody is in the way for
--         longer than ten seconds
-- locks   the queue, to exclude a claim of the same entry; or the part that ends the attempt. A finish in a long
--         transaction has that part, and nobody knows how long.
-- plan    deferred_N_for_get, entry_N_for_get, claim_N_for_get
-- On a connection of its own: a transaction that stays open with the queue's lock would stop its claims.
create or replace function {schema}.cancel(job bigint) returns boolean
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set lock_timeout to '10s'
as $$
declare
  passed bigint[] := '{}';
  seq bigint;
  said text;
  is_moved boolean;
begin
perform refuse_snapshots();
-- Its place may change between the look and the act (a promotion, a claim); then the act is refused and we look again.
for attempt in 1..20 loop
  is_moved := false;
  for seq in
    -- In one statement, so in one snapshot: there a job that is not over is in one place.
    select d.seq from deferred d
    where d.id = cancel.job and d.seq <> all(passed)
    and not exists (select from ending x where x.segment = d.segment and x.seq = d.seq)
    union all
    select e.seq from entry e
    where e.id = cancel.job and e.seq <> all(passed)
    and not exists (select from ending x where x.segment = e.segment and x.seq = e.seq)
  loop
    said := case when seq >> 40 = 0 then cancel_deferred(seq) else cancel_entry(seq) end;
    if said = 'cancelled' then
      return true;
    end if;
    is_moved := is_moved or said = 'moved';
    -- Moved or completed, that is for good.
    passed := passed || seq;
  end loop;
  if not is_moved then
    return false;
  end if;
end loop;
raise exception 'job % moves faster than it can be cancelled', cancel.job using errcode = '40001';
exception when lock_not_available then
  raise exception 'job % is not cancelled: a transaction stays open that ends it or another of its claim, or has its queue',
    cancel.job using errcode = '55P03', hint = 'Ask again when that transaction is over; pg_stat_activity shows it.';
end;
$$;
