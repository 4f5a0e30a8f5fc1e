-- At work: who has a worker's lock: its steps that have not ended, and, seldom, a sweep.
-- spec    Floor.tla!ReadLocks
-- in      worker int
-- out     virtual transactions; a commit is visible before its locks go, so whoever is not among them is over
-- locks   the lock table's own, for some 50 microseconds: asked once a heartbeat
-- plan    none
create or replace function {schema}.at_work(worker int) returns text[]
language plpgsql as $$
begin
return array(
  select l.virtualtransaction from pg_locks l
  where l.locktype = 'advisory' and l.classid = 'worker'::regclass::oid and l.objid = at_work.worker::oid
  and l.objsubid = 2 and l.granted
  and l.database = (select d.oid from pg_database d where d.datname = current_database()));
end;
$$;
