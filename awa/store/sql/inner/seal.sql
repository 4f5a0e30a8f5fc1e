-- Seal: segments that are not open any more are noted as sealed.
-- spec    Segments.tla!Seal   guard: none, for the open segment only moves on
-- in      number bigint (of the open segment)
-- out     nothing
-- locks   shared: the leadership is held
-- plan    segment_pkey
create or replace function {schema}.seal(number bigint) returns void
language plpgsql as $$
declare
  g record;
begin
for g in
  update segment s set sealed_at = clock() where s.sealed_at is null and s.number < seal.number
  returning s.number, s.segment
loop
  if tracing() then
    perform trace('Seal', 'segments', null, 'leader', '{}', jsonb_build_object('number', g.number, 'slot', g.segment));
  end if;
end loop;
end;
$$;
