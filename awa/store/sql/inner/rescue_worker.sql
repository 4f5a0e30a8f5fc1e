-- Rescue worker: what is open under a lost worker ends, and its place among the sleepers.
-- spec    Queue.tla!Rescue   guard: the worker is lost, and its claims are excluded
-- in      worker int, n int
-- out     how many entries were rescued; the worker is gone once nothing is open under it any more
-- locks   the worker's is held; parts, then queues, tried
-- plan    as open_claims and rescue_claim
create or replace function {schema}.rescue_worker(worker int, n int) returns int
language plpgsql as $$
declare
  o record;
  rescued int := 0;
  is_over boolean;
begin
perform set_config('lock_timeout', '100ms', true);
for o in select k.claim, k.seqs from open_claims(rescue_worker.worker) k order by k.claim loop
  exit when rescued >= n;
  rescued := rescued + rescue_claim(o.claim, first_of(o.seqs, n - rescued), rescue_worker.worker,
    'heartbeat stale: worker presumed dead', true);
end loop;
is_over := not exists (select from open_claims(rescue_worker.worker));
if is_over then
  perform forget_worker(rescue_worker.worker);
  update worker w set stopped_at = clock() where w.worker = rescue_worker.worker;
end if;
if tracing() then
  perform trace('Done', 'worker:' || rescue_worker.worker, null, 'leader', jsonb_build_object('worker', rescue_worker.worker),
    jsonb_build_object('rescued', rescued, 'stopped', is_over));
end if;
return rescued;
end;
$$;
