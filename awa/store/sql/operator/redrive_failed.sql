-- Redrive failed: up to n failed jobs of one kind or one queue are made available again.
-- spec    Queue.tla!Redrive   guard: the job is held
-- in      kind text, queue text (one of them null), after bigint (0 to begin, then the last id of the call before: what
--         fails again meanwhile is not brought back again and again), n int
-- out     ids, oldest first; with fewer than n none is left
-- locks   as redrive
-- plan    held_for_redrive
create or replace function {schema}.redrive_failed(kind text, queue text, after bigint, n int) returns setof bigint
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
begin
return query
select k.id from (
  select h.id from held h
  where h.state = 'failed' and h.id > redrive_failed.after
  and (redrive_failed.kind is null or h.kind = redrive_failed.kind)
  and (redrive_failed.queue is null or h.queue = redrive_failed.queue)
  order by h.id limit redrive_failed.n) k
where redrive(k.id);
end;
$$;
