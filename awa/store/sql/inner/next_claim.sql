-- Next claim: the row that will follow the newest claim, with its cursor unmoved and nothing taken.
-- spec    Log.tla!CommitClaim, Reach.tla!NextClaim
-- in      c claim (the newest), worker int, asleep boolean, deadline_s float8
-- out     the row
-- locks   the queue's is held; shared: the segment that the claim after this one goes to
-- plan    none
-- The newest claim says in which segment its successor lies, so two that follow the same claim meet in one unique key
-- whatever they believe the open segment to be.
create or replace function {schema}.next_claim(c {schema}.claim, worker int, asleep boolean, deadline_s float8)
returns {schema}.claim
language plpgsql as $$
declare
  n claim := c;
begin
n.claim := c.claim + 1;
n.worker := next_claim.worker;
n.claimed_at := clock();
n.deadline_at := n.claimed_at + nullif(next_claim.deadline_s, 0) * interval '1 second';
n.segment := c.next_segment;
n.next_segment := writable_segment();
n.seqs := '{}';
n.moved := '{}';
if next_claim.asleep <> (next_claim.worker = any(c.sleepers)) then
  n.sleepers := case when next_claim.asleep then c.sleepers || next_claim.worker
    else array_remove(c.sleepers, next_claim.worker) end;
end if;
return n;
end;
$$;
