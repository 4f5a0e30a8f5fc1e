-------------------------- MODULE LogRefinesBroken --------------------------
(* A broken Log, seen through Queue: see LogBroken for the rules it breaks. *)
EXTENDS LogBroken, LogRefines
=============================================================================
