-- Rescue: workers whose heartbeat is stale are lost, and what is open under them ends and comes back.
-- spec    Queue.tla!Rescue, Watch.tla!Lose   guard: the entry is open; its worker is lost, and no claim of it is at work
-- in      epoch bigint, stale_s float8, n int (entries at most)
-- out     worker, rescued: a row a lost worker
-- locks   shared: the leadership; the worker, exclusively, tried: a claim of it that is at work now is met next time
-- plan    worker_for_rescue; as open_claims and append_part
create or replace function {schema}.rescue(epoch bigint, stale_s float8, n int) returns table (worker int, rescued int)
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
#variable_conflict use_column
declare
  stale_before timestamptz := watch(rescue.epoch, rescue.stale_s);
  w worker;
  room int := rescue.n;
begin
-- Where nobody may be suspected yet, it goes on with those who are lost.
for w in
  select * from worker k
  where k.stopped_at is null
  and (k.lost_at is not null or k.seen_at < stale_before)
  order by k.worker
loop
  continue when not pg_try_advisory_xact_lock('worker'::regclass::oid::int, w.worker);
  -- Under the lock: no claim of it can follow. If it has spoken meanwhile it is alive.
  update worker k set lost_at = coalesce(k.lost_at, clock())
  where k.worker = w.worker and (k.lost_at is not null or k.seen_at = w.seen_at);
  continue when not found;
  if tracing() and w.lost_at is null then
    perform trace('Lose', 'worker:' || w.worker, null, 'leader', jsonb_build_object('worker', w.worker), '{}');
  end if;
  rescued := rescue_worker(w.worker, room);
  worker := w.worker;
  room := room - rescued;
  return next;
  exit when room <= 0;
end loop;
end;
$$;
