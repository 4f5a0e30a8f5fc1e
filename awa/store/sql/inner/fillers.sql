-- Fillers: who could still commit a number drawn from these sequences.
-- spec    Log.tla!ReadLocks
-- in      sequences regclass[]
-- out     the virtual transactions (and prepared ones, `-1/...`) that hold a sequence's lock; nextval takes it before
--         it draws and it is kept to the end of the transaction, through rollbacks to a savepoint too
-- locks   the lock table's own, for some 50 microseconds: asked only while there are holes
-- plan    none
create or replace function {schema}.fillers(sequences regclass[]) returns text[]
language plpgsql as $$
begin
return (select coalesce(array_agg(distinct l.virtualtransaction), '{}')
from pg_locks l
where l.locktype = 'relation' and l.mode = 'RowExclusiveLock' and l.granted
and l.database = (select d.oid from pg_database d where d.datname = current_database())
and l.relation = any(sequences::oid[]));
end;
$$;
