-- Retry: an attempt failed and the job has attempts left; it waits and comes back.
-- spec    Queue.tla!Retry   guard: the entry ended here; attempts are left
-- in      b body (its past counts this attempt), seq bigint, delay_s float8 (null: backoff), error text, worker int
-- out     nothing
-- locks   as mark_ending and defer
-- plan    none
create or replace function {schema}.retry(b {schema}.body, seq bigint, delay_s float8, error text, worker int) returns void
language plpgsql as $$
declare
  wait_s float8 := least(greatest(coalesce(delay_s, backoff((b.past ->> 'attempt')::int)), 0), 1e9);
  at bigint;
begin
perform mark_ending(seq, 'retried', worker);
b.past := with_error(b.past, error, false);
at := defer(b, 'retryable', clock() + wait_s * interval '1 second');
if tracing() then
  perform trace('Retry', 'entry:' || seq, null, 'worker:' || worker, jsonb_build_object('seq', seq),
    jsonb_build_object('seq', at), b.past);
end if;
end;
$$;
