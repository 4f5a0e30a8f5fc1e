-- Queue stats: what each queue holds. Backlog is arithmetic: the lane's last number less the cursor.
-- spec    none: reads only
-- in      nothing
-- out     a row a queue, sorted by name. Up to a hundred waiting jobs of a lane are counted one by one, so that a rollback does
--         not show; beyond that the numbers drawn are.
-- locks   none
-- plan    as newest, open_claims; part_N_for_tally since the last tally
create or replace function {schema}.queue_stats()
returns table (
  queue text, scheduled bigint, available bigint, retryable bigint, running bigint, failed bigint,
  completed_last_hour bigint, lag_seconds float8, paused boolean)
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
#variable_conflict use_column
declare
  -- Into variables: a volatile clock in the query would have every part read.
  hour_ago timestamptz := clock() - interval '1 hour';
  since timestamptz := greatest((select m.folded_to from tally_mark m), hour_ago);
begin
return query
with waiting as (
  select q.queue, b.available, b.oldest from queue q cross join lateral backlog(q.queue) b where q.name is not null),
deferred as (
  select d.queue, count(*) filter (where d.state = 'scheduled') as scheduled, count(*) filter (where d.state = 'retryable') as retryable
  from deferred d where not exists (select from ending x where x.segment = d.segment and x.seq = d.seq) group by 1),
running as (
  select (o.claim >> 40)::int as queue, sum(count_of(o.seqs))::bigint as running
  from worker w cross join lateral open_claims(w.worker) o where w.stopped_at is null group by 1),
failed as (select h.queue, count(*) as failed from held h where h.state = 'failed' group by 1),
completed as (
  select k.queue, sum(k.completed)::bigint as completed from (
    select t.queue, t.completed from tally t where t.minute > hour_ago
    union all
    select (p.claim >> 40)::int, p.completed from part p where p.ended_at >= since) k
  group by 1)
select q.name, coalesce(d.scheduled, 0), w.available, coalesce(d.retryable, 0), coalesce(r.running, 0),
  coalesce(f.failed, 0), coalesce(c.completed, 0), extract(epoch from clock() - w.oldest)::float8, q.paused_at is not null
from queue q
join waiting w on w.queue = q.queue
left join deferred d on d.queue = q.name
left join running r on r.queue = q.queue
left join failed f on f.queue = q.name
left join completed c on c.queue = q.queue
order by q.name;
end;
$$;
