-- Fail: a job has failed for good; it is held for a person.
-- spec    Queue.tla!Fail, Queue.tla!Retry   guard: the entry ended here
-- in      b body (its past counts this attempt), seq bigint, error text, worker int, act text: Fail, or Retry of the last
--         attempt
-- out     nothing
-- locks   as mark_ending and hold
-- plan    none
create or replace function {schema}.fail(b {schema}.body, seq bigint, error text, worker int, act text) returns void
language plpgsql as $$
begin
perform mark_ending(seq, 'failed', worker);
b.past := with_error(b.past, error, true);
perform hold(b, 'failed');
if tracing() then
  perform trace(act, 'entry:' || seq, null, 'worker:' || worker, jsonb_build_object('seq', seq), jsonb_build_object('id', b.id),
    b.past);
end if;
end;
$$;
