-- Wake: tell the workers that sleep for these queues to look.
-- spec    Wake.tla!Wake (with the trace lab)
-- in      queues text[]
-- out     nothing
-- locks   the cluster's notification queue, at commit: so this is called after the commit that it tells of, and only
--         when somebody sleeps
-- plan    none
create or replace function {schema}.wake(queues text[]) returns void
language sql volatile security definer
set search_path to {schema}, pg_temp
as $$
select pg_notify('{schema}', q) from unnest(queues) q;
$$;
