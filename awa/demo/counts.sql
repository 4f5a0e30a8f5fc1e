-- Counts: what the trace says of a run of the demo.
-- spec    none: reads only
-- in      nothing
-- out     events; rescued; stale (finishes that were refused); unfinished (jobs in no final state)
-- locks   none
-- plan    none
select
  (select count(*) from awa.trace_event) as events,
  (select count(*) from awa.trace_event where act = 'Rescue') as rescued,
  (select coalesce(sum(upper(r) - lower(r)), 0)::bigint
    from awa.trace_event t, jsonb_array_elements(t.output -> 'parts') p, unnest((p ->> 'stale')::int8multirange) r
    where t.act = 'Complete') as stale,
  (select count(*) from awa.jobs where state not in ('completed', 'failed', 'cancelled')) as unfinished;
