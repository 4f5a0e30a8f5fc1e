-- Lock migrations: one migration at a time in this database, until commit.
-- spec    none: bookkeeping
-- in      key bigint
-- out     nothing
-- locks   an advisory lock for migrations alone
-- plan    none
select pg_advisory_xact_lock($1);
