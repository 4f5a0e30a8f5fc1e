-- Rescue entry: what becomes of a job whose attempt was ended from outside; the entry is already over.
-- spec    Queue.tla!Rescue   guard: the entry ended here
-- in      seq bigint, worker int (which ran it), reason text, died boolean (the worker died, not the attempt)
-- out     nothing
-- locks   as mark_ending, defer and hold
-- plan    none
-- Deaths are counted apart from failures: a job in whose attempts five workers died is held, or it would kill the fleet
-- one by one, with attempts to spare.
create or replace function {schema}.rescue_entry(seq bigint, worker int, reason text, died boolean) returns void
language plpgsql as $$
declare
  b body := find_entry(rescue_entry.seq);
  attempt int := coalesce((b.past ->> 'attempt')::int, 0) + 1;
  deaths int := coalesce((b.past ->> 'deaths')::int, 0) + died::int;
  quarantined boolean := deaths >= 5;
  over boolean := quarantined or attempt >= coalesce((b.options ->> 'max_attempts')::int, 25);
  at bigint;
begin
b.past := coalesce(b.past, '{}') || jsonb_build_object(
  'attempt', attempt, 'lease', coalesce((b.past ->> 'lease')::int, 0) + 1, 'deaths', deaths, 'ended_at', clock());
b.past := with_error(b.past, reason || case when quarantined then format(' (quarantined: %s workers died in it)', deaths) else '' end, over);
perform mark_ending(rescue_entry.seq, 'rescued', rescue_entry.worker);
if over then
  perform hold(b, 'failed');
else
  at := defer(b, 'retryable', clock() + backoff(attempt) * interval '1 second');
end if;
if tracing() then
  perform trace('Rescue', 'entry:' || rescue_entry.seq, null, 'leader',
    jsonb_build_object('seq', rescue_entry.seq, 'worker', rescue_entry.worker, 'died', died),
    jsonb_build_object('id', b.id, 'seq', at, 'held', case when quarantined then 'quarantined' when over then 'failed' end),
    b.past);
end if;
end;
$$;
