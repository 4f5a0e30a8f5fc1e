-- Forget sleeper: a worker that is gone needs no wake-up.
-- spec    Wake.tla!Forget (with the trace lab)
-- in      queue int, worker int
-- out     nothing. If a claim of the queue is at work it stays named, and costs a needless wake-up now and then.
-- locks   the queue, tried
-- plan    as newest
create or replace function {schema}.forget_sleeper(queue int, worker int) returns void
language plpgsql as $$
declare
  c claim;
begin
if pg_try_advisory_xact_lock('queue'::regclass::oid::int, forget_sleeper.queue) then
  c := newest(forget_sleeper.queue);
  if forget_sleeper.worker = any(c.sleepers) then
    perform carry_cursor(c, next_claim(c, forget_sleeper.worker, false, 0));
  end if;
end if;
end;
$$;
