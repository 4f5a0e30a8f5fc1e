-- Rescue worker: what is open under a lost worker ends, and its place among the sleepers.
-- spec    Queue.tla!Rescue   guard: the worker is lost, and its claims are excluded
-- in      worker int, n int
-- out     how many entries were rescued; with fewer than n nothing is open under it any more
-- locks   the worker's is held; parts, then queues, tried
-- plan    as open_claims and append_part
create or replace function {schema}.rescue_worker(worker int, n int) returns int
language plpgsql as $$
declare
  o record;
  rescued int := 0;
  s bigint;
  q int;
begin
for o in select k.claim, k.seqs from open_claims(rescue_worker.worker) k order by k.claim loop
  exit when rescued >= n;
  for s in select * from end_open(o.claim, first_of(o.seqs, n - rescued)) loop
    perform rescue_entry(s, rescue_worker.worker, 'heartbeat stale: worker presumed dead', true);
    rescued := rescued + 1;
  end loop;
end loop;
if rescued < n then
  for q in select k.queue from worker w join queue k on k.name = any(w.queues) where w.worker = rescue_worker.worker order by 1 loop
    perform forget_sleeper(q, rescue_worker.worker);
  end loop;
  update worker w set stopped_at = clock() where w.worker = rescue_worker.worker;
end if;
return rescued;
end;
$$;
