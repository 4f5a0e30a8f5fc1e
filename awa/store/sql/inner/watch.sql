-- Watch: which heartbeats are stale, judged at one instant.
-- spec    Watch.tla!Watch
-- in      epoch bigint, stale_s float8
-- out     the instant before which a heartbeat is stale; null if there was no time to speak since the server started, a
--         leader was elected, or there was a gap between two readings: after an outage every heartbeat is old
-- locks   as as_leader; the leader's row
-- plan    leader_pkey
create or replace function {schema}.watch(epoch bigint, stale_s float8) returns timestamptz
language plpgsql as $$
declare
  stale interval := watch.stale_s * interval '1 second';
  at timestamptz;
  since timestamptz;
begin
perform as_leader(watch.epoch);
-- One instant for the gap and for the ages: what passes while a sweep is at work is nobody's fault.
at := clock();
update leader l set
  watched_at = at,
  watching_since = case when l.watched_at between at - stale / 2 and at then l.watching_since else at end
returning l.watching_since into since;
return case when greatest(since, pg_postmaster_start_time()) <= at - stale then at - stale end;
end;
$$;
