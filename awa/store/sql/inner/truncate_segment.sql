-- Truncate segment: carry what lives, then empty the tables, in one transaction.
-- spec    Segments.tla!Prune   guard: judged again under the lock
-- in      segment smallint, wait_ms int
-- out     true if it is empty now; false if its lock, or a queue's, could not be had
-- locks   as prune
-- plan    as prune
create or replace function {schema}.truncate_segment(segment smallint, wait_ms int) returns boolean
language plpgsql as $$
declare
  here smallint := writable_segment();
begin
perform set_config('lock_timeout', truncate_segment.wait_ms || 'ms', true);
execute format('lock table entry_%1$s, claim_%1$s, hole_%1$s, part_%1$s, ending_%1$s, deferred_%1$s in access exclusive mode', segment);
if backlog_in(segment) or not carry(segment, here) then
  -- The block's changes and locks go with it.
  raise lock_not_available;
end if;
execute format('truncate entry_%1$s, claim_%1$s, hole_%1$s, part_%1$s, ending_%1$s, deferred_%1$s', segment);
update segment s set number = null, opened_at = null, sealed_at = null, closed_at = null, quiet_at = null
where s.segment = truncate_segment.segment;
return true;
exception when lock_not_available then
  return false;
end;
$$;
