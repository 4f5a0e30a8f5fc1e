-- Lane base: the number below the first of a lane (or of a queue's claims); its inverse is a shift by 40.
-- spec    none: arithmetic
-- in      lane int
-- out     lane * 2^40
-- locks   none
-- plan    none
create or replace function {schema}.lane_base(lane int) returns bigint
language sql immutable as $$
select lane::bigint << 40;
$$;
