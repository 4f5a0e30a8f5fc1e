-- Tally: completions are folded to a row a queue and minute, so that the last hour is cheap to tell.
-- spec    none: counts for people
-- in      epoch bigint
-- out     nothing
-- locks   shared: the leadership; the mark's row
-- plan    part_N_for_tally
-- Ten seconds behind, so that a part whose commit follows its clock reading by that much is still counted.
create or replace function {schema}.tally(epoch bigint) returns void
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
declare
  upto timestamptz := date_trunc('second', clock() - interval '10 seconds');
  since timestamptz;
begin
perform as_leader(tally.epoch);
select m.folded_to into since from tally_mark m for update;
if since >= upto then
  return;
end if;
insert into tally (queue, minute, completed)
select (p.claim >> 40)::int, date_trunc('minute', p.ended_at), sum(p.completed)
from part p where p.ended_at >= since and p.ended_at < upto
group by 1, 2 having sum(p.completed) > 0 order by 1, 2
on conflict (queue, minute) do update set completed = tally.completed + excluded.completed;
update tally_mark set folded_to = upto;
delete from tally t where t.minute < upto - interval '2 hours';
end;
$$;
