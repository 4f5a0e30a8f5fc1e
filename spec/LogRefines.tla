----------------------------- MODULE LogRefines -----------------------------
(* Log, seen through Queue. Projected to one seq, the life of a lane is the life of *)
(* one job with one entry: it is enqueued when its transaction commits, and claimed *)
(* when a claim commits that took it, or cancelled before. Whatever else goes on (locks, pages, other    *)
(* seqs) leaves it as it is. So what Queue says of entries holds for a lane's.      *)
EXTENDS Log

CONSTANT Watched  \* the seq that is looked at

IsOver  == Watched \in over
Exists  == Watched \in Committed
Claims  == taken[Watched]
Claimer == IF Claims = <<>> THEN None ELSE Claims[Len(Claims)]

Job == INSTANCE Queue WITH
  Jobs <- {Watched}, Workers <- Claimers,
  MaxAttempts <- 1, MaxDeaths <- 1, MaxEntries <- 1, MaxLost <- 0, Places <- {"main"},
  enqueued   <- IF Exists THEN {Watched} ELSE {},
  entries    <- IF Exists
                THEN <<[job |-> Watched, lane |-> "main", worker |-> Claimer,
                       outcome |-> IF IsOver THEN "cancelled" ELSE None]>>
                ELSE <<>>,
  attempt    <- [j \in {Watched} |-> Len(Claims)],
  lease      <- [j \in {Watched} |-> Len(Claims)],
  claimCount <- [e \in {1} |-> Len(Claims)],
  believes   <- [c \in Claimers |-> IF Claimer = c THEN {1} ELSE {}],
  deferred   <- {}, lost <- {},
  held       <- [j \in {Watched} |-> IF IsOver THEN "cancelled" ELSE None],
  deaths     <- [j \in {Watched} |-> 0],
  endCount   <- [e \in {1} |-> IF IsOver THEN 1 ELSE 0]

IsOneJob == Job!Spec
=============================================================================
