-- Pause: a queue gives out no claims and promotes nothing; what runs goes on.
-- spec    none: a switch
-- in      queue text, paused_by text
-- out     nothing
-- locks   the queue's row
-- plan    queue_name_key
create or replace function {schema}.pause(queue text, paused_by text) returns void
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
begin
perform check_job('', 'null', pause.queue, 1, 1, '{}', null);
perform open_queue(pause.queue);
update queue q set paused_at = clock(), paused_by = pause.paused_by where q.name = pause.queue;
end;
$$;
