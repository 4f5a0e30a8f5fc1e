-- Cancel deferred: a deferred job ends as cancelled, unless it was promoted meanwhile.
-- spec    Queue.tla!Cancel   guard: the deferred job has not ended
-- in      seq bigint
-- out     cancelled, or moved
-- locks   as mark_ending and hold
-- plan    deferred_N_for_cancel
create or replace function {schema}.cancel_deferred(seq bigint) returns text
language plpgsql as $$
declare
  b body;
begin
if not mark_ending(cancel_deferred.seq, 'cancelled', null) then
  return 'moved';
end if;
select d.id, d.queue, d.priority, d.created_at, d.kind, d.args, d.options, d.past into b
from deferred d where d.seq = cancel_deferred.seq;
perform hold(b, 'cancelled');
if tracing() then
  perform trace('Cancel', 'entry:' || cancel_deferred.seq, null, 'operator',
    jsonb_build_object('seq', cancel_deferred.seq), jsonb_build_object('id', b.id), b.past);
end if;
return 'cancelled';
end;
$$;
