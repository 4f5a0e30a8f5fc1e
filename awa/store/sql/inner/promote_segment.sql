-- Promote segment: these deferred jobs of one segment become entries.
-- spec    Queue.tla!Promote   guard: the deferred job has not ended
-- in      segment smallint, due bigint[]
-- out     the queues among them that somebody sleeps for
-- locks   the leadership is held; as append
-- plan    deferred_N_for_cancel, queue_name_key, lane_for_enqueue
create or replace function {schema}.promote_segment(segment smallint, due bigint[]) returns text[]
language plpgsql as $$
declare
  here smallint;
  done record;
begin
perform open_lane(open_queue(k.queue), k.priority, k.returning_jobs, null)
from (
  select distinct d.queue, d.priority, d.past is not null as returning_jobs
  from unnest(due) s join deferred d on d.segment = promote_segment.segment and d.seq = s) k
order by k.queue, k.priority, k.returning_jobs;
here := writable_segment();
with ended as (
  -- Who else would end it (a cancel) meets us in this key; one of us ends it.
  insert into ending (segment, seq, at, outcome)
  select promote_segment.segment, s, clock(), 'promoted' from unnest(due) s order by s
  on conflict do nothing
  returning seq),
moved as materialized (
  select d.*, l.lane, l.sequence from ended e
  join deferred d on d.segment = promote_segment.segment and d.seq = e.seq
  join queue q on q.name = d.queue
  join lane l on l.queue = q.queue and l.priority = d.priority and l.returning_jobs = (d.past is not null)
    and l.kind is null
  order by d.due_at, d.seq),
written as (
  insert into entry (segment, seq, id, created_at, kind, args, options, past)
  select here, nextval(m.sequence), m.id, m.created_at, m.kind, m.args, m.options, m.past from moved m
  returning seq, id)
select array_agg(distinct m.queue) as queues, array_agg(m.seq order by m.id) as seqs, array_agg(w.seq order by m.id) as entries
into done from moved m join written w on w.id = m.id;
if tracing() then
  perform trace('Promote', 'deferred', null, 'leader', jsonb_build_object('due', due, 'holder', virtual_transaction()),
    jsonb_build_object('seqs', done.seqs, 'entries', done.entries));
end if;
return array(select q.name from unnest(done.queues) u join queue q on q.name = u where is_asleep(q.queue));
end;
$$;
