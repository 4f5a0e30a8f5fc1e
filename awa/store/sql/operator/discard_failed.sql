-- Discard failed: the failed jobs of a kind are deleted.
-- spec    none: retention by hand
-- in      kind text
-- out     how many
-- locks   the rows
-- plan    held_for_redrive
create or replace function {schema}.discard_failed(kind text) returns bigint
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
declare
  gone bigint;
begin
delete from held h where h.kind = discard_failed.kind and h.state = 'failed';
get diagnostics gone = row_count;
return gone;
end;
$$;
