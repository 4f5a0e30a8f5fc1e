-- Snooze: the handler wants to run later; the attempt is given back.
-- spec    Queue.tla!Snooze   guard: the entry ended here
-- in      b body (its past counts this attempt), seq bigint, delay_s float8, worker int
-- out     nothing
-- locks   as mark_ending and defer
-- plan    none
create or replace function {schema}.snooze(b {schema}.body, seq bigint, delay_s float8, worker int) returns void
language plpgsql as $$
declare
  at bigint;
begin
perform mark_ending(seq, 'snoozed', worker);
b.past := b.past || jsonb_build_object('attempt', (b.past ->> 'attempt')::int - 1);
at := defer(b, 'scheduled', clock() + least(greatest(delay_s, 0), 1e9) * interval '1 second');
if tracing() then
  perform trace('Snooze', 'entry:' || seq, null, 'worker:' || worker, jsonb_build_object('seq', seq),
    jsonb_build_object('seq', at), b.past);
end if;
end;
$$;
