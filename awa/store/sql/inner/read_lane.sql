-- Read lane: the next entries of one lane, in order, as far as there is room and none waits elsewhere more urgently.
-- spec    Log.tla!Read
-- in      t turn, room int, bound timestamptz (null: none; an entry that became ready later is left), kinds text[]
-- out     the turn, its cursor moved on and what it passed over unseen in `fresh`; mine: entries of a kind the worker
--         knows; strange: of another kind; read: how many were looked at; reads: what was seen, while tracing
-- locks   the queue's is held
-- plan    entry_N_for_claim, ending_N_for_finish; only in segments that may hold the lane's next entries
create or replace function {schema}.read_lane(
  inout t {schema}.turn, room int, bound timestamptz, kinds text[],
  out mine int8multirange, out strange int8multirange, out read int, out reads jsonb)
language plpgsql as $$
declare
  slots smallint[] := slots_from(t.reads_from);
  s smallint;
  r record;
  seen int8multirange := '{}';
  hi bigint := t.hi;
begin
mine := '{}';
strange := '{}';
read := 0;
foreach s in array slots loop
  -- One statement, one snapshot: what was cancelled before it was claimed is visible with its entry or not at all.
  select a.*, (
      select range_agg(int8range(x.seq, x.seq, '[]')) from ending x where x.segment = s and x.seq > hi and x.seq <= a.seq
    ) as over, case when tracing() then pg_current_snapshot() end as snap
  into r
  from (
    select
      range_agg(int8range(b.seq, b.seq, '[]')) filter (where b.kind = any(read_lane.kinds)) as mine,
      range_agg(int8range(b.seq, b.seq, '[]')) filter (where b.kind <> all(read_lane.kinds)) as strange,
      max(b.seq) as seq, count(*)::int as n
    from (
      select e.seq, e.kind,
        read_lane.bound is null or max(ready_at(e.created_at, e.options)) over (order by e.seq) <= read_lane.bound as due
      from entry e
      where e.segment = s and e.seq > hi and e.seq <= t.upto
      order by e.seq limit read_lane.room - read_lane.read) b
    where b.due) a;
  if r.snap is not null then
    reads := coalesce(reads, '[]') || jsonb_build_object('segment', s, 'after', hi, 'upto', t.upto, 'snap', r.snap,
      'found', coalesce(r.mine, '{}') + coalesce(r.strange, '{}'));
  end if;
  if r.n > 0 then
    mine := mine + coalesce(r.mine - r.over, r.mine, '{}');
    strange := strange + coalesce(r.strange - r.over, r.strange, '{}');
    seen := seen + coalesce(r.mine, '{}') + coalesce(r.strange, '{}');
    read := read + r.n;
    t.hi := greatest(t.hi, r.seq);
    exit when read >= room;
  elsif bound is null and s = slots[1] and cardinality(slots) > 1 then
    -- Nothing beyond the cursor is in the oldest segment; if nobody can write into it any more, it is done with.
    t.reads_from := (
      select case when g.closed_at is null then g.number
        else (select min(y.number) from segment y where y.number > g.number) end
      from segment g where g.segment = s);
  end if;
end loop;
t.fresh := t.fresh + (int8multirange(int8range(hi, t.hi, '(]')) - seen);
end;
$$;
