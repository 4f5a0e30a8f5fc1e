-- Redrive: a held job is made available again; its attempts and deaths begin anew, its run lease and its errors go on.
-- spec    Queue.tla!Redrive   guard: the job is held
-- in      job bigint
-- out     true if it was held; false if not
-- locks   held's row; as append
-- plan    held_pkey
create or replace function {schema}.redrive(job bigint) returns boolean
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
declare
  h held;
  s bigint;
begin
delete from held k where k.id = redrive.job returning * into h;
if not found then
  return false;
end if;
h.past := coalesce(h.past, '{}') || '{"attempt": 0, "deaths": 0}';
s := append((h.id, h.queue, h.priority, h.created_at, h.kind, h.args,
  -- It is due now, and is judged by that.
  coalesce(h.options, '{}') || jsonb_build_object('run_at', clock()), h.past)::body, false, null);
if tracing() then
  perform trace('Redrive', 'held:' || h.id, null, 'operator',
    jsonb_build_object('id', h.id, 'holder', virtual_transaction()), jsonb_build_object('seq', s), h.past);
end if;
perform pg_notify('{schema}', h.queue);
return true;
end;
$$;
