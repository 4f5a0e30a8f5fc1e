-- Drain: jobs of a queue that do not run are cancelled, up to n of them.
-- spec    Queue.tla!Cancel   guard: the job is deferred or available
-- in      queue text, after bigint (0 to begin, then what the last call gave back), n int
-- out     cancelled: how many; reached: where to go on; done: nothing is left beyond it
-- locks   as cancel
-- plan    entry_N_for_claim beyond each lane's cursor, hole_N_for_claim; the deferred ones are looked through
create or replace function {schema}.drain(
  queue text, after bigint, n int, out cancelled bigint, out reached bigint, out done boolean)
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
declare
  s bigint;
  seen int := 0;
begin
perform refuse_snapshots();
cancelled := 0;
reached := after;
for s in
  select k.seq from (
    (select d.seq from deferred d where d.queue = drain.queue and d.seq > drain.after
    and not exists (select from ending x where x.segment = d.segment and x.seq = d.seq)
    order by d.seq limit drain.n)
    union all
    select e.seq from queue q cross join lateral newest(q.queue) c join lane l on l.queue = q.queue
    cross join lateral (
      select y.seq from entry y
      where y.seq > greatest(drain.after, coalesce(c.hi[array_position(c.lanes, l.lane)], lane_base(l.lane)))
      and y.seq < lane_base(l.lane + 1) and (q.name = drain.queue or y.options ->> 'queue' = drain.queue)
      and not exists (select from ending x where x.segment = y.segment and x.seq = y.seq)
      order by y.seq limit drain.n) e
    where q.name = drain.queue or q.queue = 0
    union all
    select e.seq from queue q cross join lateral newest(q.queue) c
    join hole p on p.segment = c.segment and p.page = any(c.pages) cross join lateral unnest(p.seqs) r
    join entry e on e.seq >= lower(r) and e.seq < upper(r)
    where (q.name = drain.queue or q.queue = 0 and e.options ->> 'queue' = drain.queue) and e.seq > drain.after
    and not exists (select from ending x where x.segment = e.segment and x.seq = e.seq)) k
  order by k.seq limit drain.n
loop
  seen := seen + 1;
  reached := s;
  if s >> 40 = 0 then
    cancelled := cancelled + (cancel_deferred(s) = 'cancelled')::int;
  elsif is_unclaimed((select l.queue from lane l where l.lane = s >> 40), s) then
    cancelled := cancelled + (cancel_entry(s) = 'cancelled')::int;
  end if;
end loop;
done := seen < n;
end;
$$;
