-- Watch: since when heartbeats could have been written and were read, without a gap.
-- spec    Watch.tla!Watch
-- in      epoch bigint, stale_s float8
-- out     the instant; a start of the server, an election, or a gap between two readings begins it anew
-- locks   as as_leader; the leader's row
-- plan    leader_pkey
create or replace function {schema}.watch(epoch bigint, stale_s float8) returns timestamptz
language plpgsql as $$
declare
  since timestamptz;
begin
perform as_leader(watch.epoch);
update leader l set
  watched_at = clock(),
  watching_since = case when l.watched_at between clock() - watch.stale_s / 2 * interval '1 second' and clock()
    then l.watching_since else clock() end
returning l.watching_since into since;
return greatest(since, pg_postmaster_start_time());
end;
$$;
