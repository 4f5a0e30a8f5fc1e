-- Segment bytes: what the logs of one segment occupy on disk.
-- spec    none: reads only
-- in      segment smallint
-- out     bytes, indexes included
-- locks   none
-- plan    none
create or replace function {schema}.segment_bytes(segment smallint) returns bigint
language sql volatile as $$
select sum(pg_total_relation_size(format('{schema}.%s_%s', log, segment_bytes.segment)::regclass))::bigint
from unnest(array['entry', 'claim', 'hole', 'part', 'ending', 'deferred']) log;
$$;
