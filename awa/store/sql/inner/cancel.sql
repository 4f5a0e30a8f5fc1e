-- Cancel: a job is over because its handler or a person said so; it is held until its retention ends.
-- spec    Queue.tla!Cancel   guard: the entry ended here
-- in      b body, seq bigint, reason text (null: none is noted), worker int (null: a person)
-- out     nothing
-- locks   as mark_ending and hold
-- plan    none
create or replace function {schema}.cancel(b {schema}.body, seq bigint, reason text, worker int) returns void
language plpgsql as $$
begin
perform mark_ending(seq, 'cancelled', worker);
b.past := with_error(coalesce(b.past, '{}'), 'cancelled: ' || reason, false);
perform hold(b, 'cancelled');
if tracing() then
  perform trace('Cancel', 'entry:' || seq, null, coalesce('worker:' || worker, 'operator'),
    jsonb_build_object('seq', seq), jsonb_build_object('id', b.id), b.past);
end if;
end;
$$;
