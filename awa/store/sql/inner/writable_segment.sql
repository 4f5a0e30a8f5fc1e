-- Writable segment: where this transaction may write entries and deferred jobs.
-- spec    Segments.tla!Enqueue   guard: the segment is open while the lock is taken
-- in      nothing
-- out     the open segment, which cannot be closed or pruned before this transaction ends
-- locks   shared: the segment
-- plan    none: sequences only
-- Between reading the number and taking the lock a rotation, a seal and a prune may all have passed (a backend can
-- be stopped for an hour here), so the number is read again under the lock. Sequences ignore snapshots: this holds
-- in a REPEATABLE READ transaction too.
create or replace function {schema}.writable_segment() returns smallint
language plpgsql as $$
declare
  present bigint;
begin
loop
  present := pg_sequence_last_value('open_segment'::regclass);
  perform pg_advisory_xact_lock_shared('segment'::regclass::oid::int, (present % 1000)::int);
  exit when open_segment() = present;
end loop;
return (present % 1000)::smallint;
end;
$$;
