-- Seen: which of these numbers have an entry by now, and what may become of each.
-- spec    Log.tla!LookAtPage
-- in      seqs int8multirange, reads_from bigint (the oldest segment number that may hold one), room int, kinds text[]
-- out     mine: of a kind the worker knows; strange: of another kind; over: ended before anybody claimed it; n: how many
--         were found; beyond: what was not looked at, because the room was used up; reads: what was seen, while tracing
-- locks   none
-- plan    entry_N_for_claim, a probe a range; ending_N_for_finish
create or replace function {schema}.seen(
  seqs int8multirange, reads_from bigint, room int, kinds text[],
  out mine int8multirange, out strange int8multirange, out over int8multirange, out n int, out beyond int8multirange,
  out reads jsonb)
language plpgsql as $$
declare
  slots smallint[] := slots_from(reads_from);
  r record;
begin
select
  range_agg(int8range(f.seq, f.seq, '[]')) filter (where not f.over and f.kind = any(seen.kinds)) as mine,
  range_agg(int8range(f.seq, f.seq, '[]')) filter (where not f.over and f.kind <> all(seen.kinds)) as strange,
  range_agg(int8range(f.seq, f.seq, '[]')) filter (where f.over) as over,
  max(f.seq) as seq, count(*)::int as n,
  case when tracing() then pg_current_snapshot() end as snap
into r
from (
  select e.seq, e.kind, exists (select from ending x where x.segment = e.segment and x.seq = e.seq) as over
  from unnest(seen.seqs) w
  cross join lateral (
    select y.segment, y.seq, y.kind from entry y
    where y.segment = any(slots) and y.seq >= lower(w) and y.seq < upper(w)
    order by y.seq limit greatest(seen.room, 0)) e
  order by e.seq limit greatest(seen.room, 0)) f;
mine := coalesce(r.mine, '{}');
strange := coalesce(r.strange, '{}');
over := coalesce(r.over, '{}');
n := r.n;
beyond := case when r.n < room then '{}' when r.n > 0 then seqs * int8multirange(int8range(r.seq, null, '()')) else seqs end;
if r.snap is not null then
  reads := jsonb_build_array(jsonb_build_object('slots', slots, 'asked', seqs - beyond, 'snap', r.snap,
    'found', mine + strange + over));
end if;
end;
$$;
