-- Is unclaimed: whether an entry is beyond its lane's cursor, or in a hole.
-- spec    Log.tla!TakeLock
-- in      queue int, seq bigint
-- out     true if no claim has taken it or moved it
-- locks   none: decisive only under the queue's
-- plan    as newest; hole_N_for_claim
-- With its owner's rights, for the view: who may read `jobs` need not be able to read the logs.
create or replace function {schema}.is_unclaimed(queue int, seq bigint) returns boolean
language plpgsql stable security definer
set search_path to {schema}, pg_temp
as $$
declare
  c claim := newest(is_unclaimed.queue);
begin
return is_unclaimed.seq > coalesce(c.hi[array_position(c.lanes, (is_unclaimed.seq >> 40)::int)], 0)
  or c.pages <> '{}' and exists (
    select from hole p where p.segment = c.segment and p.page = any(c.pages) and p.seqs @> is_unclaimed.seq);
end;
$$;
