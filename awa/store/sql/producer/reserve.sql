-- Reserve: numbers for n jobs that this transaction is about to write into the log, by COPY or through enqueue_many.
-- spec    Queue.tla!Enqueue   guard: none
-- in      queue text, priority int, n int, max_attempts int, tags text[], metadata jsonb, run_at timestamptz,
--         wake boolean (as enqueue)
-- out     segment, seqs, ids (n of each, in order), created_at, options (for every row); due_at: unless it is null the
--         rows belong into `deferred`; asleep as enqueue
-- locks   as enqueue
-- plan    as enqueue
-- A caller that writes fewer rows than it reserved leaves gaps, which the next claims close like those of a rollback.
create or replace function {schema}.reserve(
  queue text, priority int, n int, max_attempts int default 25, tags text[] default '{}', metadata jsonb default '{}',
  run_at timestamptz default null, wake boolean default true)
returns table (
  segment smallint, seqs bigint[], ids bigint[], created_at timestamptz, options jsonb, due_at timestamptz, asleep boolean)
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
declare
  l record;
begin
perform check_job('', 'null', queue, priority, max_attempts, tags, run_at);
options := options_of(max_attempts, tags, metadata, run_at);
created_at := clock();
asleep := false;
if run_at is not null then
  select array_agg(nextval('deferred_seq')), array_agg(nextval('job_id')) into seqs, ids from generate_series(1, n);
  due_at := greatest(run_at, clock());
else
  select k.sequence, q.bell, k.lane into l from queue q join lane k on k.queue = q.queue
  where q.name = reserve.queue and k.priority = reserve.priority and not k.returning_jobs and k.kind is null;
  -- No lane yet: to the intake. A producer never creates a lane, or it would make others wait for its commit.
  if not found then
    select k.sequence, q.bell, k.lane into l from queue q join lane k on k.queue = q.queue where k.lane = 1;
    options := coalesce(options, '{}') || jsonb_build_object('queue', queue, 'priority', priority);
  end if;
  select array_agg(nextval(l.sequence)), array_agg(nextval('job_id')) into seqs, ids from generate_series(1, n);
  asleep := pg_sequence_last_value(l.bell) is not distinct from 2;
  if asleep and wake then
    perform pg_notify('{schema}', queue);
  end if;
end if;
-- After the numbers are drawn, as in enqueue.
segment := writable_segment();
if tracing() then
  perform trace('Enqueue', null, null, 'producer',
    jsonb_build_object('queue', queue, 'priority', priority, 'run_at', run_at, 'n', n, 'max_attempts', max_attempts,
      'holder', virtual_transaction()),
    jsonb_build_object('ids', ids, 'seqs', seqs));
end if;
return next;
end;
$$;
