---------------------------- MODULE FinishRefines -----------------------------
(* Finish, seen through Queue. Projected to one entry of the claim, its parts are the life *)
(* of one job with one entry: it is claimed with the claim, and ended by the commit of the *)
(* part that it is in. What else the parts say leaves it as it is. What did not complete   *)
(* is failed here, for all the verdicts there are; the leader rescues, a person cancels.   *)
EXTENDS Finish

CONSTANT Watched  \* the entry that is looked at, one of Claimed

VARIABLE exists   \* BOOLEAN  it is in the log, where claims find it

Enqueue ==
  /\ ~exists /\ exists' = TRUE
  /\ UNCHANGED vars

RefinesSpec ==
  /\ Init /\ exists = FALSE
  /\ [][Enqueue \/ (exists /\ Next /\ UNCHANGED exists)]_<<vars, exists>>

Ends1   == {i \in DOMAIN parts : Watched \in parts[i].seqs}
Last1   == parts[CHOOSE i \in Ends1 : \A j \in Ends1 : j <= i]
Outcome == IF Ends1 = {} THEN None
           ELSE IF Last1.by = "leader" THEN "rescued"
           ELSE IF Last1.by = "operator" THEN "cancelled"
           ELSE IF Watched \in Last1.failed THEN "failed" ELSE "completed"

Counted == IF holder = None THEN 0 ELSE 1

Job == INSTANCE Queue WITH
  Jobs <- {Watched},
  MaxAttempts <- 1, MaxDeaths <- 1, MaxEntries <- 1, MaxLost <- 0, Places <- {"main"},
  enqueued   <- IF exists THEN {Watched} ELSE {},
  entries    <- IF exists
                THEN <<[job |-> Watched, lane |-> "main", worker |-> holder, outcome |-> Outcome]>>
                ELSE <<>>,
  attempt    <- [j \in {Watched} |-> Counted],
  lease      <- [j \in {Watched} |-> Counted],
  claimCount <- [e \in {1} |-> Counted],
  endCount   <- [e \in {1} |-> Cardinality(Ends1)],
  believes   <- [w \in Workers |-> IF w = holder /\ Outcome \notin {"completed", "failed"}
                                   THEN {1} ELSE {}],
  held       <- [j \in {Watched} |-> IF Outcome = "rescued" THEN "failed"
                                     ELSE IF Outcome = "completed" THEN None ELSE Outcome],
  deferred   <- {}, lost <- {},
  deaths     <- [j \in {Watched} |-> 0]

IsOneJob == Job!Spec
=============================================================================
