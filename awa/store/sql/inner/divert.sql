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
  e record;
  s bigint;
begin
for e in
  select b.*, q.name, l.returning_jobs from bodies(n.claim, n.moved, divert.oldest) b
  join lane l on l.lane = b.seq >> 40 join queue q on q.queue = l.queue
loop
  -- Out of the intake a job goes to the queue that it was enqueued for.
  s := case when e.name is null
    then append((e.id, e.options ->> 'queue', (e.options ->> 'priority')::smallint, e.created_at, e.kind, e.args,
      nullif(e.options - 'queue' - 'priority', '{}'), e.past)::body, false, null)
    else append((e.id, e.name, e.priority, e.created_at, e.kind, e.args, e.options, e.past)::body, e.returning_jobs, e.kind)
    end;
  -- The queue may be asleep: from the intake its jobs come without a producer to wake it.
  if e.name is null and (newest((select l.queue from lane l where l.lane = s >> 40))).sleepers <> '{}' then
    perform pg_notify('{schema}', e.options ->> 'queue');
  end if;
  if tracing() then
    perform trace('Divert', 'queue:' || (n.claim >> 40), null, 'worker:' || n.worker,
      jsonb_build_object('claim', n.claim, 'seq', e.seq, 'kind', e.kind), jsonb_build_object('seq', s));
  end if;
end loop;
end;
$$;
