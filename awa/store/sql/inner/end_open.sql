-- End open: entries of a claim end from outside: by a rescue, a deadline or a person.
-- spec    Finish.tla!EndOpen   guard: as append_part
-- in      claim bigint, seqs int8multirange, actor text (leader or operator)
-- out     a seq a row that ended here
-- locks   as append_part
-- plan    as append_part
create or replace function {schema}.end_open(claim bigint, seqs int8multirange, actor text) returns setof bigint
language plpgsql as $$
declare
  done record := append_part(null, end_open.claim, end_open.seqs, end_open.seqs, null);
begin
if tracing() and not isempty(done.ended) then
  perform trace('EndOpen', 'claim:' || end_open.claim, null, end_open.actor,
    jsonb_build_object('claim', end_open.claim, 'seqs', end_open.seqs),
    jsonb_build_object('part', done.part, 'seqs', done.ended));
end if;
return query select generate_series(lower(r), upper(r) - 1) from unnest(done.ended) r;
end;
$$;
