-- Open: a queue and its lane of this priority exist, so that the jobs to come need not pass the intake.
-- spec    none: names only
-- in      queue text, priority int
-- out     nothing
-- locks   the queue's name and lanes until commit: call it in a transaction of its own
-- plan    queue_name_key, lane_for_enqueue
create or replace function {schema}.open(queue text, priority int) returns void
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
begin
perform check_job('', 'null', queue, priority, 1, '{}', null);
perform open_lane(open_queue(queue), priority::smallint, false, null);
end;
$$;
