-- Promote: deferred jobs that are due become entries.
-- spec    Queue.tla!Promote   guard: the deferred job has not ended; it is due
-- in      epoch bigint, since timestamptz (what the last call gave back; null: from the beginning), n int
-- out     promoted: how many; clean_to: up to when nothing is left behind, whoever commits late; queues to wake;
--         intake: something may wait in the intake, or its holes are open
-- locks   shared: the leadership; ACCESS SHARE on the claims; as append
-- plan    deferred_N_for_promote, ending_N_for_finish
create or replace function {schema}.promote(
  epoch bigint, since timestamptz, n int, out promoted int, out clean_to timestamptz, out queues text[], out intake boolean)
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
declare
  present timestamptz := clock();
  -- Before the reads below: who has drawn a number and is not among them has ended, and is seen.
  quiet boolean := pg_sequence_last_value('deferred_seq'::regclass) is null
    or fillers(array['deferred_seq'::regclass]) = '{}';
  from_at timestamptz;
  s smallint;
  due bigint[];
  c claim;
begin
perform as_leader(promote.epoch);
-- Here it waits for a prune that is under way. A snapshot from before the wait would show neither where the newest claim
-- was nor where it is.
lock table claim in access share mode;
c := newest(0);
promoted := 0;
queues := '{}';
update leader l set looks_back = false where l.looks_back;
-- A clock that was put back by less than the time between two calls would hide what it stamped; more shows here.
from_at := case when found or since is null or since > present then '-infinity' else since - (present - since) - interval '1 second' end;
for s in select g.segment from segment g where g.number is not null order by g.number loop
  due := array(
    select d.seq from deferred d
    where d.segment = s and d.due_at > from_at and d.due_at <= present
    and not exists (select from ending e where e.segment = s and e.seq = d.seq)
    and not exists (select from queue q where q.name = d.queue and q.paused_at is not null)
    order by d.due_at limit promote.n - promoted);
  continue when due = '{}';
  queues := queues || promote_segment(s, due);
  promoted := promoted + cardinality(due);
end loop;
intake := c.pages <> '{}' or coalesce(pg_sequence_last_value('lane_1'::regclass) > coalesce(c.hi[1], 0), false);
clean_to := case when quiet and promoted < promote.n then present else since end;
end;
$$;
