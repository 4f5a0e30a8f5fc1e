-- Open segment: where writers write now, in partitions that this backend knows from here on.
-- spec    none: storage only
-- in      nothing
-- out     number * 1000 + segment
-- locks   shared, and given back at once: the sequence
-- plan    none: sequences only
-- A backend learns of new partitions when it takes a lock that it does not hold yet, and a transaction keeps those it
-- has: without one more it would write into a partition that it cannot find, or read nothing where a job lies. Whoever
-- reads or writes a segment asks here first, in a statement of its own: a running one keeps the partitions it began with.
create or replace function {schema}.open_segment() returns bigint
language plpgsql as $$
declare
  present bigint := pg_sequence_last_value('open_segment'::regclass);
  learned int;
begin
-- Of all that locks and unlocks a relation the cheapest. What it answers is of no interest.
learned := pg_relation_is_updatable('open_segment'::regclass, false);
return present;
end;
$$;
