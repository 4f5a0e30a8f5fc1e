-- What the tables hold from the start: four segments, the intake, one leader's row.
-- A statement locks every partition that its plan could read: a step costs a sixth less with four than with twelve. A
-- rotation that finds none free adds one, which no reader or writer waits for.
select {schema}.open_partition(s::smallint) from generate_series(0, 3) s;
update {schema}.segment set number = 1, opened_at = {schema}.clock() where segment = 0;
select setval('{schema}.open_segment', 1000);

create sequence {schema}.bell_0;
insert into {schema}.queue (queue, bell, created_at) values (0, '{schema}.bell_0', {schema}.clock());
insert into {schema}.claim (claim, ordinal, claimed_at, segment, next_segment, seqs, moved, lanes, hi, reads_from, pages,
  sleepers)
values (0, nextval('{schema}.claim_ordinal'), {schema}.clock(), 0, 0, '{}', '{}', '{}', '{}', '{}', '{}', '{}');
select {schema}.open_lane(0, 2::smallint, false, null);

insert into {schema}.leader default values;
insert into {schema}.tally_mark (folded_to) values ({schema}.clock());
