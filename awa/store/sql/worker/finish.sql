-- Finish: these attempts are over, each with what its handler said.
-- spec    Queue.tla!Complete, Finish.tla!Complete   guard: the entry is open and this worker holds it
-- in      worker int, claims bigint[] (sorted), seqs int8multirange[] (a set a claim), ran_us int[] (how long each ran,
--         in the order of claims and seqs); verdicts jsonb: an array of {seq, verdict, delay_s, error, reason}
--         for those that did not simply complete; verdict is retry, snooze, fail, cancel or release
-- out     the stale ones: seqs that were over before, or were never this worker's. They change nothing.
-- locks   as append_part, then what the verdicts need
-- plan    as append_part
create or replace function {schema}.finish(
  worker int, claims bigint[], seqs int8multirange[], ran_us int[], verdicts jsonb default null)
returns int8multirange
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
declare
  failed int8multirange := '{}';
  ended int8multirange := '{}';
  stale int8multirange := '{}';
  parts jsonb := '[]';
  r record;
  v jsonb;
  n int;
  at int := 1;
begin
perform refuse_snapshots();
if verdicts is not null then
  failed := (select range_agg(int8range((e ->> 'seq')::bigint, (e ->> 'seq')::bigint, '[]')) from jsonb_array_elements(verdicts) e);
end if;
-- Sorted by claim, so that two batches that meet in several claims cannot wait for each other in a ring.
for i in 1..cardinality(claims) loop
  n := count_of(seqs[i]);
  r := append_part(finish.worker, claims[i], seqs[i], failed, ran_us[at:at + n - 1]);
  at := at + n;
  ended := ended + r.ended;
  stale := stale + (seqs[i] - r.ended);
  if tracing() then
    -- What was refused was judged by the part before.
    parts := parts || jsonb_build_object('claim', claims[i], 'part', case when not isempty(r.ended) then r.part end,
      'saw', r.part - 1, 'seqs', r.ended, 'stale', seqs[i] - r.ended);
  end if;
end loop;
if tracing() then
  perform trace('Complete', 'parts', null, 'worker:' || finish.worker,
    jsonb_build_object('claims', claims, 'seqs', seqs, 'failed', failed), jsonb_build_object('parts', parts));
end if;
if verdicts is not null then
  -- One verdict an entry, should a batch name it twice: each makes a successor.
  for v in
    select distinct on (e ->> 'seq') e from jsonb_array_elements(verdicts) e where ended @> (e ->> 'seq')::bigint
  loop
    perform end_attempt(find_entry((v ->> 'seq')::bigint), v, finish.worker);
  end loop;
end if;
return stale;
end;
$$;
