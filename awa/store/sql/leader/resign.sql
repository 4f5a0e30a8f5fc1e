-- Resign: a leader that stops gives up its lease, so that another is elected at once.
-- spec    Leader.tla!Resign   guard: the epoch is the present one
-- in      epoch bigint
-- out     nothing
-- locks   shared: the leadership; the leader's row
-- plan    leader_pkey
create or replace function {schema}.resign(epoch bigint) returns void
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
begin
perform as_leader(resign.epoch);
update leader set seen_at = '-infinity', worker = null;
end;
$$;
