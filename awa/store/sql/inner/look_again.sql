-- Look again: the numbers that this claim has passed over, once the lock table has been read.
-- spec    Log.tla!ReadFillers, Log.tla!LookAgain
-- in      turns turn[], room int, kinds text[]
-- out     taken, moved: what has been committed since the read; pages: what is a hole, and who could still fill it, at
--         most a hundred ranges of one lane a page (all null when nothing was passed over); reads as look
-- locks   the queue's is held
-- plan    as fillers and examine
-- The locks are read after the snapshot in which the numbers were not visible, and the look is a statement after that:
-- who has ended meanwhile has committed what the look can see, and is no filler.
create or replace function {schema}.look_again(
  turns {schema}.turn[], room int, kinds text[],
  out taken int8multirange, out moved int8multirange, out pages {schema}.hole[], out reads jsonb)
language plpgsql as $$
declare
  seqs int8multirange := '{}';
  oldest bigint;
  holders text[];
  p hole;
  r record;
begin
for i in 1..cardinality(turns) loop
  if not isempty(turns[i].fresh) then
    seqs := seqs + turns[i].fresh;
    oldest := least(oldest, turns[i].reads_from);
  end if;
end loop;
if isempty(seqs) then
  return;
end if;
taken := '{}';
moved := '{}';
pages := '{}';
holders := fillers(array(select t.sequence from unnest(turns) t where not isempty(t.fresh)));
-- Small pages, so that one that is written anew never costs much; and of one lane each, so that their order is the lane's:
-- what a later claim passed over comes after it.
for p in
  select null, clock(), null, range_agg(g.gap), oldest, holders
  from (
    select gap, lower(gap) >> 40 as lane, (row_number() over (partition by lower(gap) >> 40 order by gap) - 1) / 100 as page
    from unnest(seqs) gap) g
  group by g.lane, g.page order by g.lane, g.page
loop
  r := examine(p, holders, room, look_again.kinds);
  taken := taken + r.mine;
  moved := moved + r.strange;
  pages := pages || r.pages;
  room := room - r.n;
  reads := nullif(coalesce(reads, '[]') || coalesce(r.reads, '[]'), '[]');
end loop;
end;
$$;
