-- Heartbeat: a worker says it is alive, and learns whether anybody thinks otherwise.
-- spec    Rescue.tla!Heartbeat, Watch.tla!Heartbeat, Floor.tla!Write   guard: the worker has not been declared lost
-- in      worker int, seqs bigint[] (what it has been running for long), stats jsonb (for people)
-- out     alive: false once it was declared lost; over: those of seqs that have ended meanwhile (a cancel)
-- locks   the worker's row
-- plan    worker_pkey; as open_claims
create or replace function {schema}.heartbeat(
  worker int, seqs bigint[], stats jsonb, out alive boolean, out over bigint[])
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
declare
  w worker;
  drawn bigint;
  present text[];
  opened bigint[];
begin
-- The row first: read after the locks it may name transactions that began since, and that seem to be over.
select * into w from worker k where k.worker = heartbeat.worker and k.lost_at is null and k.stopped_at is null;
alive := found;
if alive then
  -- The mark next, who is at work after it: whoever draws a higher number began later, or is among them.
  drawn := coalesce(pg_sequence_last_value('claim_ordinal'::regclass), 0);
  present := at_work(w.worker);
  -- The floor moves up to the mark of the heartbeat before, once every claim that was at work then is over: a backend
  -- that was stopped inside a claim for an hour holds the floor down, and its claim is found all the same.
  if w.mark_transactions && present then
    update worker k set seen_at = clock(), stats = heartbeat.stats
    where k.worker = w.worker and k.lost_at is null;
  else
    opened := array(select o.claim from open_claims(w.worker) o);
    update worker k set seen_at = clock(), stats = heartbeat.stats, held = opened, floor = w.mark, mark = drawn,
      mark_transactions = present
    where k.worker = w.worker and k.lost_at is null;
  end if;
  alive := found;
end if;
over := array(
  select s from unnest(heartbeat.seqs) s
  where not exists (select from open_claims(heartbeat.worker) o where o.seqs @> s));
end;
$$;
