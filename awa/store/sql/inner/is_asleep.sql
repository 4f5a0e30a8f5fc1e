-- Is asleep: whether a worker sleeps that serves this queue, and so wants to be woken.
-- spec    Wake.tla!Ask
-- in      queue int
-- out     true if the queue's bell says so
-- locks   none: a producer that asks before a worker announces its sleep is seen by that worker's second look, because
--         it has drawn its number before it asks
-- plan    queue_pkey
create or replace function {schema}.is_asleep(queue int) returns boolean
language plpgsql as $$
begin
return (select pg_sequence_last_value(q.bell) = 2 from queue q where q.queue = is_asleep.queue);
end;
$$;
