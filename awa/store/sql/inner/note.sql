-- Note: a row of a step's answer that is not a job.
-- spec    none: form only
-- in      note text, about bigint (the queue, or a stale entry's seq)
-- out     the row
-- locks   none
-- plan    none
create or replace function {schema}.note(note text, about bigint) returns {schema}.step_row
language sql immutable as $$
select (note, null, about, null, null, null, null, null, null, null)::{schema}.step_row;
$$;
