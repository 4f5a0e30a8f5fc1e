-- Cancel: a job that is not over ends now, because a person or a program says so.
-- spec    Queue.tla!Cancel   guard: the job is deferred, available or running
-- in      job bigint
-- out     true if it was cancelled here; false if it is over, or unknown
-- locks   the queue, to exclude a claim of the same entry; or the part that ends the attempt
-- plan    deferred_N_for_get, entry_N_for_get, claim_N_for_get
-- On a connection of its own: a transaction that stays open with the queue's lock would stop its claims.
create or replace function {schema}.cancel(job bigint) returns boolean
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
declare
  seq bigint;
  said text;
begin
perform refuse_snapshots();
-- Its place may change between the look and the act (a promotion, a claim); then the act is refused and we look again.
for attempt in 1..20 loop
  select d.seq into seq from deferred d
  where d.id = cancel.job and not exists (select from ending x where x.segment = d.segment and x.seq = d.seq);
  if found then
    said := cancel_deferred(seq);
  else
    said := 'over';
    -- What a claim moved has no ending of its own, and is over too: its job goes on in another of its entries.
    for seq in
      select e.seq from entry e
      where e.id = cancel.job and not exists (select from ending x where x.segment = e.segment and x.seq = e.seq)
    loop
      said := cancel_entry(seq);
      exit when said <> 'over';
    end loop;
  end if;
  if said <> 'moved' then
    return said = 'cancelled';
  end if;
end loop;
raise exception 'job % moves faster than it can be cancelled', cancel.job using errcode = '40001';
end;
$$;
