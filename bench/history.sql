-- History: ten segments of finished claims of one entry each, as a day of a busy queue leaves them.
-- {claims} claims in all. Their entries have been truncated before them, as prune does with what is older; the queue's
-- newest claim follows them, so its cursor and its numbers stay as they are.
set search_path to awa, pg_temp;
insert into worker (name, queues, kinds, started_at, seen_at, stopped_at, floor, mark)
values ('of history', '{}', '{}', now(), now(), now(), 0, 0);
do $$
declare
  w int := (select max(worker) from worker);
  q int := (select queue from queue where name = 'bench');
  c claim := newest(q);
  base bigint := 1::bigint << 55;
  n int := {claims} / 10;
begin
for i in (select max(segment) + 1 from segment)..10 loop
  perform open_partition(i::smallint);
end loop;
for i in 1..10 loop
  update segment set number = -i, opened_at = now() - interval '1 day', sealed_at = now() - interval '1 day',
    closed_at = now() - interval '1 day', quiet_at = now()
  where segment = i and number is null;
  insert into claim (claim, ordinal, claimed_at, worker, segment, next_segment, seqs, moved, lanes, hi, reads_from, pages, sleepers)
  select ((q::bigint + 1000) << 40) + (i - 1) * n + k, nextval('claim_ordinal'), now(), w, i, i,
    int8multirange(int8range(base + (i - 1) * n + k, base + (i - 1) * n + k, '[]')), '{}', c.lanes, c.hi, c.reads_from, '{}', '{}'
  from generate_series(1, n) k;
  insert into part (claim, part, segment, ended_at, completed, closes, seqs, ended, ran_us)
  select k.claim, 1, i, now() - interval '2 hours', 1, true, k.seqs, k.seqs, '{1}' from claim k where k.segment = i;
end loop;
end;
$$;
analyze;
