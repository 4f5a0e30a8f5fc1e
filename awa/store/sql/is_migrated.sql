-- Is migrated: whether the schema is there at all.
-- spec    none: reads only
-- in      schema text
-- out     true if it has a record of its versions
-- locks   none
-- plan    none
select to_regclass($1 || '.schema_version') is not null;
