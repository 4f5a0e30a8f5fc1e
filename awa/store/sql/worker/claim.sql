-- Claim: the most urgent entries of one queue, for one worker, as one row of the claim log.
-- spec    Queue.tla!Claim   guard: the entry is open and in nobody's claim; the worker is not lost (step sees to it)
-- in      worker int, queue int, room int, kinds text[], ageing_ms bigint, deadline_s float8 (0: none),
--         asleep boolean (the worker wants to be woken for this queue), settles boolean (close what nobody can fill at
--         the lane's end: the caller has looked in vain for some time), waits boolean (for the queue's lock)
-- out     n: the claim as it was written, or null; oldest: the oldest segment number that holds an entry of it;
--         notes: more (there was no room for all), young (numbers are drawn that nobody sees yet: look again soon),
--         busy (another claim is at work), behind (a lane's sequence is behind its cursor), paused; these three did
--         nothing, and announced nobody's sleep
-- locks   the queue, until commit; shared: segments written to
-- plan    as newest, turns, look and choose
create or replace function {schema}.claim(
  worker int, queue int, room int, kinds text[], ageing_ms bigint, deadline_s float8, asleep boolean, settles boolean,
  waits boolean, out n {schema}.claim, out oldest bigint, out notes text[])
language plpgsql as $$
declare
  c claim;
  t record;
  late record;
  chosen record;
  pages hole[] := '{}';
  more boolean := false;
  reads jsonb := '[]';
  asked constant int := claim.room;
begin
notes := '{}';
if claim.waits then
  perform pg_advisory_xact_lock('queue'::regclass::oid::int, claim.queue);
elsif not pg_try_advisory_xact_lock('queue'::regclass::oid::int, claim.queue) then
  notes := '{busy}';
  return;
end if;
-- Under the lock and in a statement of its own, so in a snapshot of its own: nothing newer can exist.
c := newest(claim.queue);
t := turns(c, claim.kinds);
if t.behind then
  notes := '{behind}';
  return;
end if;
-- Most calls for an idle queue end here.
if t.paused or t.turns = '{}' and c.pages = '{}' and (claim.asleep = (claim.worker = any(c.sleepers))) is not false then
  perform set_bell(t.bell, c.sleepers <> '{}');
  if t.paused then
    notes := '{paused}';
  end if;
  return;
end if;
n := next_claim(c, claim.worker, claim.asleep, claim.deadline_s);
-- What was passed over comes first: it has waited longest.
if c.pages <> '{}' then
  late := look(c, claim.room, claim.kinds);
  claim.room := late.room;
  n.seqs := late.taken;
  n.moved := late.moved;
  n.pages := late.kept;
  pages := late.pages;
  oldest := late.oldest;
  reads := reads || coalesce(late.reads, '[]');
end if;
if t.turns <> '{}' then
  chosen := choose(t.turns, claim.room, claim.ageing_ms, claim.kinds);
  more := chosen.more;
  n.seqs := n.seqs + chosen.taken;
  n.moved := n.moved + chosen.moved;
  oldest := least(oldest, chosen.oldest);
  reads := reads || coalesce(chosen.reads, '[]');
  t.turns := case when claim.settles and not more then settle(chosen.turns) else chosen.turns end;
  for i in 1..cardinality(t.turns) loop
    n := passed(n, t.turns[i]);
    if not more and t.turns[i].upto > t.turns[i].hi then
      notes := '{young}';
    end if;
  end loop;
  late := look_again(t.turns, claim.room - chosen.read, claim.kinds);
  if late.pages is not null then
    n.seqs := n.seqs + late.taken;
    n.moved := n.moved + late.moved;
    pages := pages || late.pages;
    reads := reads || coalesce(late.reads, '[]');
  end if;
end if;
if more then
  notes := notes || 'more'::text;
end if;
perform set_bell(t.bell, n.sleepers <> '{}');
-- Nothing to say: the newest claim goes on to be the cursor.
if isempty(n.seqs) and isempty(n.moved) and (n.lanes, n.hi, n.reads_from) = (c.lanes, c.hi, c.reads_from)
  and n.sleepers = c.sleepers and pages = '{}' and n.pages <@ c.pages and c.pages <@ n.pages
then
  n := null;
  if c.pages <> '{}' and young(c) then
    notes := notes || 'young'::text;
  end if;
  return;
end if;
if n.pages <> '{}' or pages <> '{}' then
  n.pages := n.pages || write_pages(c, n, pages);
  if young(n) then
    notes := notes || 'young'::text;
  end if;
end if;
n.ordinal := nextval('claim_ordinal');
insert into claim select n.*;
if tracing() then
  perform trace('Claim', 'queue:' || claim.queue, pg_current_snapshot(), coalesce('worker:' || claim.worker, 'leader'),
    jsonb_build_object('queue', claim.queue, 'room', asked, 'kinds', claim.kinds),
    jsonb_build_object('claim', n.claim, 'seqs', n.seqs, 'moved', n.moved),
    jsonb_build_object('lanes', n.lanes, 'hi', n.hi, 'pages', n.pages, 'written', pages, 'reads', reads));
end if;
if not isempty(n.moved) then
  perform divert(n, oldest);
end if;
end;
$$;
