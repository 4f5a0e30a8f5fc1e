-- Dead tuples: row versions that are dead though the transaction that wrote them committed, counted page by page.
-- spec    none: reads only
-- in      schema text
-- out     relation, dead: a row for each table that has any
-- locks   none
-- plan    none: every page of every table; for the demo and the bench, not for production
-- The bits of a tuple's header: 128 only locked, 2048 nobody deleted it. What rolled back is not counted. The status of
-- a transaction is asked by its 64-bit id, which in a young cluster is the tuple's own.
select c.relname as relation, count(*) as dead
from pg_class c
join pg_namespace n on n.oid = c.relnamespace and n.nspname = $1
cross join lateral generate_series(0, pg_relation_size(c.oid) / current_setting('block_size')::int - 1) page
cross join lateral heap_page_items(get_raw_page(c.oid::regclass::text, page)) item
where c.relkind = 'r'
and (item.lp_flags = 3 or (
  item.t_xmax::text <> '0' and item.t_infomask & (128 + 2048) = 0
  and coalesce(pg_xact_status(item.t_xmin::text::xid8), 'committed') = 'committed'
  and pg_xact_status(item.t_xmax::text::xid8) = 'committed'))
group by c.relname
order by c.relname;
