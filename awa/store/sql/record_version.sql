-- Record version: a migration was applied.
-- spec    none: bookkeeping
-- in      {version}, {description}: put in as text, for the statement ends a file that people run by hand
-- out     nothing
-- locks   none: the migrations' lock is held
-- plan    schema_version_pkey
insert into {schema}.schema_version (version, description) values ({version}, '{description}');
