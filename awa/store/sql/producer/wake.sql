-- Wake: tell the workers that sleep for these queues to look.
-- spec    Wake.tla!Wake
-- in      queues text[]
-- out     nothing
-- locks   the cluster's notification queue, at commit: so this is called after the commit that it tells of, and only
--         when somebody sleeps
-- plan    none
create or replace function {schema}.wake(queues text[]) returns void
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
begin
-- Nothing is lost with a wake-up, so its commit need not be flushed; that would be the better part of its time.
perform set_config('synchronous_commit', 'off', true), pg_notify('{schema}', q) from unnest(queues) q;
end;
$$;
