-- Trace: one event of this transaction, written after the lock that decided it is held, so `n` orders the events
-- of one lock. What has no lock in common is ordered by `snap`.
-- spec    none: it is what the spec is compared with
-- in      act text, lock text, snap pg_snapshot (of the unlocked read that decided, or null), actor text,
--         input jsonb, output jsonb, post jsonb
-- out     nothing
-- locks   none
-- plan    none
create or replace function {schema}.trace(
  act text, lock text, snap pg_snapshot, actor text, input jsonb, output jsonb, post jsonb default null)
returns void
language plpgsql as $$
declare
  -- The ordinal in the transaction: a step is Complete 1, Claim 2.
  k int := coalesce(nullif(current_setting('{schema}.trace_k', true), ''), '0')::int + 1;
begin
perform set_config('{schema}.trace_k', k::text, true);
insert into trace_event (n, xid, k, act, lock, snap, actor, input, output, post)
values (nextval('trace_n'), pg_current_xact_id(), k, act, lock, snap,
  case when actor = 'leader' then 'leader:' || nullif(current_setting('{schema}.trace_epoch', true), '') else actor end,
  input, output, post);
end;
$$;
