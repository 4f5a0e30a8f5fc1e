-- Enqueue: one job, in the caller's transaction; it is visible on commit and gone on rollback.
-- spec    Queue.tla!Enqueue   guard: none
-- in      kind text, args json, queue text, priority int, max_attempts int, tags text[], metadata jsonb,
--         run_at timestamptz (null: at once), wake boolean (send the wake-up in this transaction)
-- out     id, created_at, state; asleep: somebody sleeps for this queue, and the caller, who said `wake => false`
--         because the commit is its own, is to call `wake` after it
-- locks   shared: the segment; the lane's sequence until the transaction ends. Waits for nobody, and keeps no claim and
--         no prune away.
-- plan    queue_name_key, lane_for_enqueue
create or replace function {schema}.enqueue(
  kind text, args json, queue text default 'default', priority int default 2, max_attempts int default 25,
  tags text[] default '{}', metadata jsonb default '{}', run_at timestamptz default null, wake boolean default true)
returns table (id bigint, created_at timestamptz, state text, asleep boolean)
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
declare
  l record;
  s bigint;
  here smallint;
  o jsonb;
begin
perform check_job(kind, args, queue, priority, max_attempts, tags, run_at);
o := options_of(max_attempts, tags, metadata, run_at);
id := nextval('job_id');
created_at := clock();
state := case when run_at is null then 'available' else 'scheduled' end;
asleep := false;
if run_at is not null then
  s := defer((id, queue, priority, created_at, kind, args, o, null)::body, state, run_at);
else
  select k.lane, k.sequence, q.bell into l from queue q join lane k on k.queue = q.queue
  where q.name = enqueue.queue and k.priority = enqueue.priority and not k.returning_jobs and k.kind is null;
  -- No lane yet: to the intake. A producer never creates a lane, or it would make others wait for its commit.
  if not found then
    select k.lane, k.sequence, q.bell into l from queue q join lane k on k.queue = q.queue where k.lane = 1;
    o := coalesce(o, '{}') || jsonb_build_object('queue', queue, 'priority', priority);
  end if;
  -- The number first, then the segment, then the question who sleeps: each relies on the one before.
  s := nextval(l.sequence);
  here := writable_segment();
  insert into entry (segment, seq, id, created_at, kind, args, options)
  values (here, s, enqueue.id, enqueue.created_at, enqueue.kind, enqueue.args, o);
  asleep := pg_sequence_last_value(l.bell) is not distinct from 2;
  if asleep and wake then
    perform pg_notify('{schema}', queue);
  end if;
end if;
if tracing() then
  perform trace('Enqueue', null, null, 'producer',
    jsonb_build_object('kind', kind, 'queue', queue, 'priority', priority, 'run_at', run_at, 'max_attempts', max_attempts,
      'holder', virtual_transaction()),
    jsonb_build_object('ids', array[id], 'seqs', array[s]));
end if;
return next;
end;
$$;
