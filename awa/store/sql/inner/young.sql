-- Young: whether a hole of this claim is so recent that it will probably be filled at once.
-- spec    none: reads only
-- in      n claim
-- out     true if one of its pages was born within the last second
-- locks   none
-- plan    hole_N_for_claim
create or replace function {schema}.young(n {schema}.claim) returns boolean
language plpgsql as $$
begin
return exists (
  select from hole h where h.segment = n.segment and h.page = any(n.pages) and h.born_at > clock() - interval '1 second');
end;
$$;
