-- Turns: the lanes of a queue that have numbers beyond the cursor.
-- spec    Log.tla!TakeLock
-- in      c claim (the newest), kinds text[]
-- out     turns: a turn a lane; behind: a lane's sequence is behind its cursor (a restored copy counts anew), and nobody
--         may claim from it until it is mended; paused: the queue gives out nothing; bell: the queue's
-- locks   the queue's is held
-- plan    lane_for_enqueue; a sequence is read in half a microsecond, so an idle lane costs no more
create or replace function {schema}.turns(
  c {schema}.claim, kinds text[], out turns {schema}.turn[], out behind boolean, out paused boolean, out bell regclass)
language plpgsql as $$
begin
select
  coalesce(array_agg((k.lane, k.priority, k.sequence, k.hi, k.upto, k.reads_from, null, '{}')::turn order by k.priority, k.lane)
    filter (where k.upto > k.hi), '{}'),
  coalesce(bool_or(k.upto < k.hi), false),
  bool_or(k.paused), min(k.bell::oid)
into turns, behind, paused, bell
from (
  select l.lane, l.priority, l.sequence, q.paused_at is not null as paused, q.bell,
    coalesce(c.hi[array_position(c.lanes, l.lane)], lane_base(l.lane)) as hi,
    coalesce(c.reads_from[array_position(c.lanes, l.lane)], l.opened_in) as reads_from,
    coalesce(pg_sequence_last_value(l.sequence), lane_base(l.lane)) as upto
  from queue q join lane l on l.queue = q.queue
  where q.queue = (c.claim >> 40)::int and (l.kind is null or l.kind = any(turns.kinds))) k;
end;
$$;
