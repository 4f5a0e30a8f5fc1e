-- Set bell: a queue's bell says whether somebody sleeps for it.
-- spec    Wake.tla!SetBell
-- in      bell regclass, asleep boolean
-- out     nothing
-- locks   the queue's is held
-- plan    none
-- It takes effect at once, and stays if the transaction is rolled back: then it may say that somebody sleeps who does
-- not, or that nobody does while one has just been cut off; the next claim of the queue puts either right.
create or replace function {schema}.set_bell(bell regclass, asleep boolean) returns void
language plpgsql as $$
begin
if (pg_sequence_last_value(bell) is not distinct from 2) <> asleep then
  perform setval(bell, case when asleep then 2 else 1 end);
end if;
end;
$$;
