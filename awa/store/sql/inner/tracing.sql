-- Tracing: whether transitions write trace events. One setting lookup, the whole price of tracing that is off.
-- spec    none: reads only
-- in      nothing
-- out     true while the setting `{schema}.trace` is on (of the database, the role or the session)
-- locks   none
-- plan    none
create or replace function {schema}.tracing() returns boolean
language sql stable as $$
select coalesce(current_setting('{schema}.trace', true), '') = 'on';
$$;
