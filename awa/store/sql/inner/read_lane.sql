-- Read lane: the next entries of one lane, in order, as far as there is room and none waits elsewhere more urgently.
-- spec    Log.tla!ReadEntries, Reach.tla!MoveOn
-- in      t turn, room int, bound timestamptz (null: none; an entry that became ready later is left), kinds text[]
-- out     the turn, its cursor moved on and what it passed over unseen in `fresh`; mine: entries of a kind the worker
--         knows; strange: of another kind; read: how many were looked at; reads: what was seen, while tracing
-- locks   the queue's is held
-- plan    as read_run and next_entries
create or replace function {schema}.read_lane(
  inout t {schema}.turn, room int, bound timestamptz, kinds text[],
  out mine int8multirange, out strange int8multirange, out read int, out reads jsonb)
language plpgsql as $$
declare
  slots smallint[] := slots_from(t.reads_from);
  -- Before the read: a writer that commits after it, into a segment that is closed after that, is looked for again.
  next_from bigint := case when cardinality(slots) > 1 then after_closed(t.reads_from, slots[1]) end;
  plain boolean := bound is null and cardinality(slots) = 1;
  r record;
begin
if plain then
  r := read_run(slots[1], t.hi, t.upto, room, kinds);
  plain := r.n is not null;
end if;
if not plain then
  select
    range_agg(int8range(b.seq, b.seq, '[]')) filter (where b.due and not b.over and b.kind = any(read_lane.kinds)) as mine,
    range_agg(int8range(b.seq, b.seq, '[]')) filter (where b.due and not b.over and b.kind <> all(read_lane.kinds)) as strange,
    range_agg(int8range(b.seq, b.seq, '[]')) filter (where b.due) as seen,
    max(b.seq) filter (where b.due) as seq, count(*) filter (where b.due)::int as n,
    case when tracing() then pg_current_snapshot() end as snap
  into r
  from (
    select e.seq, e.kind, e.over,
      read_lane.bound is null or max(e.ready_at) over (order by e.seq) <= read_lane.bound as due
    from next_entries(slots, t.hi, t.upto, read_lane.room) e) b;
end if;
mine := coalesce(r.mine, '{}');
strange := coalesce(r.strange, '{}');
read := r.n;
if r.snap is not null then
  reads := jsonb_build_array(jsonb_build_object('slots', slots, 'after', t.hi, 'upto', t.upto, 'snap', r.snap,
    'found', coalesce(r.seen, '{}')));
end if;
if r.n > 0 then
  t.fresh := t.fresh + (int8multirange(int8range(t.hi, r.seq, '(]')) - r.seen);
  t.hi := r.seq;
end if;
-- To the lane's end, and not to the last number that this claim has read: what was drawn since may lie there as well.
if next_from is not null and not exists (
  select from entry e where e.segment = slots[1] and e.seq > t.hi and e.seq < lane_base(t.lane + 1))
then
  t.reads_from := next_from;
end if;
end;
$$;
