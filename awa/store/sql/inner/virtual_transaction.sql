-- Virtual transaction: the name by which the lock table knows this transaction.
-- spec    none: reads only
-- in      nothing
-- out     its name, as fillers gives it; asked only while tracing, since the whole lock table is read for it
-- locks   none
-- plan    none
create or replace function {schema}.virtual_transaction() returns text
language sql stable as $$
select l.virtualtransaction || '@' || extract(epoch from pg_postmaster_start_time())::bigint from pg_locks l where l.locktype = 'virtualxid' and l.pid = pg_backend_pid() and l.granted limit 1;
$$;
