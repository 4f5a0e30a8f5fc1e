-------------------------- MODULE SegmentsRefines --------------------------
(* Segments, seen through Queue: the life of one entry is the life of a job *)
(* with one entry, wherever it lies, is carried to, or is gone to once it   *)
(* has ended.                                                               *)
EXTENDS Segments, Sequences

CONSTANT Watched  \* the writer whose entry is looked at

Entry   == row[Watched]
Exists  == Entry.is \in {"ready", "running", "ended"}
Claimed == IF Entry.is \in {"running", "ended"} THEN 1 ELSE 0
Done    == IF Entry.is = "ended" THEN 1 ELSE 0

Job == INSTANCE Queue WITH
  Jobs <- {Watched}, Workers <- Readers,
  MaxAttempts <- 1, MaxDeaths <- 1, MaxEntries <- 1, MaxLost <- 0, Places <- {"main"},
  enqueued   <- IF Exists THEN {Watched} ELSE {},
  entries    <- IF Exists
                THEN <<[job |-> Watched, lane |-> "main", worker |-> Entry.by,
                        outcome |-> IF Done = 1 THEN "completed" ELSE None]>>
                ELSE <<>>,
  attempt    <- [j \in {Watched} |-> Claimed],
  lease      <- [j \in {Watched} |-> Claimed],
  claimCount <- [e \in {1} |-> Claimed],
  endCount   <- [e \in {1} |-> Done],
  believes   <- [r \in Readers |-> IF Entry.is = "running" /\ Entry.by = r THEN {1} ELSE {}],
  deferred   <- {}, lost <- {},
  held       <- [j \in {Watched} |-> None],
  deaths     <- [j \in {Watched} |-> 0]

IsOneJob == Job!Spec
=============================================================================
