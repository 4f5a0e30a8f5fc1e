-- Backlog in: whether a segment holds an entry that nobody has claimed.
-- spec    Reach.tla!Backlog
-- in      segment smallint
-- out     true if it does; what was cancelled before it was claimed does not count
-- locks   none
-- plan    as newest; entry_N_for_claim, a probe a lane and a hole
create or replace function {schema}.backlog_in(segment smallint) returns boolean
language plpgsql as $$
declare
  q int;
  c claim;
begin
for q in select k.queue from queue k loop
  c := newest(q);
  if exists (
    select from lane l left join unnest(c.lanes, c.hi) h (lane, hi) on h.lane = l.lane
    join entry e on e.segment = backlog_in.segment and e.seq > coalesce(h.hi, lane_base(l.lane)) and e.seq < lane_base(l.lane + 1)
    where l.queue = q and not exists (select from ending x where x.segment = backlog_in.segment and x.seq = e.seq))
  or exists (
    select from hole p, unnest(p.seqs) r
    join entry e on e.segment = backlog_in.segment and e.seq >= lower(r) and e.seq < upper(r)
    where p.segment = c.segment and p.page = any(c.pages))
  then
    return true;
  end if;
end loop;
return false;
end;
$$;
