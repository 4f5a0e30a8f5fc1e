-- Get: one job, as the view shows it.
-- spec    none: reads only
-- in      job bigint
-- out     its row, or none
-- locks   none
-- plan    entry_N_for_get, deferred_N_for_get, held_pkey
select * from {schema}.jobs where id = $1 limit 1;
