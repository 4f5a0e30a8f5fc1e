-------------------------- MODULE StepRefinesBroken ---------------------------
(* A broken Step, seen through Queue: see StepBroken for the rules it breaks. *)
EXTENDS StepBroken, StepRefines
=============================================================================
