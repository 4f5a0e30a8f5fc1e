-- Urgency: a lane's effective priority, by the waiting time of its head.
-- spec    none: arithmetic
-- in      priority int, ready_at timestamptz, present timestamptz, ageing_ms bigint (0: no ageing)
-- out     1 to 4: the priority less one for each interval waited. In bigint, for an entry may have waited for years.
-- locks   none
-- plan    none
create or replace function {schema}.urgency(priority int, ready_at timestamptz, present timestamptz, ageing_ms bigint)
returns bigint
language sql immutable as $$
select case when ageing_ms = 0 then priority
  else greatest(1, priority - greatest(0, (extract(epoch from present - ready_at) * 1000)::bigint / ageing_ms)) end;
$$;
