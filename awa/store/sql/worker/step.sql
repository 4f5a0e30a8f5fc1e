-- Step: finish the last batch and claim the next, in one round trip and one commit.
-- spec    Step.tla!Begin, Step.tla!Step: Complete, then Claim, in one transaction
-- in      worker int; claims, seqs, ran_us, verdicts as finish; queues int[] (sorted), rooms int[] beside it, kinds
--         text[], ageing_ms bigint[], deadline_s float8[], asleep boolean[] and settles boolean[] beside queues;
--         connection int (which of the worker's connections this is, as in open_entries)
-- out     a row an entry that it is given; and notes: those of claim, by queue; deadline (of a claim's entries, in
--         created_at); stale (seq); lost: this worker was declared lost and is to register anew. An error (55000) if the
--         worker has asked what is open on a later connection: nobody would ever ask what this step gives out.
-- locks   shared: the worker, which excludes its rescue; parts, then queues, sorted: whoever needs both in another
--         order deadlocks. A queue's lock is tried and not waited for when parts are held.
-- plan    as finish, claim and bodies
create or replace function {schema}.step(
  worker int, claims bigint[], seqs int8multirange[], ran_us int[], verdicts jsonb, queues int[], rooms int[], kinds text[],
  ageing_ms bigint[], deadline_s float8[], asleep boolean[], settles boolean[], connection int default 0)
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
  asked int;
  stale int8multirange;
  r record;
  slot smallint;
  n int;
  given int;
begin
perform refuse_snapshots();
perform pg_advisory_xact_lock_shared('worker'::regclass::oid::int, step.worker);
-- In a statement after the lock: a rescue or a question that was at work has committed by now.
select w.lost_at is null and w.stopped_at is null, w.connection into alive, asked from worker w where w.worker = step.worker;
if asked > step.connection then
  raise exception 'worker % has asked on connection %, and this is of %', step.worker, asked, step.connection
    using errcode = '55000';
end if;
if claims <> '{}' then
  stale := finish(step.worker, claims, seqs, ran_us, verdicts);
  if not isempty(stale) then
    return query select n.* from unnest(stale) u, generate_series(lower(u), upper(u) - 1) s, note('stale', s) n;
  end if;
end if;
if alive is not true then
  return next note('lost', step.worker);
  return;
end if;
for i in 1..cardinality(step.queues) loop
  r := claim(step.worker, step.queues[i], step.rooms[i], step.kinds, step.ageing_ms[i], step.deadline_s[i],
    step.asleep[i], step.settles[i], claims = '{}');
  for k in 1..cardinality(r.notes) loop
    return next note(r.notes[k], step.queues[i]);
  end loop;
  continue when (r.n).claim is null or isempty((r.n).seqs);
  if (r.n).deadline_at is not null then
    return next ('deadline', (r.n).claim, null, null, null, null, null, (r.n).deadline_at, null, null)::step_row;
  end if;
  given := 0;
  foreach slot in array slots_from(r.oldest) loop
    return query select * from bodies((r.n).claim, (r.n).seqs, slot);
    get diagnostics n = row_count;
    given := given + n;
  end loop;
  -- Whoever is given less than is claimed in its name would never end the rest.
  if given <> count_of((r.n).seqs) then
    raise exception 'claim % holds % entries and gives %', (r.n).claim, count_of((r.n).seqs), given using errcode = 'XX001';
  end if;
end loop;
end;
$$;
