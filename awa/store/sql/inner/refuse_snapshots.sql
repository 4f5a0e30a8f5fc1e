-- Refuse snapshots: a verb that decides under a lock by what it reads after it must read the present.
-- spec    none: a guard against a caller's setting
-- in      nothing
-- out     nothing, or an error (25001) in any isolation but READ COMMITTED
-- locks   none
-- plan    none
create or replace function {schema}.refuse_snapshots() returns void
language plpgsql as $$
begin
if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
  raise exception 'this verb needs READ COMMITTED, not %', upper(current_setting('transaction_isolation'))
    using errcode = '25001', hint = 'A claim or a finish decides by what was committed a moment ago, not by an old snapshot.';
end if;
end;
$$;
