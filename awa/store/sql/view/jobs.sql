-- Jobs: one row a job, with its state as the logs have it. The stable surface for reading with SQL.
-- spec    none: reads only
-- in      nothing
-- out     id, kind, queue, args, state, priority, attempt, run_lease, max_attempts, tags, metadata, errors, progress,
--         run_at, created_at, attempted_at, deadline_at, finalized_at, worker
-- locks   none
-- plan    entry_N_for_get, deferred_N_for_get, held_pkey by id; claim_N_for_get for the claim of an entry
-- An entry is shown while it is open or when it completed. What ended otherwise is shown where its job is now.
create or replace view {schema}.jobs as
select e.id, e.kind, coalesce(q.name, e.options ->> 'queue') as queue, e.args::jsonb as args,
  case when p.claim is not null then 'completed' when c.claim is not null then 'running' else 'available' end as state,
  coalesce((e.options ->> 'priority')::smallint, l.priority) as priority,
  coalesce((e.past ->> 'attempt')::int, 0) + (c.claim is not null)::int as attempt,
  coalesce((e.past ->> 'lease')::int, 0) + (c.claim is not null)::int as run_lease,
  coalesce((e.options ->> 'max_attempts')::int, 25) as max_attempts,
  coalesce(e.options -> 'tags', '[]') as tags,
  coalesce(e.options -> 'metadata', '{}') as metadata,
  coalesce(e.past -> 'errors', '[]') as errors,
  case when p.claim is null then e.past -> 'progress' end as progress,
  coalesce((e.options ->> 'run_at')::timestamptz, e.created_at) as run_at,
  e.created_at,
  c.claimed_at as attempted_at,
  case when p.claim is null then c.deadline_at end as deadline_at,
  p.ended_at as finalized_at,
  c.worker
from {schema}.entry e
join {schema}.lane l on l.lane = e.seq >> 40
join {schema}.queue q on q.queue = l.queue
left join lateral (select * from {schema}.claim k where k.seqs @> e.seq limit 1) c on true
left join lateral (
  select k.claim, k.ended_at from {schema}.part k
  where k.segment = c.segment and k.claim = c.claim and k.ended @> e.seq order by k.part limit 1) p on true
where not exists (select from {schema}.ending x where x.segment = e.segment and x.seq = e.seq)
and (c.claim is not null or {schema}.is_unclaimed(l.queue, e.seq))
union all
select d.id, d.kind, d.queue, d.args::jsonb, d.state, d.priority,
  coalesce((d.past ->> 'attempt')::int, 0),
  coalesce((d.past ->> 'lease')::int, 0),
  coalesce((d.options ->> 'max_attempts')::int, 25),
  coalesce(d.options -> 'tags', '[]'),
  coalesce(d.options -> 'metadata', '{}'),
  coalesce(d.past -> 'errors', '[]'),
  d.past -> 'progress',
  d.due_at, d.created_at, null, null,
  case when d.state = 'retryable' then (d.past ->> 'ended_at')::timestamptz end,
  null
from {schema}.deferred d
where not exists (select from {schema}.ending x where x.segment = d.segment and x.seq = d.seq)
union all
select h.id, h.kind, h.queue, h.args::jsonb, h.state, h.priority,
  coalesce((h.past ->> 'attempt')::int, 0),
  coalesce((h.past ->> 'lease')::int, 0),
  coalesce((h.options ->> 'max_attempts')::int, 25),
  coalesce(h.options -> 'tags', '[]'),
  coalesce(h.options -> 'metadata', '{}'),
  coalesce(h.past -> 'errors', '[]'),
  h.past -> 'progress',
  coalesce((h.options ->> 'run_at')::timestamptz, h.created_at), h.created_at, null, null, h.finalized_at, null
from {schema}.held h;
