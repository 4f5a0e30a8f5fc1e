-- Carry cursor: a claim that takes nothing, for what the newest claim says besides.
-- spec    Queue.tla!Claim   guard: none, it takes nothing
-- in      c claim (the newest), n claim (the next)
-- out     the next, as it was written
-- locks   the queue's is held
-- plan    hole_N_for_claim
create or replace function {schema}.carry_cursor(c {schema}.claim, n {schema}.claim) returns {schema}.claim
language plpgsql as $$
begin
n.ordinal := nextval('claim_ordinal');
perform write_pages(c, n, '{}');
insert into claim select n.*;
if tracing() then
  perform trace('Claim', 'queue:' || (n.claim >> 40), null, coalesce('worker:' || n.worker, 'leader'),
    jsonb_build_object('queue', n.claim >> 40, 'room', 0), jsonb_build_object('claim', n.claim, 'seqs', n.seqs, 'moved', n.moved),
    jsonb_build_object('lanes', n.lanes, 'hi', n.hi, 'pages', n.pages));
end if;
return n;
end;
$$;
