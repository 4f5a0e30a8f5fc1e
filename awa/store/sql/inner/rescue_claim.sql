-- Rescue claim: what of one claim is open ends from outside, all of it or, where somebody is in the way, nothing.
-- spec    Queue.tla!Rescue   guard: the entries are open; their worker is lost, or their deadline has passed
-- in      claim bigint, seqs int8multirange, worker int (which ran them), reason text, died boolean (the worker died)
-- out     how many entries ended
-- locks   parts, waited for as long as `lock_timeout` says
-- plan    as end_open and rescue_entry
create or replace function {schema}.rescue_claim(
  claim bigint, seqs int8multirange, worker int, reason text, died boolean) returns int
language plpgsql as $$
declare
  s bigint;
  ended int := 0;
begin
for s in select * from end_open(claim, seqs, 'leader') loop
  perform rescue_entry(s, worker, reason, died);
  ended := ended + 1;
end loop;
return ended;
exception
  when lock_not_available then
    -- A transaction that finishes something of this claim stays open: it is met at the next sweep, and stops no other.
    return 0;
  when data_exception or integrity_constraint_violation then
    -- One bad row stops no sweep.
    raise warning 'claim % cannot be rescued: %', claim, sqlerrm;
    return 0;
end;
$$;
