-- Storage status: what the logs hold, for a person.
-- spec    none: reads only
-- in      nothing
-- out     a jsonb object: schema_version, epoch, segments (their rows as Postgres estimates them), lanes, holes, workers,
--         oldest_open_claim_s
-- locks   none
-- plan    as newest and open_claims
create or replace function {schema}.storage_status() returns jsonb
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
begin
return jsonb_build_object(
  'schema_version', (select max(v.version) from schema_version v),
  'epoch', (select l.epoch from leader l),
  'segments', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'segment', s.segment, 'number', s.number,
      'state', case when s.number is null then 'empty' when s.sealed_at is null then 'open'
        when s.closed_at is null then 'sealed' when s.quiet_at is null then 'closed' else 'quiet' end,
      'age_s', extract(epoch from clock() - s.opened_at), 'bytes', segment_bytes(s.segment),
      'rows', (select sum(c.reltuples)::bigint from pg_class c where c.reltuples > 0 and c.oid in (
        select format('%s_%s', log, s.segment)::regclass::oid from unnest(array['entry', 'claim', 'part', 'deferred']) log)))
      order by s.number nulls last, s.segment), '[]') from segment s),
  'lanes', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'lane', l.lane, 'queue', q.name, 'priority', l.priority, 'returning', l.returning_jobs, 'kind', l.kind,
      'last', coalesce(pg_sequence_last_value(l.sequence), lane_base(l.lane)) - lane_base(l.lane),
      'cursor', coalesce(c.hi[array_position(c.lanes, l.lane)], lane_base(l.lane)) - lane_base(l.lane))
      order by l.lane), '[]')
    from lane l join queue q on q.queue = l.queue cross join lateral newest(q.queue) c),
  'holes', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'queue', q.name, 'seqs', h.seqs, 'fillers', h.fillers, 'age_s', extract(epoch from clock() - h.born_at))), '[]')
    from queue q cross join lateral newest(q.queue) c
    join hole h on h.segment = c.segment and h.page = any(c.pages)),
  'workers', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'worker', w.worker, 'name', w.name, 'queues', w.queues, 'seen_s', extract(epoch from clock() - w.seen_at),
      'lost', w.lost_at is not null) order by w.worker), '[]')
    from worker w where w.stopped_at is null),
  'oldest_open_claim_s', (
    select extract(epoch from clock() - min(o.claimed_at))
    from worker w cross join lateral open_claims(w.worker) o where w.stopped_at is null));
end;
$$;
