-- Fail: a job has failed for good; it is held for a person.
-- spec    Queue.tla!Fail   guard: the entry ended here
-- in      b body (its past counts this attempt), seq bigint, error text, worker int
-- out     nothing
-- locks   as mark_ending and hold
-- plan    none
create or replace function {schema}.fail(b {schema}.body, seq bigint, error text, worker int) returns void
language plpgsql as $$
begin
perform mark_ending(seq, 'failed', worker);
b.past := with_error(b.past, error, true);
perform hold(b, 'failed');
if tracing() then
  perform trace('Fail', 'entry:' || seq, null, 'worker:' || worker, jsonb_build_object('seq', seq), '{}', b.past);
end if;
end;
$$;
