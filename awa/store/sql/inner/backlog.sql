-- Backlog: how much waits in a queue, and since when.
-- spec    none: reads only
-- in      queue int
-- out     available; oldest: since when one waits, of the first hundred of each lane (null: nothing does)
-- locks   none
-- plan    as newest and head
create or replace function {schema}.backlog(queue int, out available bigint, out oldest timestamptz)
language plpgsql stable as $$
declare
  c claim := newest(backlog.queue);
  l record;
  s record;
  n bigint;
  seen bigint;
  over bigint;
  is_partial boolean;
begin
available := 0;
for l in
  select k.lane, coalesce(h.hi, lane_base(k.lane)) as hi, coalesce(h.reads_from, k.opened_in) as reads_from,
    coalesce(pg_sequence_last_value(k.sequence), lane_base(k.lane)) as upto
  from lane k left join unnest(c.lanes, c.hi, c.reads_from) h (lane, hi, reads_from) on h.lane = k.lane
  where k.queue = backlog.queue
loop
  continue when l.upto <= l.hi;
  n := 0;
  is_partial := false;
  for s in select g.segment from segment g where g.number >= l.reads_from order by g.number loop
    select count(*), count(*) filter (where k.over), least(oldest, min(k.ready_at) filter (where not k.over))
    into seen, over, oldest from (
      select exists (select from ending x where x.segment = s.segment and x.seq = e.seq) as over, e.ready_at
      from (
        select y.seq, ready_at(y.created_at, y.options) from entry y where y.segment = s.segment and y.seq > l.hi and y.seq <= l.upto
        order by y.seq limit 100) e) k;
    n := n + seen - over;
    is_partial := is_partial or seen = 100;
  end loop;
  available := available + case when is_partial then l.upto - l.hi else n end;
end loop;
if c.pages <> '{}' then
  available := available + (
    select count(*) from hole p cross join lateral unnest(p.seqs) r
    join entry e on e.seq >= lower(r) and e.seq < upper(r)
    where p.segment = c.segment and p.page = any(c.pages)
    and not exists (select from ending x where x.segment = e.segment and x.seq = e.seq));
end if;
end;
$$;
