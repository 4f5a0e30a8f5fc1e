------------------------- MODULE FinishRefinesBroken --------------------------
(* A broken Finish, seen through Queue: see FinishBroken for the rules it breaks. *)
EXTENDS FinishBroken, FinishRefines
=============================================================================
