-- Head: since when the first visible entry of a lane beyond its cursor waits.
-- spec    none: reads only
-- in      t turn
-- out     its ready_at; null if nothing is visible
-- locks   none
-- plan    entry_N_for_claim
create or replace function {schema}.head(t {schema}.turn) returns timestamptz
language plpgsql as $$
declare
  s smallint;
  at timestamptz;
begin
foreach s in array slots_from(t.reads_from) loop
  select ready_at(e.created_at, e.options) into at from entry e
  where e.segment = s and e.seq > t.hi and e.seq <= t.upto
  order by e.seq limit 1;
  if found then
    return at;
  end if;
end loop;
return null;
end;
$$;
