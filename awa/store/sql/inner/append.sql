-- Append: one more entry for a job, in a lane of its queue and priority.
-- spec    none: a part of Promote, Release, Redrive, Divert and Sort
-- in      b body, returning_jobs boolean, for_kind text (null: the lane of every kind)
-- out     the entry's seq
-- locks   as writable_segment; the lane's sequence until commit
-- plan    queue_name_key, lane_for_enqueue
-- The number is drawn before the segment is chosen: whoever sees the lane's sequence lock gone knows that the row is
-- either visible or will never be.
create or replace function {schema}.append(b {schema}.body, returning_jobs boolean, for_kind text) returns bigint
language plpgsql as $$
declare
  q int := open_queue(b.queue);
  l lane := open_lane(q, b.priority, append.returning_jobs, append.for_kind);
  s bigint := nextval(l.sequence);
  here smallint := writable_segment();
begin
insert into entry (segment, seq, id, created_at, kind, args, options, past)
values (here, s, b.id, b.created_at, b.kind, b.args, b.options, b.past);
return s;
end;
$$;
