-- Divert: entries that this claim may not take end as moved, and their jobs go on in lanes of their own kind.
-- spec    Queue.tla!Divert   guard: the entry is open and in nobody's claim
-- in      n claim, with `moved`: the entries it passed over because its worker does not know their kind;
--         oldest bigint (the oldest segment number that holds one)
-- out     nothing
-- locks   the queue's is held; as append
-- plan    entry_N_for_claim
-- Once, or a million of them would be looked at by every later claim. The row of the claim is what ends them.
create or replace function {schema}.divert(n {schema}.claim, oldest bigint) returns void
language plpgsql as $$
declare
  slots smallint[] := slots_from(divert.oldest);
  e record;
  s bigint;
begin
-- Sorted, as a registration opens them, so that the two do not wait for each other in a ring.
if n.claim >> 40 = 0 then
  perform open_lane(open_queue(k.queue), k.priority, false, null)
  from (
    select distinct b.options ->> 'queue' as queue, (b.options ->> 'priority')::smallint as priority
    from unnest(slots) slot cross join lateral bodies(n.claim, n.moved, slot) b) k
  order by k.queue, k.priority;
end if;
for e in
  select b.*, q.name, l.returning_jobs from unnest(slots) slot cross join lateral bodies(n.claim, n.moved, slot) b
  join lane l on l.lane = b.seq >> 40 join queue q on q.queue = l.queue
loop
  -- Out of the intake a job goes to the queue that it was enqueued for.
  s := case when e.name is null
    then append((e.id, e.options ->> 'queue', (e.options ->> 'priority')::smallint, e.created_at, e.kind, e.args,
      nullif(e.options - 'queue' - 'priority', '{}'), e.past)::body, false, null)
    else append((e.id, e.name, e.priority, e.created_at, e.kind, e.args, e.options, e.past)::body, e.returning_jobs, e.kind)
    end;
  -- The queue may be asleep: from the intake its jobs come without a producer to wake it.
  if e.name is null and is_asleep((select l.queue from lane l where l.lane = s >> 40)) then
    perform pg_notify('{schema}', e.options ->> 'queue');
  end if;
  if tracing() then
    perform trace('Divert', 'queue:' || (n.claim >> 40), null, coalesce('worker:' || n.worker, 'leader'),
      jsonb_build_object('claim', n.claim, 'seq', e.seq, 'kind', e.kind, 'holder', virtual_transaction()),
      jsonb_build_object('seq', s));
  end if;
end loop;
end;
$$;
