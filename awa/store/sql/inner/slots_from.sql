-- Slots from: the segments that may hold an entry, oldest first.
-- spec    Reach.tla!SlotsFrom
-- in      number bigint (the oldest segment's number)
-- out     their partitions; nobody writes into a newer one than the sequence names at this moment
-- locks   none
-- plan    segment_number_key; nothing at all while the open segment is the only one
create or replace function {schema}.slots_from(number bigint) returns smallint[]
language plpgsql as $$
declare
  present bigint := open_segment();
begin
if slots_from.number >= present / 1000 then
  return array[(present % 1000)::smallint];
end if;
return array(select g.segment from segment g where g.number >= slots_from.number order by g.number);
end;
$$;
