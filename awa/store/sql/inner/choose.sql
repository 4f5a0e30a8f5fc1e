-- Choose: which entries of a queue's lanes this claim takes, the most urgent lane first.
-- spec    Log.tla!ReadEntries
-- in      turns turn[], room int, ageing_ms bigint, kinds text[]
-- out     the turns, read on; taken, moved; read: how many were looked at; more: there was no room for all; oldest: the
--         oldest segment number that holds one of them; reads
-- locks   the queue's is held
-- plan    as head and read_lane
create or replace function {schema}.choose(
  inout turns {schema}.turn[], room int, ageing_ms bigint, kinds text[],
  out taken int8multirange, out moved int8multirange, out read int, out more boolean, out oldest bigint, out reads jsonb)
language plpgsql as $$
declare
  present timestamptz := clock();
  best record;
  r record;
begin
-- Before they are read on: what is taken lies where they stood.
for i in 1..cardinality(turns) loop
  oldest := least(oldest, turns[i].reads_from);
end loop;
if cardinality(turns) = 1 then
  r := read_lane(turns[1], room, null, kinds);
  turns[1] := r.t;
  taken := r.mine;
  moved := r.strange;
  read := r.read;
  more := read >= room;
  reads := r.reads;
  return;
end if;
taken := '{}';
moved := '{}';
read := 0;
turns := array(select (u.lane, u.priority, u.sequence, u.hi, u.upto, u.reads_from, head(u), u.fresh)::turn from unnest(turns) u);
loop
  -- The two most urgent heads: the first lane is read up to where the head of the second would come before.
  select k.i, k.ready_at,
    bound_of(k.priority, lead(k.urgency) over w, lead(k.ready_at) over w, present, choose.ageing_ms) as bound
  into best
  from (
    select x.*, urgency(x.priority, x.ready_at, present, choose.ageing_ms) as urgency
    from unnest(turns) with ordinality x (lane, priority, sequence, hi, upto, reads_from, ready_at, fresh, i)
    where x.ready_at is not null) k
  window w as (order by k.urgency, k.ready_at, k.i)
  order by k.urgency, k.ready_at, k.i limit 1;
  more := found;
  exit when not found or room <= 0;
  -- The head itself always goes, or a rounding at the edge of an interval would read nothing for ever.
  r := read_lane(turns[best.i], room, greatest(best.bound, case when best.bound is not null then best.ready_at end), kinds);
  taken := taken + r.mine;
  moved := moved + r.strange;
  room := room - r.read;
  read := read + r.read;
  reads := nullif(coalesce(reads, '[]') || coalesce(r.reads, '[]'), '[]');
  r.t.ready_at := head(r.t);
  turns[best.i] := r.t;
end loop;
end;
$$;
