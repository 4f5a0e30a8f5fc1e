-- May copy: whether the caller itself, not the verb's owner, may write into the log.
-- spec    none: authority
-- in      nothing
-- out     true if a batch may be copied into `entry` and `deferred`
-- locks   none
-- plan    none
create or replace function {schema}.may_copy() returns boolean
language sql stable as $$
select has_table_privilege('{schema}.entry', 'insert') and has_table_privilege('{schema}.deferred', 'insert');
$$;
