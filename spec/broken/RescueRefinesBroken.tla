------------------------- MODULE RescueRefinesBroken -------------------------
(* A broken Rescue, seen through Queue: see RescueBroken for the rules it breaks. *)
EXTENDS RescueBroken, RescueRefines
=============================================================================
