-- Open queue: a queue of this name exists, with a first claim that has taken nothing.
-- spec    none: names only
-- in      name text
-- out     the queue's number
-- locks   the names of queues, until commit
-- plan    queue_name_key
-- Never called inside a producer's transaction: a second creator waits for the first one's commit.
create or replace function {schema}.open_queue(name text) returns int
language plpgsql as $$
declare
  q int;
  s smallint;
begin
for attempt in 1..2 loop
  select k.queue into q from queue k where k.name = open_queue.name;
  if found then
    return q;
  end if;
  perform pg_advisory_xact_lock('queue'::regclass::oid::int, -1);
end loop;
q := nextval(pg_get_serial_sequence('queue', 'queue'));
execute format('create sequence {schema}.bell_%s', q);
insert into queue (queue, name, bell, created_at)
values (q, open_queue.name, format('{schema}.bell_%s', q)::regclass, clock());
s := writable_segment();
insert into claim (claim, ordinal, claimed_at, segment, next_segment, seqs, moved, lanes, hi, reads_from, pages, sleepers)
values (lane_base(q), nextval('claim_ordinal'), clock(), s, s, '{}', '{}', '{}', '{}', '{}', '{}', '{}');
return q;
end;
$$;
