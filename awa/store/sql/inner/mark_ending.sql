-- Mark ending: how an entry or a deferred job ended, where that was not by completing.
-- spec    none: a part of the verbs that end one
-- in      seq bigint, outcome text, worker int
-- out     true if it ended here; false if it was over
-- locks   the unique key: waits for another ending of the same seq
-- plan    ending_N_for_finish
-- The row goes to the segment of what it ends, so the key fences: nobody can end it a second time elsewhere.
create or replace function {schema}.mark_ending(seq bigint, outcome text, worker int) returns boolean
language plpgsql as $$
declare
  s smallint := case when mark_ending.seq >> 40 = 0
    then (select d.segment from deferred d where d.seq = mark_ending.seq)
    else (select e.segment from entry e where e.seq = mark_ending.seq) end;
begin
insert into ending (segment, seq, at, outcome, by_worker)
values (s, mark_ending.seq, clock(), mark_ending.outcome, mark_ending.worker)
on conflict do nothing;
return found;
end;
$$;
