-- Find entry: an entry by its name, and where its job is queued.
-- spec    none: reads only
-- in      seq bigint
-- out     the job's body; null if no such entry is stored
-- locks   none
-- plan    entry_N_for_claim, a probe a segment
create or replace function {schema}.find_entry(seq bigint) returns {schema}.body
language plpgsql as $$
declare
  b body;
begin
-- In the intake, an entry's options say where it belongs.
select e.id, coalesce(q.name, e.options ->> 'queue'), coalesce((e.options ->> 'priority')::smallint, l.priority),
  e.created_at, e.kind, e.args, nullif(e.options - 'queue' - 'priority', '{}'), e.past
into b
from lane l join queue q on q.queue = l.queue join entry e on e.seq = find_entry.seq
where l.lane = find_entry.seq >> 40;
return b;
end;
$$;
