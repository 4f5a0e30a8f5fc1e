-- Expire: attempts past their deadline end from outside, where their own worker has not ended them.
-- spec    Queue.tla!Rescue, Rescue.tla!Expire   guard: the entry is open, its deadline has passed, its worker is not lost
-- in      epoch bigint, grace_s float8 (how long the worker has to do it itself), n int (entries a worker, at most)
-- out     worker, expired: a row a worker that is to be told
-- locks   shared: the leadership; the worker, tried: a rescue that has it counts a death of each entry; parts
-- plan    worker_for_rescue; as open_claims and rescue_claim
create or replace function {schema}.expire(epoch bigint, grace_s float8, n int) returns table (worker int, expired int)
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
declare
  w int;
  o record;
begin
perform as_leader(expire.epoch);
perform set_config('lock_timeout', '100ms', true);
for w in select k.worker from worker k where k.stopped_at is null and k.lost_at is null order by k.worker loop
  expired := 0;
  for o in
    select c.claim, c.seqs from open_claims(w) c
    where c.deadline_at < clock() - expire.grace_s * interval '1 second' order by c.claim
  loop
    exit when expired >= n or not pg_try_advisory_xact_lock_shared('worker'::regclass::oid::int, w);
    -- Under the lock: it is not declared lost before this ends.
    exit when not exists (select from worker k where k.worker = w and k.lost_at is null);
    expired := expired + rescue_claim(o.claim, first_of(o.seqs, n - expired), w, 'hard deadline exceeded', false);
  end loop;
  continue when expired = 0;
  perform pg_notify('{schema}_over', w::text);
  worker := w;
  return next;
end loop;
end;
$$;
