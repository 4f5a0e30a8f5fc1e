-- Seen: which of these numbers have an entry by now, and what may become of each.
-- spec    Log.tla!Look
-- in      seqs int8multirange, reads_from bigint (the oldest segment number that may hold one), kinds text[]
-- out     mine: of a kind the worker knows; strange: of another kind; over: ended before anybody claimed it;
--         reads: what was seen in which snapshot, while tracing
-- locks   none
-- plan    entry_N_for_claim, a probe a range; ending_N_for_finish
create or replace function {schema}.seen(
  seqs int8multirange, reads_from bigint, kinds text[],
  out mine int8multirange, out strange int8multirange, out over int8multirange, out reads jsonb)
language plpgsql as $$
declare
  s smallint;
  r record;
begin
mine := '{}';
strange := '{}';
over := '{}';
foreach s in array slots_from(reads_from) loop
  select
    range_agg(int8range(e.seq, e.seq, '[]')) filter (where x.seq is null and e.kind = any(seen.kinds)) as mine,
    range_agg(int8range(e.seq, e.seq, '[]')) filter (where x.seq is null and e.kind <> all(seen.kinds)) as strange,
    range_agg(int8range(e.seq, e.seq, '[]')) filter (where x.seq is not null) as over,
    case when tracing() then pg_current_snapshot() end as snap
  into r
  from unnest(seen.seqs) n
  join entry e on e.segment = s and e.seq >= lower(n) and e.seq < upper(n)
  left join ending x on x.segment = s and x.seq = e.seq;
  mine := mine + coalesce(r.mine, '{}');
  strange := strange + coalesce(r.strange, '{}');
  over := over + coalesce(r.over, '{}');
  if r.snap is not null then
    reads := coalesce(reads, '[]') || jsonb_build_object('segment', s, 'asked', seen.seqs, 'snap', r.snap,
      'found', coalesce(r.mine, '{}') + coalesce(r.strange, '{}') + coalesce(r.over, '{}'));
  end if;
end loop;
end;
$$;
