-- Next entries: what is visible of a lane beyond its cursor, in order.
-- spec    Log.tla!ReadEntries
-- in      slots smallint[] (where it may lie), hi bigint, upto bigint, room int
-- out     seq, kind, ready_at; over: it was cancelled before anybody claimed it
-- locks   none
-- plan    entry_N_for_claim: of one segment as a rule, of all where a rotation or a backlog spans several
create or replace function {schema}.next_entries(slots smallint[], hi bigint, upto bigint, room int)
returns table (seq bigint, kind text, ready_at timestamptz, over boolean)
language plpgsql as $$
#variable_conflict use_column
declare
  s smallint := slots[1];
begin
if cardinality(slots) = 1 and not exists (
  select from ending x where x.segment = s and x.seq > next_entries.hi and x.seq <= next_entries.upto)
then
  return query
  select e.seq, e.kind, ready_at(e.created_at, e.options), false from entry e
  where e.segment = s and e.seq > next_entries.hi and e.seq <= next_entries.upto
  order by e.seq limit next_entries.room;
else
  return query
  select e.seq, e.kind, ready_at(e.created_at, e.options),
    exists (select from ending x where x.segment = e.segment and x.seq = e.seq)
  from entry e
  where e.segment = any(next_entries.slots) and e.seq > next_entries.hi and e.seq <= next_entries.upto
  order by e.seq limit next_entries.room;
end if;
end;
$$;
