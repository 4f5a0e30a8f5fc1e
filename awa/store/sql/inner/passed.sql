-- Passed: a claim's cursor, moved on to where one lane was read.
-- spec    Log.tla!CommitClaim
-- in      n claim, t turn
-- out     the claim with the lane's `hi` and `reads_from` in place
-- locks   none
-- plan    none
create or replace function {schema}.passed(n {schema}.claim, t {schema}.turn) returns {schema}.claim
language plpgsql as $$
declare
  -- A lane that no claim has read yet goes to the end.
  i int := coalesce(array_position(n.lanes, t.lane), cardinality(n.lanes) + 1);
begin
n.lanes[i] := t.lane;
n.hi[i] := t.hi;
n.reads_from[i] := t.reads_from;
return n;
end;
$$;
