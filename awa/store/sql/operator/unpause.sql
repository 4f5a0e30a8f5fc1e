-- Unpause: a queue gives out claims again.
-- spec    none: a switch
-- in      queue text
-- out     nothing; an unknown queue is fine
-- locks   the queue's row, the leader's
-- plan    queue_name_key
create or replace function {schema}.unpause(queue text) returns void
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
begin
update queue q set paused_at = null, paused_by = null where q.name = unpause.queue;
update leader set looks_back = true;
perform pg_notify('{schema}', unpause.queue);
end;
$$;
