-- Prune: the oldest story that is over for long enough is truncated; what of it still lives is carried.
-- spec    Segments.tla!Prune   guard: nobody can write into it; nothing unclaimed is in it
-- in      epoch bigint, retention_s float8, wait_ms int (how long to wait for the locks of one, at most)
-- out     the number of the segment that was truncated; null if none was
-- locks   shared: the leadership; ACCESS EXCLUSIVE on the segment's tables, given up after wait_ms: who waits for it
--         behind a long reader stops the claimers; queues, tried
-- plan    as running_in and backlog_in; part_N_for_tally
-- In any order: backlog that waits in one segment, or a straggler that runs for a week, holds back no other.
create or replace function {schema}.prune(epoch bigint, retention_s float8, wait_ms int) returns bigint
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
declare
  g segment;
  live record;
  cutoff timestamptz;
begin
perform as_leader(prune.epoch);
for g in select * from segment s where s.closed_at is not null order by s.number loop
  live := running_in(g.segment);
  -- Quiet: all claimed, and all but some stragglers over. Those that ended last are shown for the retention from now.
  if backlog_in(g.segment) or cardinality(live.entries) + cardinality(live.claims) > 100 then
    update segment s set quiet_at = null where s.number = g.number and s.quiet_at is not null;
    continue;
  elsif g.quiet_at is null then
    update segment s set quiet_at = clock() where s.number = g.number returning s.quiet_at into g.quiet_at;
  end if;
  cutoff := clock() - prune.retention_s * interval '1 second';
  -- An idle queue writes its next claim into the segment of its last one, so what ended in it may be of today.
  continue when g.quiet_at > cutoff or exists (select from part p where p.segment = g.segment and p.ended_at > cutoff);
  if truncate_segment(g, prune.wait_ms) then
    if tracing() then
      perform trace('Prune', 'segments', null, 'leader', '{}', jsonb_build_object('number', g.number, 'slot', g.segment));
    end if;
    return g.number;
  end if;
end loop;
return null;
end;
$$;
