------------------------------ MODULE ReachBlind ------------------------------
(* Reach with a backend that knows what it knew when its claim began: of the      *)
(* partitions, or of which slots are in use. Both grow while a claim is stopped.  *)
EXTENDS Reach

VARIABLE known  \* SUBSET Slots   those in use when the claim began

KnownThen    == known
SlotsThen(n) == {s \in known : Number(s) >= n}

BlindSpec ==
  /\ Init /\ known = {}
  /\ [][Next /\ known' = IF work.at = "idle" THEN Used ELSE known]_<<vars, known>>
=============================================================================
