----------------------------- MODULE WakeBroken -----------------------------
(* Wake with one rule broken at a time. Each cfg beside this file puts one of *)
(* these in the place of a rule or a step (`After <- LookThenSleep`);         *)
(* suite.toml says which fact must then be refuted.                           *)
EXTENDS Wake

-----------------------------------------------------------------------------
(* Workers. *)

(* The look that announces the sleep is the last before it. *)
LookThenSleep(w) ==
  [Awake EXCEPT !.at = IF worker[w].heard THEN "awake" ELSE "asleep",
                !.soon = worker[w].soon \/ ~worker[w].asks, !.announced = worker[w].asks]

(* A look that was refused, for another was at work, counts as the one that announced. *)
RefusedCounts(w, asks) ==
  /\ worker[w].at = "awake"
  /\ queueLock # None
  /\ worker' = [worker EXCEPT ![w].announced = asks]
  /\ UNCHANGED <<bell, sleepers, produced, taken, queueLock, faults>>

(* A notification that comes while a look is under way brings the next one forward, and the answer *)
(* to the look puts it off again.                                                                  *)
HeardForgotten(w) ==
  LET news == worker[w].asks /\ ~worker[w].announced
  IN [Awake EXCEPT !.at = IF news THEN "awake" ELSE "asleep",
                   !.soon = worker[w].soon \/ ~worker[w].asks, !.announced = worker[w].asks]

(* What is drawn and not visible yet is left to the notification. *)
YoungForgotten(w) ==
  /\ worker[w].at = "locked"
  /\ worker' = [worker EXCEPT ![w].at = "looked", ![w].saw = Waiting]
  /\ UNCHANGED <<bell, sleepers, produced, taken, queueLock, faults>>

(* The bell says whether the worker at hand sleeps: who wants no wake-up silences it for all. *)
BellOfMine(w) ==
  /\ worker[w].at = "looked"
  /\ bell' = worker[w].asks
  /\ worker' = [worker EXCEPT ![w].at = "rung"]
  /\ UNCHANGED <<sleepers, produced, taken, queueLock, faults>>

(* A claim names its own worker as the only sleeper. *)
NamedAlone(w) == IF worker[w].asks THEN {w} ELSE {}

(* A worker whose look was rolled back takes it as carried out, and goes to sleep. *)
StillAnnounced(w) ==
  /\ worker[w].at \in Looking
  /\ faults.aborts < MaxAborts
  /\ faults' = [faults EXCEPT !.aborts = @ + 1]
  /\ queueLock' = None
  /\ worker' = [worker EXCEPT ![w] = After(w)]
  /\ UNCHANGED <<bell, sleepers, produced, taken>>

-----------------------------------------------------------------------------
(* Producers. *)

(* First the question who sleeps, then the number. *)
AskFirst(p) ==
  /\ job[p].at = "idle"
  /\ job' = [job EXCEPT ![p].at = "idle", ![p].rings = bell, ![p].young = TRUE]
  /\ ~job[p].young
  /\ UNCHANGED told
  /\ Unproduced
DrawThen(p) ==
  /\ job[p].at = "idle" /\ job[p].young
  /\ job' = [job EXCEPT ![p].at = "asked"]
  /\ UNCHANGED told
  /\ Unproduced

(* The notification is sent before the commit: who is woken looks, sees nothing, and sleeps on. *)
AskAndNotify(p) ==
  /\ job[p].at = "drawn"
  /\ job' = [job EXCEPT ![p].at = "asked", ![p].rings = bell]
  /\ told' = IF bell THEN told \cup Alive ELSE told
  /\ Unproduced
NobodyRings(p) == FALSE

(* A producer that was open for long goes by what it was told when it asked. *)
AsTold(p) == job[p].rings

(* A producer whose commit was not answered takes it for rolled back. *)
UnansweredIsGone(p) ==
  /\ job[p].at \in {"drawn", "asked", "committed"}
  /\ job' = [job EXCEPT ![p] = [at |-> "gone", rings |-> FALSE, young |-> FALSE]]
  /\ UNCHANGED told
  /\ Unproduced

-----------------------------------------------------------------------------
(* The end of a worker. *)

(* The poll does not ask whether its worker was declared lost. *)
DeadPolls(w) ==
  /\ worker[w].at \in {"asleep", "dead"}
  /\ worker' = [worker EXCEPT ![w].at = "awake"]
  /\ UNCHANGED <<bell, sleepers, produced, taken, queueLock, faults>>

(* With the dead the bell is silenced, whoever else sleeps. *)
SilencedForAll(w) ==
  /\ worker[w].at = "dead" /\ w \in sleepers
  /\ queueLock = None
  /\ sleepers' = sleepers \ {w}
  /\ bell' = FALSE
  /\ UNCHANGED <<produced, taken, queueLock, worker, faults>>

(* Nobody forgets the dead. *)
NobodyForgets(w) == FALSE /\ UNCHANGED vars

(* The queue's lock is the session's, and outlives the claim of who was killed. *)
LockKept(w) ==
  /\ worker[w].at # "dead"
  /\ faults.deaths < MaxDeaths
  /\ faults' = [faults EXCEPT !.deaths = @ + 1]
  /\ worker' = [worker EXCEPT ![w] = [Awake EXCEPT !.at = "dead"]]
  /\ told' = told \ {w}
  /\ UNCHANGED <<bell, sleepers, job, taken, queueLock>>
=============================================================================
