-- After closed: the segment that follows this one, if nobody can write into this one any more.
-- spec    Reach.tla!AskClosed
-- in      segment smallint
-- out     the next one's number; null while this one is open or sealed
-- locks   none
-- plan    segment_number_key
create or replace function {schema}.after_closed(segment smallint) returns bigint
language plpgsql as $$
begin
return (
  select (select min(y.number) from segment y where y.number > g.number)
  from segment g where g.segment = after_closed.segment and g.closed_at is not null);
end;
$$;
