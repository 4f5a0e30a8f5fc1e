-- Ready at: since when a job waits, for ageing and for order between lanes.
-- spec    none: reads only
-- in      created_at timestamptz, options jsonb
-- out     its run_at if it was scheduled, else its creation: what comes back is judged by the job's original time
-- locks   none
-- plan    none
create or replace function {schema}.ready_at(created_at timestamptz, options jsonb) returns timestamptz
language sql stable as $$
select coalesce((options ->> 'run_at')::timestamptz, created_at);
$$;
