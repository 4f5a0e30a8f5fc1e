-- Rotate: writers go on in a fresh segment, once the open one is old or large enough.
-- spec    Segments.tla!Open, Segments.tla!Switch, Segments.tla!Seal, Segments.tla!Close   guard: a segment is switched to
--         only after its opening committed
-- in      epoch bigint, age_s float8, bytes bigint
-- out     what was done: opened, switched, closed, or null; unless it is null it is worth calling again
-- locks   shared: the leadership; rotations, tried; a sealed segment, exclusively, tried: nobody who may still write into it is left
-- plan    segment_pkey
-- In three calls, so in three transactions: the switch is a sequence's, which no rollback takes back, so what it points
-- to must be committed before; and a segment is closed when the last writer that chose it in time is gone.
create or replace function {schema}.rotate(epoch bigint, age_s float8, bytes bigint) returns text
language plpgsql security definer
set search_path to {schema}, pg_temp
as $$
declare
  present bigint;
  g segment;
begin
perform as_leader(rotate.epoch);
-- Another one of this leader, whose answer was lost, may be anywhere in here: who goes by what he read before it, switches
-- back to a segment that is closed.
if not pg_try_advisory_xact_lock('segment'::regclass::oid::int, -1) then
  return null;
end if;
present := open_segment();
select * into g from segment s where s.sealed_at is not null and s.closed_at is null
and pg_try_advisory_xact_lock('segment'::regclass::oid::int, s.segment) order by s.number limit 1;
if found then
  update segment s set closed_at = clock() where s.segment = g.segment;
  if tracing() then
    perform trace('Close', 'segments', null, 'leader', '{}', jsonb_build_object('number', g.number, 'slot', g.segment));
  end if;
  return 'closed';
end if;
select * into g from segment s where s.number > present / 1000 order by s.number limit 1;
if found then
  perform setval('open_segment', g.number * 1000 + g.segment);
  if tracing() then
    perform trace('Switch', 'segments', null, 'leader', '{}', jsonb_build_object('number', g.number, 'slot', g.segment));
  end if;
  perform seal(g.number);
  return 'switched';
end if;
-- A switch whose transaction was rolled back after it had taken effect.
perform seal(present / 1000);
select * into g from segment s where s.number = present / 1000;
if g.opened_at > clock() - rotate.age_s * interval '1 second' and segment_bytes(g.segment) < rotate.bytes then
  return null;
end if;
-- The sequence says number * 1000 + segment: there are no more names than that.
if not exists (select from segment s where s.number is null) then
  if (select max(s.segment) from segment s) >= 998 then
    return null;
  end if;
  perform open_partition((select max(s.segment) + 1 from segment s)::smallint);
end if;
update segment s set number = g.number + 1, opened_at = clock()
where s.segment = (select min(f.segment) from segment f where f.number is null)
returning * into g;
if tracing() then
  perform trace('Open', 'segments', null, 'leader', '{}', jsonb_build_object('number', g.number, 'slot', g.segment));
end if;
return 'opened';
end;
$$;
