-------------------------------- MODULE Queue --------------------------------
(* The heart: one job's life, over its entries.                             *)
(*                                                                          *)
(* An entry is one runnable incarnation of a job. It is born ready, claimed *)
(* at most once, ended at most once; its name, `seq`, is never used again.  *)
(* Whatever comes back (retry, snooze, rescue, promote, redrive, divert) is *)
(* another entry of the same job, or waits in `deferred` or `held` first.   *)
(* So the name of an entry is all the fence a finish needs.                 *)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  Jobs,         \* set of job ids
  Workers,      \* set of worker ids, strings
  MaxAttempts,  \* claims a job may spend on failures before it is held
  MaxDeaths,    \* workers lost under a job before it is quarantined
  MaxEntries,   \* bound of the model: entries ever appended
  MaxLost,      \* bound of the model: workers ever lost
  Places        \* bound of the model: where a new job may go, of "intake", "main", "deferred"

VARIABLES       \* what the database knows
  enqueued,     \* SUBSET Jobs                the jobs that exist
  entries,      \* Seq(Entry)                 the logs; an entry's seq is its place in them
  deferred,     \* SUBSET Jobs                not before run_at: scheduled, retryable, snoozed
  held,         \* [Jobs -> Reason]           waits for a person, and why; "discarded" for ever; or "none"
  attempt,      \* [Jobs -> Nat]              claims spent since it was enqueued or redriven
  lease,        \* [Jobs -> Nat]              run lease: claims in its whole life
  deaths,       \* [Jobs -> Nat]              workers lost while they ran it
  lost,         \* SUBSET Workers             declared lost; such a worker may be dead, or a zombie
                \* what a worker knows
  believes,     \* [Workers -> SUBSET Seqs]   the entries it thinks it runs; no rescue shrinks this
                \* ghosts: history nobody stores
  claimCount,   \* [Seqs -> Nat]              how often the entry was claimed
  endCount      \* [Seqs -> Nat]              how often the entry was ended

counts == <<attempt, lease, deaths>>
stored == <<enqueued, entries, deferred, held, counts, lost, claimCount, endCount>>
vars   == <<stored, believes>>

None     == "none"
Seqs     == 1..MaxEntries
Lanes    == {"intake", "main", "aside"}
Finishes == {"completed", "retried", "snoozed", "failed", "released"}
Outcomes == Finishes \cup {"cancelled", "rescued", "moved"}
Redrivable == {"failed", "cancelled", "quarantined"}
Reasons  == Redrivable \cup {"discarded"}
Entry    == [job: Jobs, lane: Lanes, worker: Workers \cup {None}, outcome: Outcomes \cup {None}]

Written     == DOMAIN entries
JobOf(e)    == entries[e].job
Open(e)     == e \in Written /\ entries[e].outcome = None
Ready(e)    == Open(e) /\ entries[e].worker = None
InIntake(e) == Ready(e) /\ entries[e].lane = "intake"
Holds(w, e) == Open(e) /\ entries[e].worker = w
Completed(j) == \E e \in Written : JobOf(e) = j /\ entries[e].outcome = "completed"

(* Where a job is, in one word; a run whose worker is lost is an orphan. *)
Where(j) ==
  IF j \notin enqueued THEN "nowhere"
  ELSE IF j \in deferred THEN "deferred"
  ELSE IF held[j] # None THEN held[j]
  ELSE IF Completed(j) THEN "completed"
  ELSE LET e == CHOOSE d \in Written : JobOf(d) = j /\ Open(d)
       IN IF Ready(e) THEN entries[e].lane
          ELSE IF entries[e].worker \in lost THEN "orphan" ELSE "running"

(* How the logs read after one more entry of j, or after e ended so. *)
HasRoom       == Len(entries) < MaxEntries
With(log, j, lane) == Append(log, [job |-> j, lane |-> lane, worker |-> None, outcome |-> None])
End(e, outcome)    == [entries EXCEPT ![e].outcome = outcome]
CountEnd(e)        == endCount' = [endCount EXCEPT ![e] = @ + 1]

TypeOK ==
  /\ enqueued \subseteq Jobs /\ deferred \subseteq Jobs /\ lost \subseteq Workers
  /\ Len(entries) <= MaxEntries /\ \A e \in Written : entries[e] \in Entry
  /\ held \in [Jobs -> Reasons \cup {None}]
  /\ attempt \in [Jobs -> 0..MaxEntries] /\ lease \in [Jobs -> 0..MaxEntries]
  /\ deaths \in [Jobs -> 0..MaxDeaths]
  /\ \A w \in Workers : believes[w] \subseteq Written
  /\ claimCount \in [Seqs -> 0..MaxEntries] /\ endCount \in [Seqs -> 0..MaxEntries]

Init ==
  /\ enqueued = {} /\ entries = <<>> /\ deferred = {} /\ lost = {}
  /\ held = [j \in Jobs |-> None]
  /\ attempt = [j \in Jobs |-> 0] /\ lease = [j \in Jobs |-> 0] /\ deaths = [j \in Jobs |-> 0]
  /\ believes = [w \in Workers |-> {}]
  /\ claimCount = [e \in Seqs |-> 0] /\ endCount = [e \in Seqs |-> 0]

-----------------------------------------------------------------------------
(* Enqueue: a job comes into being, ready at once or deferred to its run_at. Where no *)
(* lane is made for it yet it waits in the intake.                                    *)
Enqueue(j, place) ==
  /\ j \notin enqueued
  /\ enqueued' = enqueued \cup {j}
  /\ IF place = "deferred"
     THEN deferred' = deferred \cup {j} /\ UNCHANGED entries
     ELSE HasRoom /\ entries' = With(entries, j, place) /\ UNCHANGED deferred
  /\ UNCHANGED <<held, counts, lost, believes, claimCount, endCount>>

(* Claim: a worker that is not lost takes a ready entry. This alone spends an *)
(* attempt, and this alone moves the run lease. What is in the intake is nobody's *)
(* yet: the leader's Divert sorts it out.                                     *)
Claim(w, e) ==
  /\ Ready(e) /\ ~InIntake(e)
  /\ w \notin lost
  /\ entries' = [entries EXCEPT ![e].worker = w]
  /\ attempt' = [attempt EXCEPT ![JobOf(e)] = @ + 1]
  /\ lease' = [lease EXCEPT ![JobOf(e)] = @ + 1]
  /\ believes' = [believes EXCEPT ![w] = @ \cup {e}]
  /\ claimCount' = [claimCount EXCEPT ![e] = @ + 1]
  /\ UNCHANGED <<enqueued, deferred, held, deaths, lost, endCount>>

(* What every finish shares: the entry is open, this worker holds it, and after *)
(* it the worker thinks of it no more. A lost worker may still be in time.      *)
Finish(w, e) ==
  /\ e \in believes[w]           \* inert: whoever holds an entry knows of it
  /\ Holds(w, e)
  /\ believes' = [believes EXCEPT ![w] = @ \ {e}]
  /\ CountEnd(e)
  /\ UNCHANGED <<enqueued, lease, deaths, lost, claimCount>>

(* Complete: the handler is done, and so is the job. *)
Complete(w, e) ==
  /\ Finish(w, e)
  /\ entries' = End(e, "completed")
  /\ UNCHANGED <<deferred, held, attempt>>

(* Retry: the handler failed. The job waits for its backoff; at the last attempt *)
(* this is a failure for good.                                                   *)
Retry(w, e) ==
  /\ Finish(w, e)
  /\ IF attempt[JobOf(e)] < MaxAttempts
     THEN /\ entries' = End(e, "retried")
          /\ deferred' = deferred \cup {JobOf(e)}
          /\ UNCHANGED held
     ELSE /\ entries' = End(e, "failed")
          /\ held' = [held EXCEPT ![JobOf(e)] = "failed"]
          /\ UNCHANGED deferred
  /\ UNCHANGED attempt

(* Snooze: the handler wants to run later. The attempt is given back. *)
Snooze(w, e) ==
  /\ Finish(w, e)
  /\ entries' = End(e, "snoozed")
  /\ deferred' = deferred \cup {JobOf(e)}
  /\ attempt' = [attempt EXCEPT ![JobOf(e)] = @ - 1]
  /\ UNCHANGED held

(* Fail: the handler says that no retry will help. *)
Fail(w, e) ==
  /\ Finish(w, e)
  /\ entries' = End(e, "failed")
  /\ held' = [held EXCEPT ![JobOf(e)] = "failed"]
  /\ UNCHANGED <<deferred, attempt>>

(* Release: a worker that stops gracefully hands an attempt back, at no cost. *)
Release(w, e) ==
  /\ HasRoom
  /\ Finish(w, e)
  /\ entries' = With(End(e, "released"), JobOf(e), "main")
  /\ attempt' = [attempt EXCEPT ![JobOf(e)] = @ - 1]
  /\ UNCHANGED <<deferred, held>>

(* Refuse: a finish of an entry that is over, or somebody else's, is stale. The *)
(* worker is told and forgets; nothing else changes.                            *)
Refuse(w, e) ==
  /\ e \in Written               \* inert: nobody believes in what is not written
  /\ ~Holds(w, e)
  /\ believes' = [believes EXCEPT ![w] = @ \ {e}]
  /\ UNCHANGED stored

(* Cancel: a job ends before it is done. Its own handler may say so (by is its worker),   *)
(* or a person (by is None), wherever the job is; who runs it then finds out by Refuse.   *)
CancelDeferred(j) ==
  /\ j \in deferred
  /\ deferred' = deferred \ {j}
  /\ UNCHANGED <<entries, believes, endCount>>

CancelEntry(by, e) ==
  /\ Open(e)
  /\ by # None => Holds(by, e)  \* inert: otherwise it is as if a person did so
  /\ entries' = End(e, "cancelled")
  /\ believes' = [w \in Workers |-> IF w = by THEN believes[w] \ {e} ELSE believes[w]]
  /\ CountEnd(e)
  /\ UNCHANGED deferred

Cancel(by, j) ==
  /\ \/ /\ by = None            \* inert: otherwise it is as if a person did so
        /\ CancelDeferred(j)
     \/ \E e \in Written : JobOf(e) = j /\ CancelEntry(by, e)
  /\ held' = [held EXCEPT ![j] = "cancelled"]
  /\ UNCHANGED <<enqueued, counts, lost, claimCount>>

(* Lose: the leader declares a worker lost; its last heartbeat is too old. *)
Lose(w) ==
  /\ Cardinality(lost) < MaxLost
  /\ lost' = lost \cup {w}
  /\ UNCHANGED <<enqueued, entries, deferred, held, counts, believes, claimCount, endCount>>

(* Rescue: the leader ends an attempt from outside, because its worker is lost (a *)
(* death) or its deadline has passed (a failure). The attempt stays spent.        *)
Rescue(w, e) ==
  /\ Holds(w, e)
  /\ LET j == JobOf(e)
         died == IF w \in lost THEN deaths[j] + 1 ELSE deaths[j]
     IN /\ deaths' = [deaths EXCEPT ![j] = died]
        /\ IF /\ w \in lost         \* inert: who has died as often under others is held already
              /\ died >= MaxDeaths
           THEN held' = [held EXCEPT ![j] = "quarantined"] /\ UNCHANGED deferred
           ELSE IF attempt[j] >= MaxAttempts
           THEN held' = [held EXCEPT ![j] = "failed"] /\ UNCHANGED deferred
           ELSE deferred' = deferred \cup {j} /\ UNCHANGED held
  /\ entries' = End(e, "rescued")
  /\ CountEnd(e)
  /\ UNCHANGED <<enqueued, attempt, lease, lost, believes, claimCount>>

(* Promote: a deferred job is due, and becomes ready. *)
Promote(j) ==
  /\ HasRoom
  /\ j \in deferred
  /\ deferred' = deferred \ {j}
  /\ entries' = With(entries, j, "main")
  /\ UNCHANGED <<enqueued, held, counts, lost, believes, claimCount, endCount>>

(* Redrive: a person gives a held job another life. Attempts and deaths start *)
(* anew; the run lease goes on, so no token is ever handed out twice.         *)
Redrive(j) ==
  /\ HasRoom
  /\ held[j] \in Redrivable
  /\ held' = [held EXCEPT ![j] = None]
  /\ entries' = With(entries, j, "main")
  /\ attempt' = [attempt EXCEPT ![j] = 0]
  /\ deaths' = [deaths EXCEPT ![j] = 0]
  /\ UNCHANGED <<enqueued, deferred, lease, lost, believes, claimCount, endCount>>

(* Discard: what is held is deleted, by a person or at the end of its retention. *)
Discard(j) ==
  /\ held[j] \in Redrivable
  /\ held' = [held EXCEPT ![j] = "discarded"]
  /\ UNCHANGED <<enqueued, entries, deferred, counts, lost, believes, claimCount, endCount>>

(* Divert: an entry that a claim may not take would stand in the cursor's way. It is *)
(* moved, out of the intake to the lane it was meant for, and from there aside, once, *)
(* to where whoever may take it looks; this is no claim.                              *)
Divert(e) ==
  /\ HasRoom
  /\ Ready(e)
  /\ entries[e].lane # "aside"
  /\ entries' = With(End(e, "moved"), JobOf(e), IF InIntake(e) THEN "main" ELSE "aside")
  /\ CountEnd(e)
  /\ UNCHANGED <<enqueued, deferred, held, counts, lost, believes, claimCount>>

Next ==
  \/ \E j \in Jobs : Promote(j) \/ Redrive(j) \/ Discard(j)
  \/ \E j \in Jobs, place \in Places : Enqueue(j, place)
  \/ \E j \in Jobs, by \in Workers \cup {None} : Cancel(by, j)
  \/ \E w \in Workers : Lose(w)
  \/ \E e \in Seqs : Divert(e)
  \/ \E w \in Workers, e \in Seqs :
       \/ Claim(w, e) \/ Complete(w, e) \/ Retry(w, e) \/ Snooze(w, e) \/ Fail(w, e)
       \/ Release(w, e) \/ Refuse(w, e) \/ Rescue(w, e)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Invariants: facts about every state. *)

ClaimedOnce == \A e \in Seqs : claimCount[e] <= 1
EndedOnce   == \A e \in Seqs : endCount[e] <= 1

(* What is in the intake is claimed by nobody. *)
IntakeIsNobodys == \A e \in Written : entries[e].lane = "intake" => entries[e].worker = None

(* A job is quarantined when as many workers were lost under it as may be, and not before. *)
QuarantineCountsDeaths == \A j \in Jobs : held[j] = "quarantined" => deaths[j] = MaxDeaths

(* Where a job is. A job that was enqueued is in exactly one place, always. *)
PlaceCount(j) ==
  Cardinality({e \in Written : JobOf(e) = j /\ (Open(e) \/ entries[e].outcome = "completed")})
  + Cardinality({j} \cap deferred) + (IF held[j] # None THEN 1 ELSE 0)
InOnePlace == \A j \in Jobs : PlaceCount(j) = IF j \in enqueued THEN 1 ELSE 0

(* What was moved aside is not moved again: diverting ends. *)
DivertedOnce == \A e \in Written : entries[e].lane = "aside" => entries[e].outcome # "moved"

(* Attempts are never overdrawn: what may still be claimed has one left. *)
AttemptsBounded ==
  /\ \A j \in Jobs : attempt[j] \in 0..MaxAttempts
  /\ \A j \in deferred : attempt[j] < MaxAttempts
  /\ \A e \in Written : Ready(e) => attempt[JobOf(e)] < MaxAttempts

-----------------------------------------------------------------------------
(* Step properties: facts about every change. *)

Claimed(e) == entries'[e].worker # entries[e].worker
Ended(e)   == entries'[e].outcome # entries[e].outcome

(* What has ended stays as it is, and what is claimed never changes hands. *)
EndedIsFinal == [][\A e \in Written :
  /\ entries[e].outcome # None => entries'[e] = entries[e]
  /\ entries[e].worker # None => ~Claimed(e)]_vars

(* A finish takes effect only on an open entry that its worker holds. *)
LetsGo(w) == believes[w] \ believes'[w]
FinishFenced == [][\A e \in Written :
  Ended(e) /\ entries'[e].outcome \in Finishes =>
    \E w \in Workers : Holds(w, e) /\ e \in LetsGo(w)]_vars

(* A worker whose finish is refused learns of it, and that is all that changes. *)
StaleChangesNothing == [][\A w \in Workers : \A e \in LetsGo(w) :
  ~Holds(w, e) => UNCHANGED stored]_vars

(* A finish that is live is not refused: what a worker holds, it lets go of by ending it. *)
LiveIsNotRefused == [][\A w \in Workers : \A e \in LetsGo(w) : Holds(w, e) => Ended(e)]_vars

(* The run lease grows by one with each claim, and by nothing else. *)
LeaseCountsClaims == [][\A j \in Jobs :
  lease'[j] = lease[j] + Cardinality({e \in Written : JobOf(e) = j /\ Claimed(e)})]_vars

(* A claim spends an attempt; snooze and release give it back; redrive starts anew. *)
GivenBack(e) == Ended(e) /\ entries'[e].outcome \in {"snoozed", "released"}
AttemptCountsClaims == [][\A j \in Jobs :
  attempt'[j] = IF held[j] # None /\ held'[j] = None THEN 0
                ELSE attempt[j] + Cardinality({e \in Written : JobOf(e) = j /\ Claimed(e)})
                                - Cardinality({e \in Written : JobOf(e) = j /\ GivenBack(e)})]_vars

(* A job that is over changes only because a person redrives it, or it is discarded. *)
Life(j) == <<j \in deferred, held[j], attempt[j], lease[j], deaths[j],
             {<<e, entries[e]>> : e \in {d \in Written : JobOf(d) = j}}>>
TerminalIsFinal == [][\A j \in Jobs :
  Completed(j) \/ held[j] # None => Life(j)' = Life(j) \/ Redrive(j) \/ Discard(j)]_vars

(* A worker declared lost is given nothing. *)
LostClaimsNothing == [][\A e \in Written : Claimed(e) => entries'[e].worker \notin lost]_vars

-----------------------------------------------------------------------------
(* Witnesses, each told as what is not so: some state refutes it here, and some real run has. *)

NobodyDiesTwice      == \A j \in Jobs : deaths[j] < 2
NobodyIsQuarantined  == \A j \in Jobs : held[j] # "quarantined"
NobodyIsDiscarded    == \A j \in Jobs : held[j] # "discarded"
NoZombie             == \A w \in lost : believes[w] = {}
NoZombieIsLate       == \A w \in lost : \A e \in believes[w] : Open(e)
NobodyRunsCancelled  == \A w \in Workers : \A e \in believes[w] : entries[e].outcome # "cancelled"
NothingAsideIsTaken  == \A e \in Written : entries[e].lane = "aside" => Ready(e)
OnceIsEnough         == \A j \in Jobs : Completed(j) => lease[j] = 1
NoLastAttemptRuns    == \A e \in Written : Open(e) /\ ~Ready(e) => attempt[JobOf(e)] < MaxAttempts
NoLifeAfterRedrive   == \A j \in Jobs : Completed(j) => attempt[j] = lease[j]
NoDeathIsSurvived    == \A j \in Jobs : Completed(j) => deaths[j] = 0

-----------------------------------------------------------------------------
(* Liveness. Somebody claims what is ready, the leader sorts the intake, rescues what *)
(* lost workers hold and promotes what is due. No finish is fair: a handler may hang. *)
FairSpec ==
  /\ Spec
  /\ \A e \in Seqs : WF_vars(\E w \in Workers : Claim(w, e))
  /\ \A e \in Seqs : WF_vars(InIntake(e) /\ Divert(e))
  /\ \A e \in Seqs : WF_vars(\E w \in lost : Rescue(w, e))
  /\ \A j \in Jobs : WF_vars(Promote(j))

ReadyJob(j)    == \E e \in Written : JobOf(e) = j /\ Ready(e)
RunningJob(j)  == \E e \in Written : JobOf(e) = j /\ Open(e) /\ ~Ready(e)
Stuck(j)       == ~HasRoom /\ \E e \in Written : JobOf(e) = j /\ InIntake(e)
ReadyIsClaimed == \A j \in Jobs : ReadyJob(j) ~> (RunningJob(j) \/ held[j] = "cancelled" \/ Stuck(j))
LostIsRescued  == \A e \in Seqs : (\E w \in lost : Holds(w, e)) ~> ~Open(e)
DueIsPromoted  == \A j \in Jobs : j \in deferred ~> (j \notin deferred \/ ~HasRoom)
=============================================================================
