-- List: the jobs of these ids, newest first.
-- spec    none: reads only
-- in      ids bigint[], state text (null: any; what has changed meanwhile is left out)
-- out     rows of the view
-- locks   none
-- plan    as the view, by id
select * from {schema}.jobs where id = any($1) and ($2::text is null or state = $2) order by id desc;
