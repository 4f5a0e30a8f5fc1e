------------------------------- MODULE Rescue -------------------------------
(* What becomes of the entries of a worker that speaks no more, and of a      *)
(* worker that is thought so and goes on.                                     *)
(*                                                                            *)
(* A worker steps (finishes, then claims) under its own advisory lock,        *)
(* shared; whoever declares it lost and ends what it holds has the same lock  *)
(* exclusively, tried and not waited for. A worker is suspected first, by     *)
(* what a sweep read of its last heartbeat, and declared lost later, under    *)
(* the lock, if it has not spoken meanwhile. When a heartbeat is old, and     *)
(* when nobody may be suspected, is said in Watch; how what a worker holds is *)
(* found, in Floor. Here anybody may be suspected at any time.                *)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  Jobs,         \* set of job ids
  Workers,      \* set of worker ids, strings; an id is never used again
  Mortal,       \* SUBSET Workers: those whose process may end
  Sweepers,     \* set of strings: rescues that may be at work at the same time
  MaxAttempts,  \* claims a job may spend before it is held
  MaxDeaths,    \* workers lost under a job before it is quarantined
  MaxEntries    \* bound of the model: entries ever appended

VARIABLES       \* what the database knows
  registered,   \* SUBSET Workers             have an id
  lost,         \* SUBSET Workers             declared lost (lost_at), for ever
  stopped,      \* SUBSET Workers             gone, and nothing is open under them (stopped_at)
  enqueued,     \* SUBSET Jobs                the jobs that exist
  entries,      \* Seq(Entry)                 the logs; an entry's seq is its place in them
  deferred,     \* SUBSET Jobs                wait for their backoff
  held,         \* [Jobs -> Reason]           waits for a person, and why; or "none"
  attempt,      \* [Jobs -> Nat]              claims spent
  deaths,       \* [Jobs -> Nat]              workers lost while they ran it
                \* transactions at work
  step,         \* [Workers -> Step]          a worker's step: its lock, and what is not committed
  sweep,        \* [Sweepers -> Sweep]        a rescue: whom it suspects, or whose lock it has
                \* what a worker's process knows, if there is one
  believes,     \* [Workers -> SUBSET Seqs]   the entries it thinks it runs; no rescue shrinks this
  dead          \* SUBSET Workers             their processes have ended

fleet  == <<registered, lost, stopped, dead>>
places == <<enqueued, entries, deferred, held, attempt, deaths>>
vars   == <<fleet, places, step, sweep, believes>>

None    == "none"
Seqs    == 1..MaxEntries
Reasons == {"failed", "quarantined"}
Entry   == [job: Jobs, worker: Workers \cup {None}, outcome: {"completed", "rescued", None}]
Step    == [at: {"idle", "locked"}, alive: BOOLEAN, ends: SUBSET Seqs, took: SUBSET Seqs]
Sweep   == [at: {"idle", "suspects", "locked"}, worker: Workers \cup {None}, unheard: BOOLEAN]

NoStep  == [at |-> "idle", alive |-> FALSE, ends |-> {}, took |-> {}]
NoSweep == [at |-> "idle", worker |-> None, unheard |-> FALSE]

Written     == DOMAIN entries
JobOf(e)    == entries[e].job
Open(e)     == e \in Written /\ entries[e].outcome = None
Ready(e)    == Open(e) /\ entries[e].worker = None
Holds(w, e) == Open(e) /\ entries[e].worker = w
HeldBy(w)   == {e \in Written : Holds(w, e)}

(* The worker's advisory lock: shared by its step, or one sweep's. *)
IsStepping(w) == step[w].at = "locked"
IsSwept(w)    == \E l \in Sweepers : sweep[l].at = "locked" /\ sweep[l].worker = w

HasRoom    == Len(entries) < MaxEntries
With(j)    == Append(entries, [job |-> j, worker |-> None, outcome |-> None])

