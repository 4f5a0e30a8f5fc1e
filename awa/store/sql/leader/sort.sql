-- Sort: what waits in the intake goes to the queue it was enqueued for, which exists from now on.
-- spec    Queue.tla!Divert
-- in      epoch bigint, n int, settles boolean (as claim)
-- out     notes, as claim; more says that it is worth calling again
-- locks   shared: the leadership; the intake, until commit; as open_queue, open_lane and append
-- plan    as claim
create or replace function {schema}.sort(epoch bigint, n int, settles boolean) returns setof text
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
begin
perform as_leader(sort.epoch);
-- A claim that knows no kind takes nothing and moves all.
return query select unnest(c.notes) from claim(null, 0, sort.n, '{}', 0, 0, false, sort.settles, true) c;
end;
$$;
