-- Release: an attempt that a graceful stop interrupts goes straight back, at no cost of an attempt.
-- spec    Queue.tla!Release   guard: the entry ended here
-- in      b body (its past counts this attempt), seq bigint, worker int
-- out     nothing
-- locks   as mark_ending and append
-- plan    none
create or replace function {schema}.release(b {schema}.body, seq bigint, worker int) returns void
language plpgsql as $$
declare
  at bigint;
begin
perform mark_ending(seq, 'released', worker);
b.past := b.past || jsonb_build_object('attempt', (b.past ->> 'attempt')::int - 1);
at := append(b, true, null);
if tracing() then
  perform trace('Release', 'entry:' || seq, null, 'worker:' || worker,
    jsonb_build_object('seq', seq, 'holder', virtual_transaction()), jsonb_build_object('seq', at), b.past);
end if;
end;
$$;
