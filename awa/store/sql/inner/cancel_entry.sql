-- Cancel entry: an entry ends as cancelled, claimed or not.
-- spec    Queue.tla!Cancel, Log.tla!Cancel   guard: the entry is open
-- in      seq bigint
-- out     cancelled; over (it had completed); or moved (a claim has moved it, or it ended otherwise, and its job is elsewhere)
-- locks   the queue while the entry is in nobody's claim; else the part
-- plan    claim_N_for_get; as newest and end_open
create or replace function {schema}.cancel_entry(seq bigint) returns text
language plpgsql as $$
declare
  b body := find_entry(cancel_entry.seq);
  q int := (select l.queue from lane l where l.lane = cancel_entry.seq >> 40);
  c record;
begin
if is_unclaimed(q, cancel_entry.seq) then
  perform pg_advisory_xact_lock('queue'::regclass::oid::int, q);
  if is_unclaimed(q, cancel_entry.seq) then
    if not mark_ending(cancel_entry.seq, 'cancelled', null) then
      return 'moved';
    end if;
    perform hold(b, 'cancelled');
    if tracing() then
      perform trace('Cancel', 'queue:' || q, null, 'operator', jsonb_build_object('seq', cancel_entry.seq),
        jsonb_build_object('id', b.id), b.past);
    end if;
    return 'cancelled';
  end if;
end if;
select k.claim, k.worker into c from claim k where k.seqs @> cancel_entry.seq;
if not found then
  return 'moved';
end if;
if not exists (
  select from end_open(c.claim, int8multirange(int8range(cancel_entry.seq, cancel_entry.seq, '[]')), 'operator'))
then
  -- Somebody ended it first. Completed, it is over; otherwise its job goes on elsewhere.
  return case when exists (select from ending x where x.seq = cancel_entry.seq) then 'moved' else 'over' end;
end if;
b.past := coalesce(b.past, '{}') || jsonb_build_object(
  'attempt', coalesce((b.past ->> 'attempt')::int, 0) + 1, 'lease', coalesce((b.past ->> 'lease')::int, 0) + 1);
perform cancel(b, cancel_entry.seq, null, null);
-- Its worker learns it at once; if this is lost, with its next heartbeat.
perform pg_notify('{schema}_over', c.worker::text);
return 'cancelled';
end;
$$;
