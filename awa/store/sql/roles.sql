-- Roles: four authorities, each with just its verbs. A producer cannot rescue, a reader cannot write.
-- spec    none: authority
-- in      nothing
-- out     nothing
-- locks   none
-- plan    none
-- Roles are shared by all schemas and databases of a cluster; a grant is this schema's.
do $roles$
declare
  role text;
  verb regprocedure;
begin
foreach role in array array['producer', 'worker', 'operator', 'reader'] loop
  if not exists (select from pg_roles where rolname = 'awa_' || role) then
    execute format('create role %I nologin', 'awa_' || role);
  end if;
  execute format('grant usage on schema {schema} to %I', 'awa_' || role);
  execute format('grant select on {schema}.jobs to %I', 'awa_' || role);
  -- So that a program can see whether it and the schema fit each other, and whether anybody works.
  execute format('grant select on {schema}.schema_version to %I', 'awa_' || role);
  execute format('grant select (seen_at, lost_at, stopped_at) on {schema}.worker to %I', 'awa_' || role);
end loop;
for role, verb in
  select g.role, p.oid::regprocedure
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace and n.nspname = '{schema}'
  join (
    select 'producer' as role, unnest(array['enqueue', 'enqueue_many', 'reserve', 'may_copy', 'open', 'wake']) as verb
    union all
    select 'worker', unnest(array['register', 'step', 'finish', 'heartbeat', 'open_entries', 'retire', 'elect', 'resign',
      'promote', 'sort', 'rescue', 'expire', 'rotate', 'prune', 'tally', 'purge', 'wake'])
    union all
    select 'operator', unnest(array['cancel', 'redrive', 'redrive_failed', 'discard_failed', 'pause', 'unpause', 'drain',
      'storage_status', 'wake'])
    union all
    select 'reader', 'storage_status'
    union all
    -- What the view calls, it calls for whoever reads it; and every program may look at its own health.
    select r, f from unnest(array['producer', 'worker', 'operator', 'reader']) r,
      unnest(array['is_unclaimed', 'queue_stats', 'search', 'clock']) f) g on g.verb = p.proname
loop
  execute format('grant execute on function %s to %I', verb, 'awa_' || role);
end loop;
end;
$roles$;
