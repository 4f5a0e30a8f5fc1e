-- Bound of: up to which time entries of one lane go before the head of another.
-- spec    none: arithmetic
-- in      priority int (of the lane that is read), rival bigint (the other head's urgency), rival_at timestamptz (since
--         when that head waits), present timestamptz, ageing_ms bigint
-- out     the latest ready_at that is at least as urgent as the rival: infinity if all are; null without a rival
-- locks   none
-- plan    none
create or replace function {schema}.bound_of(
  priority int, rival bigint, rival_at timestamptz, present timestamptz, ageing_ms bigint)
returns timestamptz
language sql immutable as $$
select case when rival is not null then greatest(
  -- More urgent than the rival, whenever it came.
  case when priority < rival then 'infinity'
    when rival = 1 or ageing_ms = 0 then '-infinity'
    else present - (priority - rival + 1) * ageing_ms * interval '1 millisecond' end,
  -- As urgent as the rival, and not later than it.
  case when priority <= rival then case when priority = rival or ageing_ms > 0 then rival_at else '-infinity' end
    when ageing_ms = 0 then '-infinity'
    else least(rival_at, present - (priority - rival) * ageing_ms * interval '1 millisecond') end) end;
$$;
