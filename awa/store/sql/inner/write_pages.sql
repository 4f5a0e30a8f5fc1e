-- Write pages: the hole pages of a claim that are not yet in its segment.
-- spec    Log.tla!CommitClaim
-- in      c claim (the newest), n claim (the next, with the pages it keeps), pages hole[] (fresh or rewritten)
-- out     the numbers of the pages written anew
-- locks   the queue's is held
-- plan    hole_N_for_claim
-- The pages of the newest claim lie in its own segment, so no older segment is held back by a hole.
create or replace function {schema}.write_pages(c {schema}.claim, n {schema}.claim, pages {schema}.hole[]) returns bigint[]
language plpgsql as $$
declare
  written bigint[];
begin
if n.segment <> c.segment and n.pages <> '{}' then
  insert into hole (page, born_at, segment, seqs, reads_from, fillers)
  select h.page, h.born_at, n.segment, h.seqs, h.reads_from, h.fillers
  from hole h where h.segment = c.segment and h.page = any(n.pages);
end if;
if pages = '{}' then
  return '{}';
end if;
with w as (
  insert into hole (page, born_at, segment, seqs, reads_from, fillers)
  select nextval('hole_page'), p.born_at, n.segment, p.seqs, p.reads_from, p.fillers from unnest(pages) p
  returning page)
select array_agg(w.page) into written from w;
return written;
end;
$$;
