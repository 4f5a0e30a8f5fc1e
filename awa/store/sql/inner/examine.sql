-- Examine: what became of the holes of one page.
-- spec    Log.tla!LookAtPage, Log.tla!LookAgain
-- in      p hole, present text[] (who holds a lane's lock, read in a statement before this one), room int, kinds text[]
-- out     mine, strange, n as seen; pages: what goes on, as pages to be written; reads
-- locks   the queue's is held
-- plan    as seen
create or replace function {schema}.examine(
  p {schema}.hole, present text[], room int, kinds text[],
  out mine int8multirange, out strange int8multirange, out n int, out pages {schema}.hole[], out reads jsonb)
language plpgsql as $$
declare
  r record := seen(p.seqs, p.reads_from, room, kinds);
  left_over text[] := array(select f from unnest(p.fillers) f where f = any(present));
begin
mine := r.mine;
strange := r.strange;
n := r.n;
if r.reads is not null then
  reads := jsonb_build_array((r.reads -> 0) || jsonb_build_object('page', p.page, 'present', present));
end if;
pages := '{}';
-- After a restart of the server a prepared transaction has another name, so when somebody is gone whose name is of one
-- that runs, every prepared one counts; when none is gone nobody does, or a stream of them would keep a hole for ever.
if exists (select from unnest(p.fillers) f where f <> all(present) and f not like '-1/%' and f <> 'unread') then
  left_over := left_over || array(select f from unnest(present) f where f like '-1/%' and f <> all(left_over));
end if;
p.page := null;
p.segment := null;
-- Beyond where the room ended nothing was looked at: a page of its own, with a filler that nobody is, so that the next
-- claim looks. Left among what was not found, it would wait for strangers.
if not isempty(r.beyond) then
  pages := pages || (null, p.born_at, null, r.beyond, p.reads_from, left_over || 'unread'::text)::hole;
end if;
p.seqs := p.seqs - r.beyond - r.mine - r.strange - r.over;
if left_over <> '{}' and not isempty(p.seqs) then
  p.fillers := left_over;
  pages := pages || p;
end if;
end;
$$;
