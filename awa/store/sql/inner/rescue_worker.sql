-- Rescue worker: what is open under a lost worker ends, and its place among the sleepers.
-- spec    Queue.tla!Rescue   guard: the worker is lost, and its claims are excluded
-- in      worker int, n int
-- out     how many entries were rescued; the worker is gone once nothing is open under it any more
-- locks   the worker's is held; parts, then queues, tried
-- plan    as open_claims and append_part
create or replace function {schema}.rescue_worker(worker int, n int) returns int
language plpgsql as $$
declare
  o record;
  rescued int := 0;
  ended int := 0;
  s bigint;
begin
perform set_config('lock_timeout', '100ms', true);
for o in select k.claim, k.seqs from open_claims(rescue_worker.worker) k order by k.claim loop
  exit when rescued >= n;
  begin
    for s in select * from end_open(o.claim, first_of(o.seqs, n - rescued)) loop
      perform rescue_entry(s, rescue_worker.worker, 'heartbeat stale: worker presumed dead', true);
      ended := ended + 1;
    end loop;
    rescued := rescued + ended;
  exception when lock_not_available then
    -- A transaction that finishes something of this claim stays open: it is met at the next sweep, and stops no other.
    null;
  when data_exception or integrity_constraint_violation then
    -- One bad row stops no sweep.
    raise warning 'claim % cannot be rescued: %', o.claim, sqlerrm;
  end;
  ended := 0;
end loop;
if not exists (select from open_claims(rescue_worker.worker)) then
  perform forget_worker(rescue_worker.worker);
  update worker w set stopped_at = clock() where w.worker = rescue_worker.worker;
end if;
return rescued;
end;
$$;
