-- Search: which jobs a list shows, newest first.
-- spec    none: reads only
-- in      state text, kind text, queue text (null: any), n int
-- out     ids, greatest first, at most n
-- locks   none
-- plan    entry_N_for_get, deferred_N_for_get and held_pkey backwards, in portions; as open_claims for what runs
-- Without a filter it costs what it shows. A rare kind, queue or state is looked for among all that could be it: what
-- runs in the open claims, what failed or was cancelled among the held, what waits for its time among the deferred.
create or replace function {schema}.search(state text, kind text, queue text, n int) returns setof bigint
language plpgsql security definer
set search_path to {schema}, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_bitmapscan to off
set jit to off
as $$
declare
  before bigint := 9223372036854775807;
  ids bigint[];
  found bigint[];
  left_over int := n;
  -- Each row of the view costs some; a filter that few pass is met by larger portions.
  portion int := least(greatest(n, 10), 500);
begin
while left_over > 0 loop
  if search.state = 'running' then
    ids := array(
      select e.id from worker w cross join lateral open_claims(w.worker) o cross join lateral unnest(o.seqs) r
      cross join lateral (select y.id from entry y where y.seq >= lower(r) and y.seq < upper(r) offset 0) e
      where w.stopped_at is null and e.id < before order by e.id desc limit portion);
  else
    ids := array(
      select k.id from (
        (select e.id from entry e
        where (search.state is null or search.state in ('available', 'completed'))
        and e.id < before and (search.kind is null or e.kind = search.kind) order by e.id desc limit portion)
        union
        (select d.id from deferred d
        where (search.state is null or d.state = search.state)
        and d.id < before and (search.kind is null or d.kind = search.kind) order by d.id desc limit portion)
        union
        (select h.id from held h
        where (search.state is null or h.state = search.state)
        and h.id < before and (search.kind is null or h.kind = search.kind) order by h.id desc limit portion)) k
      order by k.id desc limit portion);
  end if;
  exit when ids = '{}';
  found := array(
    select j.id from jobs j
    where j.id = any(ids) and (search.state is null or j.state = search.state)
    and (search.kind is null or j.kind = search.kind) and (search.queue is null or j.queue = search.queue)
    order by j.id desc limit left_over);
  return query select unnest(found);
  left_over := left_over - cardinality(found);
  before := ids[cardinality(ids)];
  portion := least(portion * 2, 500);
end loop;
end;
$$;
