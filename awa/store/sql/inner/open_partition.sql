-- Open partition: the tables of one more segment, and the indexes that each verb reads them by.
-- spec    none: storage only
-- in      segment smallint
-- out     nothing
-- locks   SHARE UPDATE EXCLUSIVE on the logs while attaching: writers and readers go on
-- plan    none
-- The unique keys stand on the partitions, without the partition key: a key that could land in two partitions
-- would fence nothing, so the name alone decides where a row may lie.
create or replace function {schema}.open_partition(segment smallint) returns void
language plpgsql as $$
declare
  log text;
begin
foreach log in array array['entry', 'claim', 'hole', 'part', 'ending', 'deferred'] loop
  execute format('create table {schema}.%1$s_%2$s (like {schema}.%1$s including defaults including constraints)', log, segment);
end loop;
execute format('create unique index entry_%1$s_for_claim on {schema}.entry_%1$s (seq)', segment);
execute format('create index entry_%1$s_for_get on {schema}.entry_%1$s (id)', segment);
execute format('create unique index claim_%1$s_for_claim on {schema}.claim_%1$s (claim)', segment);
execute format('create index claim_%1$s_for_get on {schema}.claim_%1$s using gist (seqs)', segment);
execute format('create index claim_%1$s_for_holds on {schema}.claim_%1$s (worker, ordinal)', segment);
execute format('create unique index hole_%1$s_for_claim on {schema}.hole_%1$s (page)', segment);
execute format('create unique index part_%1$s_for_finish on {schema}.part_%1$s (claim, part)', segment);
execute format('create index part_%1$s_for_tally on {schema}.part_%1$s (ended_at)', segment);
execute format('create unique index ending_%1$s_for_finish on {schema}.ending_%1$s (seq)', segment);
execute format('create unique index deferred_%1$s_for_cancel on {schema}.deferred_%1$s (seq)', segment);
execute format('create index deferred_%1$s_for_get on {schema}.deferred_%1$s (id)', segment);
execute format('create index deferred_%1$s_for_promote on {schema}.deferred_%1$s (due_at)', segment);
foreach log in array array['entry', 'claim', 'hole', 'part', 'ending', 'deferred'] loop
  execute format('alter table {schema}.%1$s attach partition {schema}.%1$s_%2$s for values in (%2$s)', log, segment);
end loop;
insert into segment (segment) values (open_partition.segment);
end;
$$;
