----------------------------- MODULE QueueRacing -----------------------------
(* Queue with a cancel in two steps: a person sees that a job is deferred, and *)
(* the cancel is carried out as seen. Meanwhile a promote may make it ready.   *)
EXTENDS Queue

VARIABLE sought  \* SUBSET Jobs   seen deferred, and about to be cancelled

SeeDeferred(j) ==
  /\ j \in deferred
  /\ sought' = sought \cup {j}
  /\ UNCHANGED vars

CancelAsSeen(j) ==
  /\ j \in sought
  /\ sought' = sought \ {j}
  /\ deferred' = deferred \ {j}
  /\ held' = [held EXCEPT ![j] = "cancelled"]
  /\ UNCHANGED <<enqueued, entries, counts, lost, believes, claimCount, endCount>>

RacingNext ==
  \/ Next /\ UNCHANGED sought
  \/ \E j \in Jobs : SeeDeferred(j) \/ CancelAsSeen(j)
RacingSpec == Init /\ sought = {} /\ [][RacingNext]_<<vars, sought>>
=============================================================================
