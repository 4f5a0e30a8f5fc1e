-- Backoff: how long a job waits after a failed attempt.
-- spec    none: arithmetic and dice
-- in      attempt int, the attempt that failed, from 1
-- out     seconds: min(2^attempt + random * 25 % of it, 24 h)
-- locks   none
-- plan    none
create or replace function {schema}.backoff(attempt int) returns float8
language sql volatile as $$
select least((2 ^ least(attempt, 30)) * (1 + random() * 0.25), 86400);
$$;
