---------------------------- MODULE RescueRefines ----------------------------
(* Rescue, seen through Queue. What becomes of a job whose workers are lost, or *)
(* are too slow, is what Queue says of one job's life; locks, suspicions and    *)
(* heartbeats leave it as it is. A claim and a finish show when their step      *)
(* commits, all at once; of one job that is one of them.                        *)
EXTENDS Rescue

Claims(j) == Cardinality({e \in Written : JobOf(e) = j /\ ~Ready(e)})

Job == INSTANCE Queue WITH
  Places <- {"main"}, MaxLost <- Cardinality(Workers),
  entries    <- [e \in Written |-> [job |-> JobOf(e), lane |-> "main",
                                    worker |-> entries[e].worker, outcome |-> entries[e].outcome]],
  lease      <- [j \in Jobs |-> Claims(j)],
  claimCount <- [e \in Seqs |-> IF e \in Written /\ ~Ready(e) THEN 1 ELSE 0],
  endCount   <- [e \in Seqs |-> IF e \in Written /\ ~Open(e) THEN 1 ELSE 0]

IsOneJob == Job!Spec
=============================================================================
