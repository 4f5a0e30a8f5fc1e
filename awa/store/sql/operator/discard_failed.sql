-- Discard failed: the failed jobs of a kind are deleted.
-- spec    Queue.tla!Discard   guard: the job is held
-- in      kind text
-- out     how many
-- locks   the rows
-- plan    held_for_redrive
create or replace function {schema}.discard_failed(kind text) returns bigint
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
declare
  gone bigint[];
begin
with d as (delete from held h where h.kind = discard_failed.kind and h.state = 'failed' returning h.id)
select coalesce(array_agg(d.id), '{}') into gone from d;
if tracing() and gone <> '{}' then
  perform trace('Discard', 'held', null, 'operator', jsonb_build_object('kind', discard_failed.kind), jsonb_build_object('ids', gone));
end if;
return cardinality(gone);
end;
$$;
