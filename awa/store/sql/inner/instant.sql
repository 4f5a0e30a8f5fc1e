-- Instant: a time as text, in UTC.
-- spec    none: form only
-- in      at timestamptz
-- out     RFC 3339 with nine fractional digits
-- locks   none
-- plan    none
create or replace function {schema}.instant(at timestamptz) returns text
language sql immutable as $$
select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '000+00:00';
$$;
