-- List: jobs, newest first.
-- spec    none: reads only
-- in      state text, kind text, queue text (null: any), at most bigint
-- out     rows of the view
-- locks   none
-- plan    entry_N_for_get backwards
select * from {schema}.jobs
where ($1::text is null or state = $1) and ($2::text is null or kind = $2) and ($3::text is null or queue = $3)
order by id desc limit $4;
