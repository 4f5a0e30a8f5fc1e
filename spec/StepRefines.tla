----------------------------- MODULE StepRefines ------------------------------
(* Step, seen through Queue. Projected to one entry, the life of a worker process is the   *)
(* life of one job with one entry: it is claimed and ended by the commits of steps, and    *)
(* what is refused changes nothing but what the process believes. Whatever a finish says,  *)
(* it is a completion here; who ends the entry from outside is a person that cancels.      *)
EXTENDS Step

CONSTANT Watched   \* the entry that is looked at

VARIABLES
  exists,          \* BOOLEAN  it is in the log
  cancelled        \* BOOLEAN  it was ended from outside

Enqueue ==
  /\ ~exists /\ exists' = TRUE
  /\ UNCHANGED <<vars, cancelled>>

Live ==
  /\ exists /\ UNCHANGED exists
  /\ Next
  /\ cancelled' = (cancelled \/ (Watched \in over' \ over /\ UNCHANGED steps))

RefinesSpec ==
  /\ Init /\ exists = FALSE /\ cancelled = FALSE
  /\ [][Enqueue \/ Live]_<<vars, exists, cancelled>>

(* A worker is taken to believe that it runs the entry while it has it in hand, and before *)
(* it is told: a claim whose answer is on its way, or was lost. It ceases to with the      *)
(* commit of its finish.                                                                   *)
OnItsWay == \E k \in Conns : Watched \in steps[k].took
Believes(w) ==
  /\ owner[Watched] = w
  /\ \/ Watched \notin over
     \/ cancelled /\ Alive /\ w = me /\ (Watched \in InHand \cup opened \/ OnItsWay)

(* Queue's workers are strings. *)
Name    == <<"w1", "w2">>
Worker  == IF owner[Watched] = 0 THEN None ELSE Name[owner[Watched]]
Outcome == IF Watched \notin over THEN None ELSE IF cancelled THEN "cancelled" ELSE "completed"
Counted == IF owner[Watched] = 0 THEN 0 ELSE 1

Job == INSTANCE Queue WITH
  Jobs <- {Watched}, Workers <- {Name[w] : w \in Ids},
  MaxAttempts <- 1, MaxDeaths <- 1, MaxEntries <- 1, MaxLost <- Cardinality(Ids),
  Places <- {"main"},
  enqueued   <- IF exists THEN {Watched} ELSE {},
  entries    <- IF exists
                THEN <<[job |-> Watched, lane |-> "main", worker |-> Worker, outcome |-> Outcome]>>
                ELSE <<>>,
  attempt    <- [j \in {Watched} |-> Counted],
  lease      <- [j \in {Watched} |-> Counted],
  claimCount <- [e \in {1} |-> Counted],
  endCount   <- [e \in {1} |-> endCount[Watched]],
  believes   <- [n \in {Name[w] : w \in Ids} |->
                  IF \E w \in Ids : Name[w] = n /\ Believes(w) THEN {1} ELSE {}],
  held       <- [j \in {Watched} |-> IF Outcome = "cancelled" THEN "cancelled" ELSE None],
  deferred   <- {},
  lost       <- {Name[w] : w \in lost},
  deaths     <- [j \in {Watched} |-> 0]

IsOneJob == Job!Spec
=============================================================================
