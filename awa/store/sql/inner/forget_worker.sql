-- Forget worker: a worker that is gone needs no wake-up.
-- spec    Wake.tla!Forget
-- in      worker int
-- out     nothing. Where a claim of a queue is at work it stays named, and costs needless wake-ups until the next purge.
-- locks   queues, sorted and tried
-- plan    as newest
create or replace function {schema}.forget_worker(worker int) returns void
language plpgsql as $$
declare
  q queue;
  c claim;
begin
for q in
  select k.* from worker w join queue k on k.name = any(w.queues) where w.worker = forget_worker.worker order by k.queue
loop
  continue when not pg_try_advisory_xact_lock('queue'::regclass::oid::int, q.queue);
  c := newest(q.queue);
  if forget_worker.worker = any(c.sleepers) then
    c := carry_cursor(c, next_claim(c, forget_worker.worker, false, 0));
  end if;
  perform set_bell(q.bell, c.sleepers <> '{}');
end loop;
end;
$$;
