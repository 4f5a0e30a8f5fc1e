-- Open entries: what is open under a worker's id, for a worker that cannot know whether its last step landed.
-- spec    Step.tla!Ask   guard: no step of this worker is at work any more
-- in      worker int; connection int: which of the worker's connections this is, a greater number with each. From now on
--         no step of an earlier one begins: what is still on its way gives out nothing.
-- out     claim, seq: an entry each. What the worker does not know it gives back (a verdict of release), or nobody ever
--         would: it is alive, so no rescue comes.
-- locks   the worker, exclusively, for ten seconds at most: a step whose connection broke may still be at work, and
--         commit after we have looked; the worker's row
-- plan    as open_claims
create or replace function {schema}.open_entries(worker int, connection int default 0)
returns table (claim bigint, seq bigint)
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
set lock_timeout to '10s'
as $$
begin
perform refuse_snapshots();
perform pg_advisory_xact_lock('worker'::regclass::oid::int, open_entries.worker);
update worker w set connection = open_entries.connection
where w.worker = open_entries.worker and w.connection < open_entries.connection;
return query
select o.claim, generate_series(lower(r), upper(r) - 1) from open_claims(open_entries.worker) o, unnest(o.seqs) r;
end;
$$;
