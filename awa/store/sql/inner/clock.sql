-- Clock: what time it is. The only clock there is; a test schema puts a movable one in its place.
-- spec    none: reads only
-- in      nothing
-- out     the server's clock, which goes on inside a transaction
-- locks   none
-- plan    none
create or replace function {schema}.clock() returns timestamptz
language sql volatile as $$
select clock_timestamp();
$$;
