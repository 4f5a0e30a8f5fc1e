----------------------------- MODULE QueueBroken -----------------------------
(* Queue with one rule broken at a time. Each cfg beside this file puts one of *)
(* these in the place of the action it is named after (`Complete <- NoFence`); *)
(* suite.toml says which fact must then be refuted.                            *)
EXTENDS Queue

(* The finish of an entry, with the check of who holds it left out. *)
Blind(w, e) ==
  /\ e \in believes[w]
  /\ believes' = [believes EXCEPT ![w] = @ \ {e}]
  /\ UNCHANGED <<enqueued, attempt, lease, deaths, lost, claimCount, deferred, held>>

(* No fence: a worker ends whatever it thinks it runs. *)
NoFence(w, e) ==
  /\ Blind(w, e)
  /\ entries' = End(e, "completed")
  /\ CountEnd(e)

(* Fence on the job's id: a zombie's finish ends the entry that runs now. *)
FenceOnJob(w, e) ==
  /\ Blind(w, e)
  /\ \E now \in Written :
       /\ JobOf(now) = JobOf(e) /\ Open(now) /\ ~Ready(now)
       /\ entries' = End(now, "completed")
       /\ CountEnd(now)

(* Fence on the claim alone: the finish asks who claimed the entry, not whether it *)
(* is over, and so lands after the rescue that has given the job a successor.      *)
LandsAfterRescue(w, e) ==
  /\ Blind(w, e)
  /\ entries[e].worker = w
  /\ entries[e].outcome \in {None, "rescued"}
  /\ entries' = End(e, "completed")
  /\ CountEnd(e)

(* A finish that lands on an entry whose job a person has cancelled. *)
LandsAfterCancel(w, e) ==
  /\ Blind(w, e)
  /\ entries[e].worker = w
  /\ entries[e].outcome \in {None, "cancelled"}
  /\ entries' = End(e, "completed")
  /\ CountEnd(e)

(* What a claim changes, with its guards left out. *)
ClaimAs(w, e, leaseNow) ==
  /\ entries' = [entries EXCEPT ![e].worker = w]
  /\ attempt' = [attempt EXCEPT ![JobOf(e)] = @ + 1]
  /\ lease' = [lease EXCEPT ![JobOf(e)] = leaseNow]
  /\ believes' = [believes EXCEPT ![w] = @ \cup {e}]
  /\ claimCount' = [claimCount EXCEPT ![e] = @ + 1]
  /\ UNCHANGED <<enqueued, deferred, held, deaths, lost, endCount>>

(* A claim that does not see that the entry was claimed already. *)
ClaimTwice(w, e) == Open(e) /\ w \notin lost /\ ClaimAs(w, e, lease[JobOf(e)] + 1)

(* A claim that does not ask whether its worker was declared lost. *)
LostClaims(w, e) == Ready(e) /\ ClaimAs(w, e, lease[JobOf(e)] + 1)

(* A claim that takes from the intake as well. *)
ClaimsIntake(w, e) == Ready(e) /\ w \notin lost /\ ClaimAs(w, e, lease[JobOf(e)] + 1)

(* A claim that leaves the run lease as it is. *)
LeaseNotBumped(w, e) == Ready(e) /\ w \notin lost /\ ClaimAs(w, e, lease[JobOf(e)])

(* A claim that takes the attempt for the run lease: they part at the first snooze. *)
LeaseOfAttempt(w, e) == Ready(e) /\ w \notin lost /\ ClaimAs(w, e, attempt[JobOf(e)] + 1)

(* A claim that looks into the main lane only: what was diverted waits for ever. *)
AsideForgotten(w, e) ==
  Ready(e) /\ entries[e].lane = "main" /\ w \notin lost /\ ClaimAs(w, e, lease[JobOf(e)] + 1)

(* A graceful stop that spends the attempt it interrupts. *)
ReleaseCosts(w, e) ==
  /\ HasRoom
  /\ Finish(w, e)
  /\ entries' = With(End(e, "released"), JobOf(e), "main")
  /\ UNCHANGED <<deferred, held, attempt>>

(* A retry whose second half (the deferred row) was to follow in another transaction. *)
RetryInHalves(w, e) ==
  /\ Finish(w, e)
  /\ entries' = End(e, "retried")
  /\ UNCHANGED <<deferred, held, attempt>>

(* A rescue that never looks at how many attempts are spent. *)
RescueForEver(w, e) ==
  /\ Holds(w, e)
  /\ entries' = End(e, "rescued")
  /\ deferred' = deferred \cup {JobOf(e)}
  /\ CountEnd(e)
  /\ UNCHANGED <<enqueued, counts, held, lost, believes, claimCount>>

(* A rescue that quarantines at the first death. *)
QuarantineAtOnce(w, e) ==
  /\ Holds(w, e)
  /\ w \in lost
  /\ entries' = End(e, "rescued")
  /\ deaths' = [deaths EXCEPT ![JobOf(e)] = @ + 1]
  /\ held' = [held EXCEPT ![JobOf(e)] = "quarantined"]
  /\ CountEnd(e)
  /\ UNCHANGED <<enqueued, deferred, attempt, lease, lost, believes, claimCount>>

(* A stale finish that is refused, and yet counted as a failure of the job. *)
RefuseCounts(w, e) ==
  /\ e \in believes[w]
  /\ ~Holds(w, e)
  /\ believes' = [believes EXCEPT ![w] = @ \ {e}]
  /\ deaths' = [deaths EXCEPT ![JobOf(e)] = MaxDeaths]
  /\ UNCHANGED <<enqueued, entries, deferred, held, attempt, lease, lost, claimCount, endCount>>
(* A rescue that looks at deadlines only: what a lost worker held never comes back. *)
RescueOverdue(w, e) == w \notin lost /\ RescueForEver(w, e)

(* A promote that waits until nothing runs: one handler that hangs holds up the rest. *)
PromoteWhenIdle(j) ==
  /\ \A e \in Written : ~Open(e)
  /\ HasRoom
  /\ j \in deferred
  /\ deferred' = deferred \ {j}
  /\ entries' = With(entries, j, "main")
  /\ UNCHANGED <<enqueued, held, counts, lost, believes, claimCount, endCount>>
(* A finish that comes with a stale one is refused along with it. *)
RefuseLive(w, e) ==
  /\ e \in believes[w]
  /\ believes' = [believes EXCEPT ![w] = @ \ {e}]
  /\ UNCHANGED stored

(* What stands aside is diverted again. *)
DivertAgain(e) ==
  /\ HasRoom
  /\ Ready(e)
  /\ entries' = With(End(e, "moved"), JobOf(e), "aside")
  /\ CountEnd(e)
  /\ UNCHANGED <<enqueued, deferred, held, counts, lost, believes, claimCount>>
=============================================================================
