-- Open claims: what a worker holds.
-- spec    Floor.tla!Found
-- in      worker int
-- out     a row a claim that is not over: its name, when it was made, its deadline and the seqs that are open
-- locks   none
-- plan    claim_N_for_claim for those its row names, claim_N_for_holds for those above its floor; never the history
create or replace function {schema}.open_claims(worker int)
returns table (claim bigint, claimed_at timestamptz, deadline_at timestamptz, seqs int8multirange)
language plpgsql as $$
#variable_conflict use_column
declare
  w worker;
begin
-- Into a variable, so that the claims below are found by what it says, whatever the planner believes of the tables.
select * into w from worker k where k.worker = open_claims.worker;
-- Whoever finds nothing lets the worker go, so no claim in fresh partitions may be missed.
perform open_segment();
return query
with mine as (
  select c.segment, c.claim, c.claimed_at, c.deadline_at, c.seqs from claim c
  where c.claim = any(w.held)
  union
  select c.segment, c.claim, c.claimed_at, c.deadline_at, c.seqs from claim c
  where c.worker = w.worker and c.ordinal > w.floor)
select m.claim, m.claimed_at, m.deadline_at, m.seqs - coalesce(p.ended, '{}')
from mine m
left join lateral (
  select q.closes, q.ended from part q where q.segment = m.segment and q.claim = m.claim
  order by q.part desc limit 1) p on true
where not isempty(m.seqs) and p.closes is not true;
end;
$$;
