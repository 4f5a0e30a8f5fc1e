-- Open: a queue and its lane of this priority exist, so that the jobs to come need not pass the intake.
-- spec    none: names only
-- in      queue text, priority int; kind text, args json, max_attempts int, tags text[], metadata jsonb: of the first of
--         those jobs, so that nothing is made for one that will be refused
-- out     nothing
-- locks   the queue's name and lanes until commit: call it in a transaction of its own
-- plan    queue_name_key, lane_for_enqueue
create or replace function {schema}.open(
  queue text, priority int, kind text default '', args json default 'null', max_attempts int default 1,
  tags text[] default '{}', metadata jsonb default '{}')
returns void
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
begin
perform check_job(kind, args, queue, priority, max_attempts, tags, null);
perform open_lane(open_queue(queue), priority::smallint, false, null);
end;
$$;
