-- Look: what became of the holes of a queue.
-- spec    Log.tla!ReadLocks, Log.tla!Look
-- in      c claim (the newest), room int, kinds text[]
-- out     taken, moved: late entries for this claim; pages: what is to be written anew; kept: pages that stay as they
--         are; room: what is left; oldest: the oldest segment number that holds one taken; reads
-- locks   the queue's is held
-- plan    hole_N_for_claim; as fillers and seen
-- A page is looked at again only when one of its fillers is gone, so a transaction that stays open for an hour costs
-- nothing. The lock table is read before the look: who is gone by then has committed what the look can see.
create or replace function {schema}.look(
  c {schema}.claim, inout room int, kinds text[],
  out taken int8multirange, out moved int8multirange, out pages {schema}.hole[], out kept bigint[], out oldest bigint,
  out reads jsonb)
language plpgsql as $$
declare
  present text[] := fillers(array(select l.sequence from lane l where l.queue = c.claim >> 40));
  left_over text[];
  p hole;
  r record;
  late int8multirange;
  unseen int8multirange;
begin
taken := '{}';
moved := '{}';
pages := '{}';
kept := '{}';
for p in select * from hole h where h.segment = c.segment and h.page = any(c.pages) order by h.page loop
  if p.fillers <> '{}' and p.fillers <@ present then
    kept := kept || p.page;
    continue;
  end if;
  -- Who prepares its transaction goes on under another name, so every prepared holder counts.
  left_over := array(select f from unnest(present) f where f = any(p.fillers) or f like '-1/%');
  r := seen(p.seqs, p.reads_from, look.kinds);
  reads := nullif(coalesce(reads, '[]') || coalesce(r.reads, '[]'), '[]');
  late := first_of(r.mine, room);
  room := room - (select coalesce(sum(upper(x) - lower(x)), 0) from unnest(late) x);
  taken := taken + late;
  moved := moved + r.strange;
  oldest := least(oldest, p.reads_from);
  unseen := p.seqs - r.mine - r.strange - r.over;
  p.segment := null;
  -- Visible, but there was no room: a page of its own, to be looked at next time whoever else is still at work.
  if late <> r.mine then
    p.seqs := r.mine - late;
    p.fillers := '{}';
    pages := pages || p;
  end if;
  if left_over <> '{}' and not isempty(unseen) then
    p.seqs := unseen;
    p.fillers := left_over;
    pages := pages || p;
  end if;
end loop;
end;
$$;
