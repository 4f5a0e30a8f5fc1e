-- Found version: up to which migration this schema has come.
-- spec    none: reads only
-- in      nothing
-- out     the version
-- locks   none
-- plan    schema_version_pkey
select coalesce(max(version), 0) from {schema}.schema_version;
