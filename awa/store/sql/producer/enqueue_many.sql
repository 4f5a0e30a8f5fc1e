-- Enqueue many: jobs of one queue and priority in one call, for a producer without the right to copy into the log.
-- spec    Queue.tla!Enqueue   guard: none
-- in      kinds text[], args text[] (a JSON text each); the rest as reserve, for all of them
-- out     id and created_at in the order given; asleep as enqueue
-- locks   as enqueue
-- plan    as enqueue
create or replace function {schema}.enqueue_many(
  kinds text[], args text[], queue text default 'default', priority int default 2, max_attempts int default 25,
  tags text[] default '{}', metadata jsonb default '{}', run_at timestamptz default null, wake boolean default true)
returns table (id bigint, created_at timestamptz, asleep boolean)
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
#variable_conflict use_column
declare
  v record;
begin
-- Before a number is drawn, so that one bad job of a thousand leaves no gap behind.
perform check_job(k.kind, k.args::json, enqueue_many.queue, enqueue_many.priority, enqueue_many.max_attempts,
  enqueue_many.tags, enqueue_many.run_at)
from unnest(enqueue_many.kinds, enqueue_many.args) k (kind, args);
select * into v from reserve(enqueue_many.queue, enqueue_many.priority, cardinality(enqueue_many.kinds),
  enqueue_many.max_attempts, enqueue_many.tags, enqueue_many.metadata, enqueue_many.run_at, enqueue_many.wake);
if v.due_at is not null then
  insert into deferred (segment, seq, id, due_at, created_at, priority, state, queue, kind, args, options)
  select v.segment, k.seq, k.job, v.due_at, v.created_at, enqueue_many.priority, 'scheduled',
    enqueue_many.queue, k.kind, k.args::json, v.options
  from unnest(v.seqs, v.ids, enqueue_many.kinds, enqueue_many.args) k (seq, job, kind, args);
else
  insert into entry (segment, seq, id, created_at, kind, args, options)
  select v.segment, k.seq, k.job, v.created_at, k.kind, k.args::json, v.options
  from unnest(v.seqs, v.ids, enqueue_many.kinds, enqueue_many.args) k (seq, job, kind, args);
end if;
return query select k.job, v.created_at, v.asleep from unnest(v.ids) k (job);
end;
$$;
