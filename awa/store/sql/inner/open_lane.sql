-- Open lane: a queue has a lane of this priority (for jobs that come back, or for one kind), with a sequence.
-- spec    none: names only
-- in      queue int, priority smallint, returning_jobs boolean, kind text (null: any kind)
-- out     the lane's row
-- locks   the lanes of the queue, until commit
-- plan    lane_for_enqueue, lane_for_divert
-- Never called inside a producer's transaction: a second `create sequence` waits for the first one's commit.
create or replace function {schema}.open_lane(queue int, priority smallint, returning_jobs boolean, kind text)
returns {schema}.lane
language plpgsql as $$
declare
  l lane;
  n int;
begin
for attempt in 1..2 loop
  select * into l from lane k
  where k.queue = open_lane.queue and k.priority = open_lane.priority and k.returning_jobs = open_lane.returning_jobs
  and k.kind is not distinct from open_lane.kind;
  if found then
    return l;
  end if;
  perform pg_advisory_xact_lock('lane'::regclass::oid::int, open_lane.queue);
end loop;
n := nextval(pg_get_serial_sequence('lane', 'lane'));
-- Cache 1: a number drawn ahead by a session could fill a gap that nobody is known to be able to fill.
execute format('create sequence {schema}.lane_%s minvalue %s start %s maxvalue %s cache 1',
  n, lane_base(n) + 1, lane_base(n) + 1, lane_base(n + 1) - 1);
insert into lane (lane, queue, priority, returning_jobs, kind, sequence, opened_in)
values (n, open_lane.queue, open_lane.priority, open_lane.returning_jobs, open_lane.kind,
  format('{schema}.lane_%s', n)::regclass, open_segment() / 1000)
returning * into l;
return l;
end;
$$;
