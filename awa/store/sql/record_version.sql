-- Record version: a migration was applied.
-- spec    none: bookkeeping
-- in      version int, description text
-- out     nothing
-- locks   none: the migrations' lock is held
-- plan    schema_version_pkey
insert into {schema}.schema_version (version, description) values ($1, $2);
