-- Defer: a job waits until it is due.
-- spec    none: a part of Enqueue, Retry, Snooze and Rescue
-- in      b body, state text (scheduled or retryable), due_at timestamptz
-- out     its deferred seq
-- locks   as writable_segment; the sequence of deferred jobs until commit
-- plan    none
create or replace function {schema}.defer(b {schema}.body, state text, due_at timestamptz) returns bigint
language plpgsql as $$
declare
  s bigint := nextval('deferred_seq');
  -- Read after the number is drawn: whoever promotes up to some instant, and sees nobody who has drawn, misses nobody.
  due timestamptz := greatest(defer.due_at, clock());
  here smallint := writable_segment();
begin
insert into deferred (segment, seq, id, due_at, created_at, priority, state, queue, kind, args, options, past)
values (here, s, b.id, due, b.created_at, b.priority, defer.state, b.queue, b.kind, b.args,
  b.options, b.past);
return s;
end;
$$;
