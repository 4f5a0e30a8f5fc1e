-- Hold: a job stops and waits for a person.
-- spec    none: a part of Fail, Cancel and Rescue
-- in      b body, state text (failed or cancelled)
-- out     nothing
-- locks   held's key
-- plan    none
create or replace function {schema}.hold(b {schema}.body, state text) returns void
language plpgsql as $$
begin
insert into held (id, finalized_at, created_at, priority, state, queue, kind, args, options, past)
values (b.id, clock(), b.created_at, b.priority, hold.state, b.queue, b.kind, b.args, b.options, b.past);
end;
$$;
