-- Register: a worker process gets its id; its queues and their lanes exist from now on.
-- spec    Rescue.tla!Register
-- in      name text (for people), queues text[], kinds text[]
-- out     worker: its id, never used again; queue_ids: the numbers of its queues, in the order given
-- locks   as open_queue and open_lane, until commit
-- plan    queue_name_key
create or replace function {schema}.register(name text, queues text[], kinds text[], out worker int, out queue_ids int[])
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
declare
  q text;
begin
queue_ids := '{}';
-- Sorted, so that two workers that bring the same queues do not wait for each other in a ring.
for q in select distinct u from unnest(queues) u order by u loop
  perform open_lane(open_queue(q), 2::smallint, false, null);
  perform open_lane(open_queue(q), 2::smallint, true, null);
end loop;
queue_ids := array(
  select k.queue from unnest(register.queues) with ordinality u (name, i) join queue k on k.name = u.name order by u.i);
insert into worker (name, queues, kinds, started_at, seen_at, floor, mark)
values (register.name, register.queues, register.kinds, clock(), clock(),
  coalesce(pg_sequence_last_value('claim_ordinal'::regclass), 0), coalesce(pg_sequence_last_value('claim_ordinal'::regclass), 0))
returning worker.worker into register.worker;
if tracing() then
  perform trace('Register', 'worker:' || register.worker, null, 'worker:' || register.worker,
    jsonb_build_object('queues', register.queues, 'kinds', register.kinds), jsonb_build_object('worker', register.worker));
end if;
end;
$$;
