-- Purge: held jobs past their retention go, and what is left of workers that stopped.
-- spec    Queue.tla!Discard   guard: the job is held, for long enough
-- in      epoch bigint, cancelled_s float8, failed_s float8, n int (rows at most)
-- out     how many jobs
-- locks   shared: the leadership; ACCESS SHARE on the claims; the rows; as forget_worker
-- plan    held_for_prune; as newest
create or replace function {schema}.purge(epoch bigint, cancelled_s float8, failed_s float8, n int) returns int
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
declare
  failed_before timestamptz := clock() - purge.failed_s * interval '1 second';
  cancelled_before timestamptz := clock() - purge.cancelled_s * interval '1 second';
  gone bigint[];
begin
perform as_leader(purge.epoch);
-- Waits for a prune, as promote.
lock table claim in access share mode;
-- Who was missed when it stopped, for a claim of its queue was at work then.
perform forget_worker(w.worker) from worker w
where w.stopped_at is not null and w.worker in (select unnest((newest(q.queue)).sleepers) from queue q);
-- Chosen once: a subquery with a limit and locks may be run again for each row, and choose others each time.
with k as materialized (
  select o.id from held o
  where (o.state = 'failed' and o.finalized_at < failed_before)
  or (o.state = 'cancelled' and o.finalized_at < cancelled_before)
  order by o.finalized_at limit purge.n for update skip locked),
d as (delete from held h using k where h.id = k.id returning h.id)
select coalesce(array_agg(d.id), '{}') into gone from d;
if tracing() and gone <> '{}' then
  perform trace('Discard', 'held', null, 'leader', '{}', jsonb_build_object('ids', gone));
end if;
delete from worker w where w.stopped_at < clock() - interval '1 day';
return cardinality(gone);
end;
$$;
