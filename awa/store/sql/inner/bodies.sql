-- Bodies: the jobs of a claim's entries in one segment, as a step answers them.
-- spec    none: reads only
-- in      claim bigint, seqs int8multirange, segment smallint
-- out     a row an entry
-- locks   none
-- plan    entry_N_for_claim, a probe a range
create or replace function {schema}.bodies(claim bigint, seqs int8multirange, segment smallint)
returns setof {schema}.step_row
language sql stable as $$
-- SQL, so that the planner puts it in the caller's place. One segment at a time: a list of them costs twice as much.
select null::text, bodies.claim, e.seq, e.id, l.priority, e.kind, e.args, e.created_at, e.options, e.past
from unnest(bodies.seqs) r
join lane l on l.lane = lower(r) >> 40
join entry e on e.segment = bodies.segment and e.seq >= lower(r) and e.seq < upper(r);
$$;
