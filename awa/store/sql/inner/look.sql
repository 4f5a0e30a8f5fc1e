-- Look: what became of the holes of a queue.
-- spec    Log.tla!ReadLocks, Log.tla!LookAtPage
-- in      c claim (the newest), room int, kinds text[]
-- out     taken, moved: late entries for this claim; pages: what is to be written anew; kept: pages that stay as they
--         are; room: what is left; oldest: the oldest segment number that holds one taken; reads
-- locks   the queue's is held
-- plan    hole_N_for_claim; as fillers and examine
-- A page is looked at again only when one of its fillers is gone, so a transaction that stays open for an hour costs
-- nothing. The lock table is read before the look: who is gone by then has committed what the look can see.
create or replace function {schema}.look(
  c {schema}.claim, inout room int, kinds text[],
  out taken int8multirange, out moved int8multirange, out pages {schema}.hole[], out kept bigint[], out oldest bigint,
  out reads jsonb)
language plpgsql as $$
declare
  present text[] := fillers(array(select l.sequence from lane l where l.queue = c.claim >> 40));
  p hole;
  r record;
begin
taken := '{}';
moved := '{}';
pages := '{}';
kept := '{}';
for p in select * from hole h where h.segment = c.segment and h.page = any(c.pages) order by lower(h.seqs) loop
  -- Without room there is no look: what it found would have to be written down again. An empty set is contained in
  -- every set, so a page without fillers is asked for apart.
  if room <= 0 or p.fillers <> '{}' and p.fillers <@ present then
    kept := kept || p.page;
    continue;
  end if;
  r := examine(p, present, room, look.kinds);
  taken := taken + r.mine;
  moved := moved + r.strange;
  pages := pages || r.pages;
  room := room - r.n;
  oldest := least(oldest, p.reads_from);
  reads := nullif(coalesce(reads, '[]') || coalesce(r.reads, '[]'), '[]');
end loop;
end;
$$;
