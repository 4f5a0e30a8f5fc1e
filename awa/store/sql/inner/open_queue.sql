-- Open queue: a queue of this name exists, with a first claim that has taken nothing.
-- spec    none: names only
-- in      name text
-- out     the queue's number
-- locks   the queue's name, until commit
-- plan    queue_name_key
-- Never called inside a producer's transaction: a second creator waits for the first one's commit.
create or replace function {schema}.open_queue(name text) returns int
language plpgsql as $$
declare
  q int;
  s smallint;
begin
select k.queue into q from queue k where k.name = open_queue.name;
if found then
  return q;
end if;
insert into queue (name, created_at) values (open_queue.name, clock()) on conflict do nothing returning queue.queue into q;
if q is null then
  select k.queue into q from queue k where k.name = open_queue.name;
  return q;
end if;
s := writable_segment();
insert into claim (claim, ordinal, claimed_at, segment, next_segment, seqs, moved, lanes, hi, reads_from, pages, sleepers)
values (lane_base(q), nextval('claim_ordinal'), clock(), s, s, '{}', '{}', '{}', '{}', '{}', '{}', '{}');
return q;
end;
$$;
