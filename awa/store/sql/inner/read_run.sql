-- Read run: the next entries of a lane, if they are what they nearly always are: one range of known kinds.
-- spec    Log.tla!ReadEntries
-- in      segment smallint (where all of them lie), hi bigint, upto bigint, room int, kinds text[]
-- out     as the query of read_lane: mine, strange, seen, seq, n, snap; n is null if they are anything else
-- locks   the queue's is held, so nobody cancels one of them meanwhile
-- plan    entry_N_for_claim, ending_N_for_finish
-- A range of a thousand is told by its ends; to aggregate it costs more than to read it.
create or replace function {schema}.read_run(
  segment smallint, hi bigint, upto bigint, room int, kinds text[],
  out mine int8multirange, out strange int8multirange, out seen int8multirange, out seq bigint, out n int,
  out snap pg_snapshot)
language plpgsql as $$
declare
  first bigint;
  plain boolean;
begin
select min(b.seq), max(b.seq), count(*), bool_and(b.kind = any(read_run.kinds)),
  case when tracing() then pg_current_snapshot() end
into first, seq, n, plain, snap
from (
  select e.seq, e.kind from entry e
  where e.segment = read_run.segment and e.seq > read_run.hi and e.seq <= read_run.upto
  order by e.seq limit read_run.room) b;
if n > 0 then
  mine := int8multirange(int8range(first, seq, '[]'));
  if not plain or n <> seq - first + 1
    or exists (select from ending x where x.segment = read_run.segment and x.seq >= first and x.seq <= read_run.seq)
  then
    n := null;
  end if;
end if;
seen := mine;
end;
$$;
