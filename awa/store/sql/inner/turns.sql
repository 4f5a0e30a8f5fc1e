-- Turns: the lanes of a queue that have numbers beyond the cursor.
-- spec    Log.tla!TakeLock, Reach.tla!Turn
-- in      c claim (the newest), kinds text[]
-- out     turns: a turn a lane; behind: a lane's sequence is behind its cursor (a restored copy counts anew), and nobody
--         may claim from it until it is mended; paused: the queue gives out nothing; bell: the queue's
-- locks   the queue's is held
-- plan    lane_for_enqueue; a sequence is read in half a microsecond, so an idle lane costs no more
create or replace function {schema}.turns(
  c {schema}.claim, kinds text[], out turns {schema}.turn[], out behind boolean, out paused boolean, out bell regclass)
language plpgsql as $$
declare
  l record;
  i int;
  base bigint;
  hi bigint;
  upto bigint;
begin
turns := '{}';
behind := false;
for l in
  select k.lane, k.priority, k.sequence, k.opened_in, q.paused_at, q.bell from queue q join lane k on k.queue = q.queue
  where q.queue = (c.claim >> 40)::int and (k.kind is null or k.kind = any(turns.kinds)) order by k.priority, k.lane
loop
  bell := l.bell;
  paused := l.paused_at is not null;
  base := lane_base(l.lane);
  i := array_position(c.lanes, l.lane);
  hi := coalesce(c.hi[i], base);
  upto := coalesce(pg_sequence_last_value(l.sequence), base);
  behind := behind or upto < hi;
  if upto > hi then
    turns := turns || (l.lane, l.priority, l.sequence, hi, upto, coalesce(c.reads_from[i], l.opened_in), null, '{}')::turn;
  end if;
end loop;
end;
$$;
