-- Fillers: who could still commit a number drawn from these sequences.
-- spec    Log.tla!ReadLocks
-- in      sequences regclass[]
-- out     the virtual transactions (prepared ones may be `-1/...`) that hold a sequence's lock, `@` the server's start;
--         nextval takes that lock before it draws, and the transaction keeps it to its end, through rollbacks to a
--         savepoint too
-- locks   the lock table's own, for some 50 microseconds: asked only while there are holes
-- plan    none
create or replace function {schema}.fillers(sequences regclass[]) returns text[]
language plpgsql as $$
begin
-- With the start of the server, for the numbers begin anew with it, and a stranger would have an old filler's name.
return (select coalesce(array_agg(distinct l.virtualtransaction || '@' || extract(epoch from pg_postmaster_start_time())::bigint), '{}')
from pg_locks l
where l.locktype = 'relation' and l.mode = 'RowExclusiveLock' and l.granted
and l.database = (select d.oid from pg_database d where d.datname = current_database())
and l.relation = any(sequences::oid[]));
end;
$$;
