-- Home: where a claim goes that is carried out of a segment.
-- spec    Carry.tla!Home
-- in      claim bigint, segment smallint (which it leaves), here smallint (where the cursor would go)
-- out     the segment of its queue's newest claim, unless that leaves as well
-- locks   none
-- plan    as newest
create or replace function {schema}.home(claim bigint, segment smallint, here smallint) returns smallint
language plpgsql stable as $$
declare
  c claim := newest((home.claim >> 40)::int);
begin
return case when c.segment = home.segment then here else c.segment end;
end;
$$;
