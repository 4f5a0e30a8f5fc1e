-- Options of: what a producer asked for beyond the defaults; null when that is nothing, and then it costs no byte.
-- spec    none: a part of Enqueue
-- in      max_attempts int, tags text[], metadata jsonb, run_at timestamptz
-- out     a jsonb object with the keys that differ from the defaults, or null
-- locks   none
-- plan    none
create or replace function {schema}.options_of(max_attempts int, tags text[], metadata jsonb, run_at timestamptz)
returns jsonb
language plpgsql stable as $$
declare
  o jsonb := '{}';
begin
if max_attempts <> 25 then
  o := o || jsonb_build_object('max_attempts', max_attempts);
end if;
if tags <> '{}' then
  o := o || jsonb_build_object('tags', tags);
end if;
if metadata <> '{}' then
  o := o || jsonb_build_object('metadata', metadata);
end if;
if run_at is not null then
  o := o || jsonb_build_object('run_at', run_at);
end if;
return nullif(o, '{}');
end;
$$;
