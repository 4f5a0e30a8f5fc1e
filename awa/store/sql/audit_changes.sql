-- Audit changes: what was committed since the last call, as messages of pgoutput; whole transactions only.
-- spec    none: reads only
-- in      $1 int (how many changes, more or less)
-- out     the messages, in their order
-- locks   the slot
-- plan    none
select c.data
from pg_database d cross join lateral pg_logical_slot_get_binary_changes(
  ('{schema}_audit_' || d.oid)::name, null, $1, 'proto_version', '1', 'publication_names', '{schema}_audit') c
where d.datname = current_database();
