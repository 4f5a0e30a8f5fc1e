-- Public: nobody may call a verb, or read a table, who was not granted it; the schema's owner may.
-- spec    none: authority
-- in      nothing
-- out     nothing
-- locks   none
-- plan    none
revoke all on all functions in schema {schema} from public;
