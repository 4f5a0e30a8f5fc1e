-- End attempt: what becomes of a job whose attempt has ended without completing it; the entry is already over.
-- spec    none: it chooses between Retry, Snooze, Fail, Cancel and Release
-- in      b body (as the entry had it), v jsonb (a verdict, see finish), worker int
-- out     nothing
-- locks   as the verb it chooses
-- plan    none
create or replace function {schema}.end_attempt(b {schema}.body, v jsonb, worker int) returns void
language plpgsql as $$
declare
  seq bigint := (v ->> 'seq')::bigint;
  attempt int := coalesce((b.past ->> 'attempt')::int, 0) + 1;
begin
b.past := coalesce(b.past, '{}') || jsonb_build_object(
  'attempt', attempt, 'lease', coalesce((b.past ->> 'lease')::int, 0) + 1, 'ended_at', clock());
case v ->> 'verdict'
when 'retry' then
  if attempt >= coalesce((b.options ->> 'max_attempts')::int, 25) then
    perform fail(b, seq, coalesce(v ->> 'error', format('max_attempts exhausted (handler requested retry after %s s)',
      v ->> 'delay_s')), worker, 'Retry');
  else
    perform retry(b, seq, (v ->> 'delay_s')::float8, v ->> 'error', worker);
  end if;
when 'snooze' then
  perform snooze(b, seq, (v ->> 'delay_s')::float8, worker);
when 'fail' then
  perform fail(b, seq, coalesce(v ->> 'error', 'failed'), worker, 'Fail');
when 'cancel' then
  perform cancel(b, seq, v ->> 'reason', worker);
when 'release' then
  perform release(b, seq, worker);
else
  raise exception 'unknown verdict: %', v ->> 'verdict' using errcode = '22023';
end case;
end;
$$;
