-- Append part: these entries of one claim end now, as far as they are open and the worker holds them.
-- spec    Finish.tla!AppendPart   guard: part n + 1 follows part n, by key
-- in      worker int (null: from outside, by a rescue or a person), claim bigint, seqs int8multirange,
--         failed int8multirange (those of seqs that did not complete), ran_us int[] (in the order of seqs, or null)
-- out     ended: what ended here; what else is in seqs was over, or was never this worker's; part: its number
-- locks   none but the unique key: of two that append the same part one waits, then reads again
-- plan    claim_N_for_claim, part_N_for_finish
create or replace function {schema}.append_part(
  worker int, claim bigint, seqs int8multirange, failed int8multirange, ran_us int[],
  out ended int8multirange, out part int)
language plpgsql as $$
declare
  c record := find_claim(claim);
  before int8multirange;
  times int[];
begin
ended := '{}';
part := 0;
if c.segment is null or worker <> c.worker or worker is not null and c.worker is null then
  return;
end if;
loop
  select q.part, q.ended into part, before from part q
  where q.segment = c.segment and q.claim = append_part.claim order by q.part desc limit 1;
  part := coalesce(part, 0) + 1;
  before := coalesce(before, '{}');
  ended := append_part.seqs * c.seqs - before;
  exit when isempty(ended);
  times := ran_us;
  if ended <> append_part.seqs then
    -- Rare: some are over. Their times go with them.
    times := array(
      select u.ran from (
        select n, row_number() over (order by n) as i from unnest(append_part.seqs) r, generate_series(lower(r), upper(r) - 1) n) k
      join unnest(append_part.ran_us) with ordinality u (ran, i) on u.i = k.i
      where ended @> k.n order by k.n);
  end if;
  insert into part (claim, part, segment, ended_at, completed, closes, seqs, ended, ran_us)
  values (append_part.claim, append_part.part, c.segment, clock(), count_of(append_part.ended - append_part.failed),
    before + append_part.ended @> c.seqs, append_part.ended, before + append_part.ended, times)
  on conflict do nothing;
  exit when found;
  -- Somebody else took the number: what it ended is visible now, so that is subtracted too.
end loop;
end;
$$;
