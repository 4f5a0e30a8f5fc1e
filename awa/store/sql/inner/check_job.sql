-- Check job: what may not be stored is refused before anything is written.
-- spec    none: input only
-- in      kind text, args json, queue text, priority int, max_attempts int, tags text[], run_at timestamptz
-- out     nothing, or an error of class 22 or 23 with the limit in its text
-- locks   none
-- plan    none
create or replace function {schema}.check_job(
  kind text, args json, queue text, priority int, max_attempts int, tags text[], run_at timestamptz)
returns void
language plpgsql as $$
begin
if priority is null or priority not between 1 and 4 then
  raise exception 'priority must be between 1 and 4, got %', priority using errcode = '23514';
elsif max_attempts is null or max_attempts not between 1 and 1000 then
  raise exception 'max_attempts must be between 1 and 1000, got %', max_attempts using errcode = '23514';
elsif cardinality(tags) > 20 then
  raise exception 'job tags must contain at most 20 values, got %', cardinality(tags) using errcode = '23514';
elsif queue is null or length(queue) > 200 then
  raise exception 'queue must be at most 200 characters, got %', length(queue) using errcode = '22001';
elsif kind is null or length(kind) > 200 then
  raise exception 'kind must be at most 200 characters, got %', length(kind) using errcode = '22001';
elsif not isfinite(run_at) then
  raise exception 'run_at must be a finite instant, got %', run_at using errcode = '22008';
elsif args is null then
  raise exception 'args must not be null' using errcode = '23502';
-- json keeps what jsonb cannot hold (an escaped NUL, half a surrogate pair, a number beyond all numbers), and the view
-- and whoever looks at the job would fail on it.
elsif args::jsonb is null then
  raise exception 'args must not be null' using errcode = '23502';
end if;
end;
$$;
