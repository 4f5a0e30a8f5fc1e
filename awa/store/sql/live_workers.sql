-- Live workers: how many worker processes have spoken lately.
-- spec    none: reads only
-- in      nothing
-- out     the count
-- locks   none
-- plan    worker_for_rescue
select count(*) from {schema}.worker
where stopped_at is null and lost_at is null and seen_at > {schema}.clock() - interval '1 minute';
