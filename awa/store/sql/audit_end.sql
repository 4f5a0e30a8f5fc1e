-- Audit end: the statements that take back what audit_begin made.
-- spec    none: a switch
-- in      nothing
-- out     the statements, in order, each for a transaction of its own
-- locks   none; each table for a moment, exclusively
-- plan    none
select k.statement from (
  select 1, 'drop publication if exists {schema}_audit'
  union all
  select 2, format('alter table %s replica identity default', c.oid::regclass) from pg_class c
  where c.relnamespace = '{schema}'::regnamespace and c.relkind in ('r', 'p') and c.relreplident = 'f'
  union all
  select 3, format('select pg_drop_replication_slot(%L)', r.slot_name) from pg_replication_slots r
  where r.database = current_database() and r.slot_name like '{schema}\_audit\_%') k (place, statement)
order by k.place;
