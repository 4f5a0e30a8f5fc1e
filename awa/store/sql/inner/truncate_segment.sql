-- Truncate segment: carry what lives, then empty the tables, in one transaction.
-- spec    Segments.tla!LockTables, Segments.tla!Prune   guard: judged again under the lock
-- in      g segment (as it was judged), wait_ms int (for all its locks together, at most)
-- out     true if it is empty now; false if its locks, or a queue's, could not be had, or it is not what was judged
-- locks   as prune
-- plan    as prune
create or replace function {schema}.truncate_segment(g {schema}.segment, wait_ms int) returns boolean
language plpgsql as $$
declare
  here smallint := writable_segment();
  until timestamptz := clock() + wait_ms * interval '1 millisecond';
  log text;
begin
foreach log in array array['entry', 'claim', 'hole', 'part', 'ending', 'deferred'] loop
  -- What is left of the wait, whatever the clock does; 0 would be for ever.
  perform set_config('lock_timeout',
    greatest(1, least(wait_ms, ceil(extract(epoch from until - clock()) * 1000)))::int || 'ms', true);
  execute format('lock table %s_%s in access exclusive mode', log, g.segment);
end loop;
-- Another prune may have emptied it since it was judged, and its tables are those of a younger segment.
if not exists (select from segment s where s.segment = g.segment and s.number = g.number and s.closed_at is not null)
  or backlog_in(g.segment) or not carry(g.segment, here)
then
  -- The block's changes and locks go with it.
  raise lock_not_available;
end if;
execute format('truncate entry_%1$s, claim_%1$s, hole_%1$s, part_%1$s, ending_%1$s, deferred_%1$s', g.segment);
update segment s set number = null, opened_at = null, sealed_at = null, closed_at = null, quiet_at = null
where s.segment = g.segment;
return true;
exception when lock_not_available then
  return false;
end;
$$;
