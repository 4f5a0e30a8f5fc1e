-- Bodies: the jobs of a claim's entries, as a step answers them.
-- spec    none: reads only
-- in      claim bigint, seqs int8multirange, oldest bigint (the oldest segment number that holds one)
-- out     a row an entry
-- locks   none
-- plan    entry_N_for_claim, a probe a range
create or replace function {schema}.bodies(claim bigint, seqs int8multirange, oldest bigint)
returns setof {schema}.step_row
language plpgsql as $$
declare
  s smallint;
begin
foreach s in array slots_from(oldest) loop
  return query
  select null::text, bodies.claim, e.seq, e.id, l.priority, e.kind, e.args, e.created_at, e.options, e.past
  from unnest(bodies.seqs) r
  join lane l on l.lane = lower(r) >> 40
  join entry e on e.segment = s and e.seq >= lower(r) and e.seq < upper(r);
end loop;
end;
$$;
