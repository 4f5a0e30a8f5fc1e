-- With error: a job's past, with one more entry in its list of errors.
-- spec    none: form only
-- in      past jsonb (with the attempt's number), error text (null: the past as it is), terminal boolean
-- out     the past
-- locks   none
-- plan    none
create or replace function {schema}.with_error(past jsonb, error text, terminal boolean) returns jsonb
language plpgsql as $$
begin
return case when error is null then past else past || jsonb_build_object('errors',
  coalesce(past -> 'errors', '[]') || (
    jsonb_build_object('error', error, 'attempt', (past ->> 'attempt')::int, 'at', instant(clock()))
    || case when terminal then '{"terminal": true}'::jsonb else '{}'::jsonb end)) end;
end;
$$;
