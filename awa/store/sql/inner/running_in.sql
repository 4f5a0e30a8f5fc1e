-- Running in: the entries of a segment that are being run, and the claims of a segment that are open.
-- spec    Carry.tla!Stragglers
-- in      segment smallint
-- out     entries: their seqs; claims: their names
-- locks   none
-- plan    as open_claims: bounded by what the fleet runs, not by history
create or replace function {schema}.running_in(segment smallint, out entries bigint[], out claims bigint[])
language plpgsql as $$
begin
select
  coalesce(array_agg(distinct e.seq) filter (where e.seq is not null), '{}'),
  coalesce(array_agg(distinct c.claim) filter (where c.claim is not null), '{}')
into entries, claims
from worker w
cross join lateral open_claims(w.worker) o
cross join lateral unnest(o.seqs) r
left join entry e on e.segment = running_in.segment and e.seq >= lower(r) and e.seq < upper(r)
left join claim c on c.segment = running_in.segment and c.claim = o.claim
where w.stopped_at is null;
end;
$$;
