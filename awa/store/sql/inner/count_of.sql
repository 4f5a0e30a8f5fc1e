-- Count of: how many numbers a set has.
-- spec    none: arithmetic
-- in      seqs int8multirange
-- out     the count
-- locks   none
-- plan    none
create or replace function {schema}.count_of(seqs int8multirange) returns int
language plpgsql immutable as $$
begin
-- One range, which is the rule, needs no query.
if seqs = int8multirange(range_merge(seqs)) then
  return coalesce(upper(seqs) - lower(seqs), 0);
end if;
return (select sum(upper(r) - lower(r)) from unnest(seqs) r);
end;
$$;
