-- Trace events: what was traced, in the order of its numbers, a portion at a time.
-- spec    none: reads only
-- in      $1 bigint (the last number had), $2 int (rows at most)
-- out     the rows
-- locks   none
-- plan    trace_event_pkey
select e.n, e.xid::text::bigint as xid, e.k, e.act, e.lock, e.snap::text, e.actor, e.input::text, e.output::text, e.post::text,
  {schema}.instant(e.t) as t
from {schema}.trace_event e where e.n > $1 order by e.n limit $2;
