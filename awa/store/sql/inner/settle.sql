-- Settle: what was drawn at a lane's end and is not visible becomes a hole too, so that an idle lane has no phantom
-- backlog: a rollback with nothing after it, the numbers that a crash skips.
-- spec    Log.tla!Settle   guard: the lane's last number was read before the look that saw nothing beyond
-- in      turns turn[]
-- out     the turns, their cursors at their last numbers
-- locks   the queue's is held
-- plan    none
create or replace function {schema}.settle(turns {schema}.turn[]) returns {schema}.turn[]
language plpgsql as $$
begin
for i in 1..cardinality(turns) loop
  turns[i].fresh := turns[i].fresh + int8multirange(int8range(turns[i].hi, turns[i].upto, '(]'));
  turns[i].hi := turns[i].upto;
end loop;
return turns;
end;
$$;