TypeOK ==
  /\ registered \subseteq Workers /\ dead \subseteq registered
  /\ lost \subseteq registered /\ stopped \subseteq registered
  /\ enqueued \subseteq Jobs /\ deferred \subseteq Jobs
  /\ Len(entries) <= MaxEntries /\ \A e \in Written : entries[e] \in Entry
  /\ held \in [Jobs -> Reasons \cup {None}]
  /\ attempt \in [Jobs -> 0..MaxEntries] /\ deaths \in [Jobs -> 0..MaxEntries]
  /\ \A w \in Workers : step[w].at \in {"idle", "locked"} /\ step[w].ends \cup step[w].took \subseteq Written
  /\ sweep \in [Sweepers -> Sweep]
  /\ \A w \in Workers : believes[w] \subseteq Written

Init ==
  /\ registered = {} /\ lost = {} /\ stopped = {} /\ dead = {}
  /\ enqueued = {} /\ entries = <<>> /\ deferred = {}
  /\ held = [j \in Jobs |-> None]
  /\ attempt = [j \in Jobs |-> 0] /\ deaths = [j \in Jobs |-> 0]
  /\ step = [w \in Workers |-> NoStep] /\ sweep = [l \in Sweepers |-> NoSweep]
  /\ believes = [w \in Workers |-> {}]

-----------------------------------------------------------------------------
(* Enqueue: a job comes into being. Shown by: Enqueue. *)
Enqueue(j) ==
  /\ HasRoom                      \* inert: there is room for all, within the bounds
  /\ j \notin enqueued
  /\ enqueued' = enqueued \cup {j}
  /\ entries' = With(j)
  /\ UNCHANGED <<deferred, held, attempt, deaths, fleet, step, sweep, believes>>

(* Promote: a deferred job is due, and becomes ready. Shown by: Promote. *)
Promote(j) ==
  /\ HasRoom                      \* inert: likewise
  /\ j \in deferred
  /\ deferred' = deferred \ {j}
  /\ entries' = With(j)
  /\ UNCHANGED <<enqueued, held, attempt, deaths, fleet, step, sweep, believes>>

-----------------------------------------------------------------------------
(* Workers. *)

(* Register: a process gets an id. Shown by: Register. *)
Register(w) ==
  /\ w \notin registered          \* inert: an id comes from a sequence; once more changes nothing
  /\ registered' = registered \cup {w}
  /\ UNCHANGED <<lost, stopped, dead, places, step, sweep, believes>>

(* Heartbeat: a worker says that it is alive. Whoever was declared lost is told so, and  *)
(* that is all. A sweep that is about to declare it lost holds its row: who comes second *)
(* sees what the first has done. Not in a trace.                                         *)
Heartbeat(w) ==
  /\ w \in registered \ (dead \cup lost \cup stopped)
  /\ sweep' = [l \in Sweepers |->
       IF sweep[l].worker = w THEN [sweep[l] EXCEPT !.unheard = FALSE] ELSE sweep[l]]
  /\ UNCHANGED <<fleet, places, step, believes>>

(* Die: the process ends, or is stopped for ever. What it sent is carried out all the *)
(* same. Not in a trace.                                                              *)
Die(w) ==
  /\ w \in registered \cap Mortal
  /\ dead' = dead \cup {w}
  /\ UNCHANGED <<registered, lost, stopped, places, step, sweep, believes>>

