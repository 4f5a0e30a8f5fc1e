-- Carry cursor: a claim that takes nothing, for what the newest claim says besides.
-- spec    Segments.tla!Carry (with the trace lab)
-- in      c claim (the newest), n claim (the next)
-- out     nothing
-- locks   the queue's is held
-- plan    hole_N_for_claim
create or replace function {schema}.carry_cursor(c {schema}.claim, n {schema}.claim) returns void
language plpgsql as $$
begin
n.ordinal := nextval('claim_ordinal');
perform write_pages(c, n, '{}');
insert into claim select n.*;
end;
$$;
