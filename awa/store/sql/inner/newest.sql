-- Newest: the newest claim of a queue, which is its cursor.
-- spec    Log.tla!TakeLock
-- in      queue int
-- out     the claim row; every queue has one from its birth on
-- locks   none of its own: whoever decides by it holds the queue's
-- plan    claim_N_for_claim, backwards, newest segment first: claims of a queue never go back to an older segment
create or replace function {schema}.newest(queue int) returns {schema}.claim
language plpgsql stable as $$
declare
  s smallint := (open_segment() % 1000)::smallint;
  floor bigint := queue::bigint << 40;
  c claim;
begin
select * into c from claim l
where l.segment = s and l.claim >= floor and l.claim < floor + 1099511627776 order by l.claim desc limit 1;
if found then
  return c;
end if;
for s in select g.segment from segment g where g.number is not null order by g.number desc loop
  select * into c from claim l
  where l.segment = s and l.claim >= floor and l.claim < floor + 1099511627776 order by l.claim desc limit 1;
  if found then
    return c;
  end if;
end loop;
raise exception 'queue % has no claim: its cursor is lost', newest.queue using errcode = 'XX001';
end;
$$;
