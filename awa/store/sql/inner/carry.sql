-- Carry: what lives in a segment that is about to be truncated goes on in another, under the same names.
-- spec    Carry.tla!Prune   guard: nobody else can read or write the segment
-- in      segment smallint, here smallint (where it goes)
-- out     false if a queue's lock could not be had: then nothing may be truncated
-- locks   ACCESS EXCLUSIVE on the segment is held; queues, tried
-- plan    as running_in
create or replace function {schema}.carry(segment smallint, here smallint) returns boolean
language plpgsql as $$
declare
  live record := running_in(carry.segment);
  q int;
  c claim;
  n claim;
  pages bigint[] := '{}';
begin
for q in select k.queue from queue k order by k.queue loop
  c := newest(q);
  continue when carry.segment not in (c.segment, c.next_segment);
  if not pg_try_advisory_xact_lock('queue'::regclass::oid::int, q) then
    return false;
  end if;
  c := newest(q);
  if c.segment = carry.segment then
    live.claims := live.claims || c.claim;
    insert into hole (page, born_at, segment, seqs, reads_from, fillers)
    select h.page, h.born_at, here, h.seqs, h.reads_from, h.fillers
    from hole h where h.segment = carry.segment and h.page = any(c.pages);
    pages := pages || c.pages;
  elsif c.next_segment = carry.segment then
    -- Its successor would lie here; nobody can have written it, so it is written where it can stay.
    n := next_claim(c, null, false, 0);
    n.segment := here;
    perform carry_cursor(c, n);
  end if;
end loop;
-- A claim goes where its queue's newest one lies, or to where that goes too: the newest must be the first to be found.
insert into claim (claim, ordinal, claimed_at, deadline_at, worker, segment, next_segment, seqs, moved, lanes, hi,
  reads_from, pages, sleepers)
select k.claim, k.ordinal, k.claimed_at, k.deadline_at, k.worker, home(k.claim, carry.segment, here), here, k.seqs, k.moved,
  k.lanes, k.hi, k.reads_from, k.pages, k.sleepers
from claim k where k.segment = carry.segment and k.claim = any(live.claims);
insert into part (claim, part, segment, ended_at, completed, closes, seqs, ended, ran_us)
select distinct on (p.claim) p.claim, p.part, home(p.claim, carry.segment, here), p.ended_at, p.completed, p.closes, p.seqs, p.ended, p.ran_us
from part p where p.segment = carry.segment and p.claim = any(live.claims)
order by p.claim, p.part desc;
insert into entry (segment, seq, id, created_at, kind, args, options, past)
select here, e.seq, e.id, e.created_at, e.kind, e.args, e.options, e.past
from entry e where e.segment = carry.segment and e.seq = any(live.entries);
insert into deferred (segment, seq, id, due_at, created_at, priority, state, queue, kind, args, options, past)
select here, d.seq, d.id, d.due_at, d.created_at, d.priority, d.state, d.queue, d.kind, d.args, d.options, d.past
from deferred d where d.segment = carry.segment
and not exists (select from ending e where e.segment = carry.segment and e.seq = d.seq);
if tracing() then
  perform trace('Carry', 'segments', null, 'leader',
    jsonb_build_object('slot', carry.segment, 'here', here, 'entries', live.entries, 'claims', live.claims),
    jsonb_build_object('pages', pages,
      'parts', array(
        select array[k.claim, max(k.part)] from part k where k.segment = carry.segment and k.claim = any(live.claims)
        group by k.claim),
      'deferred', array(
        select k.seq from deferred k where k.segment = carry.segment
        and not exists (select from ending e where e.segment = carry.segment and e.seq = k.seq))));
end if;
return true;
end;
$$;
