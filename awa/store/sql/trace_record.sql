-- Trace record: the statement that has every session of this database that begins from now on traced, or not any more.
-- spec    none: a switch
-- in      $1 text (on or off)
-- out     the statement, for its owner to run
-- locks   none
-- plan    none
select format('alter database %I set {schema}.trace to %L', current_database(), $1::text);
