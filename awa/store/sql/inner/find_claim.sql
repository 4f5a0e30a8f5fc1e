-- Find claim: where a claim lies, what it holds and for whom.
-- spec    none: reads only
-- in      claim bigint
-- out     segment, worker, seqs; a segment of null if it is not stored: truncated, or never made
-- locks   none
-- plan    claim_N_for_claim: the open segment first, where nearly all of them are
create or replace function {schema}.find_claim(
  claim bigint, out segment smallint, out worker int, out seqs int8multirange)
language plpgsql as $$
declare
  s smallint := (open_segment() % 1000)::smallint;
begin
select c.segment, c.worker, c.seqs into segment, worker, seqs from claim c
where c.segment = s and c.claim = find_claim.claim;
if not found then
  select c.segment, c.worker, c.seqs into segment, worker, seqs from claim c where c.claim = find_claim.claim;
end if;
end;
$$;
