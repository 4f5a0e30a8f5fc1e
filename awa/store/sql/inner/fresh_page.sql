-- Fresh page: the numbers that these turns passed over, and who could still fill one.
-- spec    Log.tla!ReadLocks   guard: the lock table is read after the snapshot in which they were not visible
-- in      turns turn[]
-- out     the page, or nothing if there are no gaps
-- locks   none
-- plan    as fillers
-- Nobody left to fill them does not mean that they are empty: their transaction may have ended since the read. The
-- next claim looks once more before it drops them.
create or replace function {schema}.fresh_page(turns {schema}.turn[]) returns {schema}.hole[]
language plpgsql as $$
declare
  page hole;
begin
page.seqs := '{}';
for i in 1..cardinality(turns) loop
  if not isempty(turns[i].fresh) then
    page.seqs := page.seqs + turns[i].fresh;
    page.reads_from := least(page.reads_from, turns[i].reads_from);
  end if;
end loop;
if isempty(page.seqs) then
  return '{}';
end if;
page.born_at := clock();
page.fillers := fillers(array(select t.sequence from unnest(turns) t where not isempty(t.fresh)));
return array[page];
end;
$$;
