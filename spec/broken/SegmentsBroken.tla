--------------------------- MODULE SegmentsBroken ---------------------------
(* Segments with one rule broken at a time. Each cfg beside this file puts one *)
(* of these in the place of a rule or a step (`LookAgain <- OneLook`);         *)
(* suite.toml says which fact must then be refuted.                            *)
EXTENDS SegmentsRefines

-----------------------------------------------------------------------------
(* Writers. *)

(* One look: the segment is chosen as it was read, before the lock was had. *)
OneLook(w) ==
  /\ write[w].at = "locked"
  /\ write' = [write EXCEPT ![w].at = "chosen", ![w].knows = Exist]
  /\ UNCHANGED <<rotated, row, read, takes, prune>>

(* The second look reads the sequence and nothing else: it teaches the backend no partition. *)
NoLearning(w) ==
  /\ write[w].at = "locked"
  /\ write' = [write EXCEPT ![w].at = IF open = write[w].saw THEN "chosen" ELSE "looked",
                            ![w].saw = open]
  /\ UNCHANGED <<rotated, row, read, takes, prune>>

-----------------------------------------------------------------------------
(* The rotation. *)

(* Open and switch in one transaction: it is rolled back, and the sequence is not. *)
SwitchUncommitted(s) ==
  /\ open.number < MaxNumber
  /\ s \in Vacant
  /\ open' = [number |-> open.number + 1, slot |-> s]
  /\ UNCHANGED <<segment, row, write, read, takes, prune>>

(* A switch that goes by what it read before it was stopped for an hour: to a segment that is *)
(* newer than the open one of then.                                                           *)
SwitchBack(s) ==
  /\ s \in Used
  /\ open' = [number |-> Number(s), slot |-> s]
  /\ UNCHANGED <<segment, row, write, read, takes, prune>>

(* The next number is how many segments are in use, plus one. *)
NumberByCount(s) ==
  /\ ~IsWaiting
  /\ Highest < MaxNumber
  /\ s \in Vacant
  /\ segment' = [segment EXCEPT ![s] = [number |-> Cardinality(Used) + 1, is |-> "open"]]
  /\ UNCHANGED <<open, row, write, read, takes, prune>>

(* Whatever is older than the open one is sealed, be it closed. *)
SealAgain(s) ==
  /\ s \in Used
  /\ Number(s) < open.number
  /\ segment' = [segment EXCEPT ![s].is = "sealed"]
  /\ UNCHANGED <<open, row, write, read, takes, prune>>

(* A segment is closed once it is sealed, whoever is still at work in it. *)
CloseBlindly(s) ==
  /\ Is(s, "sealed")
  /\ segment' = [segment EXCEPT ![s].is = "closed"]
  /\ UNCHANGED <<open, row, write, read, takes, prune>>

-----------------------------------------------------------------------------
(* The prune. *)

(* Sealed is taken for closed: a transaction may still be open that has written, or will write, *)
(* into it.                                                                                     *)
PruneSealed(n) ==
  Number(n.slot) = n.number /\ Is(n.slot, "sealed") /\ ~Backlog(n.slot)

(* What waits is not asked for. *)
BlindToBacklog(n) == Number(n.slot) = n.number /\ Is(n.slot, "closed")

(* Whose slot it is now is not asked again under the lock, only whether something waits in it: it *)
(* may have been emptied, and opened as another number.                                           *)
CheckThenLock(p) ==
  LET what == prune[p].what
  IN /\ prune[p].at = "locked"
     /\ ~Backlog(what.slot)
     /\ row' = [w \in Writers |-> IF Carried(w, p) THEN [row[w] EXCEPT !.slot = prune[p].here.slot]
                                  ELSE IF row[w].slot = what.slot THEN [row[w] EXCEPT !.slot = 0]
                                  ELSE row[w]]
     /\ segment' = [segment EXCEPT ![what.slot] = Free]
     /\ prune' = [prune EXCEPT ![p] = Resting]
     /\ UNCHANGED <<open, write, read, takes>>

(* What runs is not carried. *)
StragglersDropped(w, p) == FALSE

(* The segment that the stragglers go to is not locked: it may be closed, and emptied, before they come. *)
CarryUnlocked(s) == {w \in Writers : s \in write[w].locks}

(* What runs is appended anew, for somebody to claim: a new name under a running handler. *)
CarryAsNew(p) ==
  LET what == prune[p].what
  IN /\ prune[p].at = "locked"
     /\ Prunable(what)
     /\ row' = [w \in Writers |->
          IF Carried(w, p) THEN [slot |-> prune[p].here.slot, is |-> "ready", by |-> None]
          ELSE IF row[w].slot = what.slot THEN [row[w] EXCEPT !.slot = 0]
          ELSE row[w]]
     /\ segment' = [segment EXCEPT ![what.slot] = Free]
     /\ prune' = [prune EXCEPT ![p] = Resting]
     /\ UNCHANGED <<open, write, read, takes>>

(* The prune waits for its lock, and whoever comes later waits behind it. *)
StopsBehindIt(s) == \E p \in Pruners : prune[p].at # "idle" /\ prune[p].what.slot = s
WaitForLock(p) ==
  /\ prune[p].at = "judged"
  /\ InTables(prune[p].what.slot) = {}
  /\ prune' = [prune EXCEPT ![p].at = "locked"]
  /\ UNCHANGED <<rotated, row, write, read, takes>>
WaitOn(p) ==
  /\ prune[p].at = "locked"
  /\ prune' = [prune EXCEPT ![p] = Resting]
  /\ UNCHANGED <<rotated, row, write, read, takes>>
=============================================================================
