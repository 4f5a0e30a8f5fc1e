-- Audit begin: the statements that have every change of the engine's tables written down, from now on.
-- spec    none: a switch
-- in      nothing
-- out     the statements, in order, each for a transaction of its own: a slot begins in one that has written nothing
-- locks   none; each table for a moment, exclusively
-- plan    none
-- A change is told with the row before it, whatever key the table has. What a killed audit left is taken away first.
with t as (
  select c.oid::regclass as name, c.relispartition as is_leaf from pg_class c
  where c.relnamespace = '{schema}'::regnamespace and c.relkind in ('r', 'p')),
slot as (select '{schema}_audit_' || d.oid as name from pg_database d where d.datname = current_database())
select k.statement from (
  select 1, format('select pg_drop_replication_slot(%L)', s.name) from slot s
  where exists (select from pg_replication_slots r where r.slot_name = s.name)
  union all
  select 2, 'drop publication if exists {schema}_audit'
  union all
  select 3, format('alter table %s replica identity full', t.name) from t
  union all
  select 4, 'create publication {schema}_audit for table ' || string_agg(t.name::text, ', ') from t where not t.is_leaf
  union all
  select 5, format('select pg_create_logical_replication_slot(%L, ''pgoutput'')', s.name) from slot s) k (place, statement)
order by k.place;