(* Begin: a step has the worker's lock, and has asked in the next statement whether the *)
(* worker is alive. (One step here: nobody else can have the lock in between.) Not in a *)
(* trace: it is placed just before what the step does first.                            *)
Begin(w) ==
  /\ w \in registered \ dead
  /\ ~IsStepping(w)               \* inert: a step that begins anew has done nothing yet
  /\ ~IsSwept(w)
  /\ step' = [step EXCEPT ![w] = [NoStep EXCEPT !.at = "locked", !.alive = w \notin lost \cup stopped]]
  /\ UNCHANGED <<fleet, places, sweep, believes>>

(* Complete: the step ends an entry that its worker holds; a lost worker may still be in *)
(* time. Nobody else can end it then, for the part's key is taken. Shown by: Complete.   *)
Complete(w, e) ==
  /\ IsStepping(w)
  /\ e \in believes[w]            \* inert: whoever holds an entry knows of it
  /\ Holds(w, e)
  /\ step' = [step EXCEPT ![w].ends = @ \cup {e}]
  /\ UNCHANGED <<fleet, places, sweep, believes>>

(* Refuse: an entry that is over, or somebody else's, is stale: the worker is told.   *)
(* Shown by: Complete, whose `stale` names it.                                        *)
Refuse(w, e) ==
  /\ IsStepping(w)                \* inert: what is stale is so at any time
  /\ e \in believes[w]            \* inert: without it, a step that changes nothing
  /\ ~Holds(w, e)
  /\ believes' = [believes EXCEPT ![w] = @ \ {e}]
  /\ UNCHANGED <<fleet, places, step, sweep>>

(* Claim: the step takes a ready entry, if its worker was alive when it was asked. The *)
(* claim is written and nobody sees it yet. Shown by: Claim.                           *)
Claim(w, e) ==
  /\ IsStepping(w)                \* inert: only what steps was asked
  /\ step[w].alive
  /\ Ready(e)
  /\ \A v \in Workers : e \notin step[v].took
  /\ step' = [step EXCEPT ![w].took = @ \cup {e}]
  /\ UNCHANGED <<fleet, places, sweep, believes>>

(* Commit: what the step did is there, and the lock goes. Not in a trace: it is placed *)
(* after the last event of the step's transaction.                                     *)
Commit(w) ==
  /\ step[w] # NoStep             \* inert: without it, a step that changes nothing
  /\ entries' = [e \in Written |->
       IF e \in step[w].ends THEN [entries[e] EXCEPT !.outcome = "completed"]
       ELSE IF e \in step[w].took THEN [entries[e] EXCEPT !.worker = w] ELSE entries[e]]
  /\ attempt' = [j \in Jobs |-> attempt[j] + Cardinality({e \in step[w].took : JobOf(e) = j})]
  /\ believes' = [believes EXCEPT ![w] = (@ \ step[w].ends) \cup step[w].took]
  /\ step' = [step EXCEPT ![w] = NoStep]
  /\ UNCHANGED <<enqueued, deferred, held, deaths, fleet, sweep>>

(* Break: the step's transaction is rolled back, and the lock goes. Not in a trace: it *)
(* leaves no event.                                                                    *)
Break(w) ==
  /\ step[w] # NoStep             \* inert: without it, a step that changes nothing
  /\ step' = [step EXCEPT ![w] = NoStep]
  /\ UNCHANGED <<fleet, places, sweep, believes>>

(* Retire: a worker that holds nothing leaves; it has the lock as a sweep has it. *)
(* Shown by: Retire.                                                              *)
Retire(w) ==
  /\ w \in registered \ dead
  /\ w \notin lost                \* inert: a sweep will say the same of a lost one
  /\ ~IsStepping(w)
  /\ ~IsSwept(w)                  \* inert: whoever is swept is lost
  /\ HeldBy(w) = {}
  /\ stopped' = stopped \cup {w}
  /\ UNCHANGED <<registered, lost, dead, places, step, sweep, believes>>

-----------------------------------------------------------------------------
(* The leader's sweeps. From Lose to Done one transaction has the worker's lock, so that *)
(* nobody else meets what it does before it is over. One that breaks off leaves nothing. *)

(* Suspect: a sweep reads the worker's row. Not in a trace: it is placed before Lose, or *)
(* before the Retire that came between.                                                  *)
Suspect(l, w) ==
  /\ sweep[l].at = "idle"
  /\ w \in registered \ stopped
  /\ sweep' = [sweep EXCEPT ![l] = [at |-> "suspects", worker |-> w, unheard |-> TRUE]]
  /\ UNCHANGED <<fleet, places, step, believes>>

(* Lose: the lock can be had at once, and the worker has not spoken since it was read: it *)
(* is lost. Or it was lost before, and more is to be done: that is not in a trace, and is *)
(* placed before the first Rescue. Shown by: Lose.                                        *)
MayLose(l, w) ==
  /\ sweep[l].at = "suspects"     \* inert: to lose a worker again changes nothing
  /\ sweep[l].worker = w
  /\ ~IsStepping(w)
  /\ ~IsSwept(w)                  \* inert: of two sweeps each ends only what is open still
  /\ w \in lost \/ sweep[l].unheard
Lose(l, w) ==
  /\ MayLose(l, w)
  /\ lost' = lost \cup {w}
  /\ sweep' = [sweep EXCEPT ![l].at = "locked"]
  /\ UNCHANGED <<registered, stopped, dead, places, step, believes>>

(* Skip: the lock could not be had, or the worker has spoken; the next sweep looks again. *)
(* Not in a trace: it leaves no event.                                                    *)
Skip(l) ==
  /\ sweep[l].at = "suspects"     \* inert: what a sweep leaves is taken up by the next
  /\ ~MayLose(l, sweep[l].worker)
  /\ sweep' = [sweep EXCEPT ![l] = NoSweep]
  /\ UNCHANGED <<fleet, places, step, believes>>

(* How an entry ends from outside, and what becomes of its job: the attempt stays spent. *)
EndFromOutside(e, died) ==
  LET j      == JobOf(e)
      deadly == IF died THEN deaths[j] + 1 ELSE deaths[j]
  IN /\ entries' = [entries EXCEPT ![e].outcome = "rescued"]
     /\ deaths' = [deaths EXCEPT ![j] = deadly]
     /\ IF deadly >= MaxDeaths
        THEN held' = [held EXCEPT ![j] = "quarantined"] /\ UNCHANGED deferred
        ELSE IF attempt[j] >= MaxAttempts
        THEN held' = [held EXCEPT ![j] = "failed"] /\ UNCHANGED deferred
        ELSE deferred' = deferred \cup {j} /\ UNCHANGED held
     /\ UNCHANGED <<enqueued, attempt>>

(* Rescue: an entry of the lost worker ends, and its death is counted. Shown by: Rescue. *)
Rescue(l, w, e) ==
  /\ sweep[l].at = "locked" /\ sweep[l].worker = w
  /\ Holds(w, e)
  /\ EndFromOutside(e, TRUE)
  /\ UNCHANGED <<fleet, step, sweep, believes>>

(* Done: the sweep has ended as many as it may, and commits. If nothing is open under the *)
(* worker any more, the worker is gone. Shown by: Done, with what is left.                *)
Done(l) ==
  /\ sweep[l].at = "locked"
  /\ stopped' = IF HeldBy(sweep[l].worker) = {} THEN stopped \cup {sweep[l].worker} ELSE stopped
  /\ sweep' = [sweep EXCEPT ![l] = NoSweep]
  /\ UNCHANGED <<registered, lost, dead, places, step, believes>>

(* Expire: an attempt past its deadline ends; the worker's lock is shared, as by a step, so *)
(* that nobody is lost meanwhile. It is no death. Shown by: Rescue, with another reason.    *)
Expire(w, e) ==
  /\ w \notin lost
  /\ Holds(w, e)
  /\ e \notin step[w].ends
  /\ EndFromOutside(e, FALSE)
  /\ UNCHANGED <<fleet, step, sweep, believes>>

Next ==
  \/ \E j \in Jobs : Enqueue(j) \/ Promote(j)
  \/ \E w \in Workers :
       Register(w) \/ Heartbeat(w) \/ Die(w) \/ Begin(w) \/ Commit(w) \/ Break(w) \/ Retire(w)
  \/ \E w \in Workers, e \in Seqs : Complete(w, e) \/ Refuse(w, e) \/ Claim(w, e) \/ Expire(w, e)
  \/ \E l \in Sweepers : Skip(l) \/ Done(l)
  \/ \E l \in Sweepers, w \in Workers : Suspect(l, w) \/ Lose(l, w)
  \/ \E l \in Sweepers, w \in Workers, e \in Seqs : Rescue(l, w, e)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Invariants. *)

(* Nothing is open under a worker that is gone: no sweep would look there again. *)
StoppedHoldsNothing == \A w \in stopped : HeldBy(w) = {}

(* A job that was enqueued is in exactly one place, always. *)
PlaceCount(j) ==
  Cardinality({e \in Written : JobOf(e) = j /\ entries[e].outcome # "rescued"})
  + Cardinality({j} \cap deferred) + (IF held[j] # None THEN 1 ELSE 0)
InOnePlace == \A j \in Jobs : PlaceCount(j) = IF j \in enqueued THEN 1 ELSE 0

(* No job has more attempts than it may, and what may still be claimed has one left. *)
AttemptsBounded ==
  /\ \A j \in Jobs : attempt[j] <= MaxAttempts
  /\ \A e \in Written : Ready(e) => attempt[JobOf(e)] < MaxAttempts

(* A job that kills its workers is not given to more than MaxDeaths of them. *)
DeathsBounded == \A j \in Jobs : deaths[j] >= MaxDeaths => held[j] = "quarantined"

-----------------------------------------------------------------------------
(* Step properties. *)

Ended(e) == entries'[e].outcome # entries[e].outcome

(* A worker that was declared lost is given nothing. *)
LostClaimsNothing == [][\A e \in Written :
  entries'[e].worker # entries[e].worker => entries'[e].worker \notin lost]_vars

(* A worker that has spoken since it was read is not declared lost. *)
SpokenIsNotLost == [][\A w \in lost' \ lost :
  \E l \in Sweepers : sweep[l].worker = w /\ sweep[l].unheard]_vars

(* What has ended stays as it is, and what is claimed never changes hands. *)
EndedIsFinal == [][\A e \in Written :
  /\ entries[e].outcome # None => entries'[e] = entries[e]
  /\ entries[e].worker # None => entries'[e].worker = entries[e].worker]_vars

(* Only its own worker completes an entry. *)
FinishFenced == [][\A e \in Written : Ended(e) /\ entries'[e].outcome = "completed" =>
  \E w \in Workers : Holds(w, e) /\ e \in step[w].ends]_vars

(* What a worker holds it lets go of only by ending it: no live finish is refused. *)
LiveIsNotRefused == [][\A w \in Workers : \A e \in believes[w] \ believes'[w] :
  Holds(w, e) => Ended(e)]_vars

(* A death is a lost worker's, and no other end of an attempt is counted as one. *)
DeathsAreOfLost == [][\A j \in Jobs :
  deaths'[j] = deaths[j] + Cardinality({e \in Written :
    JobOf(e) = j /\ Ended(e) /\ entries'[e].outcome = "rescued" /\ entries[e].worker \in lost})]_vars

-----------------------------------------------------------------------------
(* Witnesses, each told as what is not so: some state refutes it here, and some real run has. *)

NoZombie           == \A w \in lost : believes[w] = {}
NobodyIsInTime     == \A w \in lost : step[w].ends = {}
NothingLeftBySweep == \A w \in lost : HeldBy(w) # {} => IsSwept(w)
NobodyLeaves       == stopped \subseteq lost

-----------------------------------------------------------------------------
(* Liveness. A step at work comes to its end in the server, and a sweep too; sweeps go on, *)
(* each goes through all workers, and ends at least one entry where it can. No worker is   *)
(* fair: it may die, or hang.                                                              *)
FairSpec ==
  /\ Spec
  /\ \A w \in Workers : WF_vars(Commit(w) \/ Break(w))
  /\ \A l \in Sweepers : WF_vars(Skip(l) \/ \E w \in Workers : Lose(l, w)) /\ WF_vars(Done(l))
  /\ \A l \in Sweepers, w \in Workers : SF_vars(Suspect(l, w))
  /\ \A l \in Sweepers, w \in Workers, e \in Seqs : SF_vars(Rescue(l, w, e))

(* What a dead worker holds is ended in the end. *)
DeadIsRescued == \A w \in Workers, e \in Seqs : (w \in dead /\ Holds(w, e)) ~> ~Open(e)
=============================================================================
