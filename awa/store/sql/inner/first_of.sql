-- First of: the n smallest numbers of a set.
-- spec    none: arithmetic
-- in      seqs int8multirange, n bigint
-- out     the set of them; all of it if it has no more
-- locks   none
-- plan    none
create or replace function {schema}.first_of(seqs int8multirange, n bigint) returns int8multirange
language plpgsql immutable as $$
begin
return (select coalesce(range_agg(int8range(lower(r), least(upper(r), lower(r) + n - before))), '{}')
from (
  select r, coalesce(sum(upper(r) - lower(r)) over (order by r rows between unbounded preceding and 1 preceding), 0)::bigint as before
  from unnest(seqs) r) t
where before < n);
end;
$$;
