-- Retire: a worker that holds nothing any more leaves.
-- spec    Stop.tla!Retire   guard: nothing is open under its id
-- in      worker int
-- out     true if it left; false while something is open under it (the leader will rescue that)
-- locks   the worker, which excludes its claims; queues, tried
-- plan    worker_pkey; as open_claims
create or replace function {schema}.retire(worker int) returns boolean
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
begin
perform refuse_snapshots();
perform pg_advisory_xact_lock('worker'::regclass::oid::int, retire.worker);
if exists (select from open_claims(retire.worker)) then
  return false;
end if;
perform forget_worker(retire.worker);
update worker w set stopped_at = clock() where w.worker = retire.worker and w.stopped_at is null and w.lost_at is null;
if found and tracing() then
  perform trace('Retire', 'worker:' || retire.worker, null, 'worker:' || retire.worker,
    jsonb_build_object('worker', retire.worker), '{}');
end if;
return true;
end;
$$;
