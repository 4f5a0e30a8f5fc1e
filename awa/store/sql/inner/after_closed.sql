-- After closed: the segment that follows the first one of a lane, if nobody can write into that one any more.
-- spec    Reach.tla!AskClosed
-- in      number bigint (of the oldest segment that the lane is read from), segment smallint (the first slot to be read)
-- out     the next one's number; null while the first is open or sealed, or if another slot is the first by now
-- locks   none
-- plan    segment_number_key
-- A slot may have been emptied since it was told, and be a younger segment's; then an older one is the first.
create or replace function {schema}.after_closed(number bigint, segment smallint) returns bigint
language plpgsql as $$
begin
return (
  select (select min(y.number) from segment y where y.number > g.number)
  from (select s.* from segment s where s.number >= after_closed.number order by s.number limit 1) g
  where g.segment = after_closed.segment and g.closed_at is not null);
end;
$$;
