-- Step: finish the last batch and claim the next, in one round trip and one commit.
-- spec    Step.tla!Step (with the trace lab): Complete, then Claim, in one transaction
-- in      worker int; claims, seqs, ran_us, verdicts as finish; queues int[] (sorted), rooms int[] beside it, kinds
--         text[], ageing_ms bigint[], deadline_s float8[], asleep boolean[] and settles boolean[] beside queues
-- out     jobs and notes: those of claim; stale (seq); lost: this worker was declared lost and is to register anew
-- locks   shared: the worker, which excludes its rescue; parts, then queues, sorted: whoever needs both in another
--         order deadlocks. A queue's lock is tried and not waited for when parts are held.
-- plan    as finish and claim
create or replace function {schema}.step(
  worker int, claims bigint[], seqs int8multirange[], ran_us int[], verdicts jsonb, queues int[], rooms int[], kinds text[],
  ageing_ms bigint[], deadline_s float8[], asleep boolean[], settles boolean[])
returns setof {schema}.step_row
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
declare
  alive boolean;
begin
perform refuse_snapshots();
perform pg_advisory_xact_lock_shared('worker'::regclass::oid::int, step.worker);
-- In a statement after the lock: a rescue that was at work has committed by now.
select w.lost_at is null and w.stopped_at is null into alive from worker w where w.worker = step.worker;
if claims <> '{}' then
  return query
  select n.* from finish(step.worker, claims, seqs, ran_us, verdicts) f,
    unnest(f) r, generate_series(lower(r), upper(r) - 1) s, note('stale', s) n;
end if;
if alive is not true then
  return query select * from note('lost', step.worker);
  return;
end if;
for i in 1..cardinality(step.queues) loop
  return query select * from claim(step.worker, step.queues[i], step.rooms[i], step.kinds, step.ageing_ms[i],
    step.deadline_s[i], step.asleep[i], step.settles[i], claims = '{}');
end loop;
end;
$$;
