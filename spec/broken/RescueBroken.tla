----------------------------- MODULE RescueBroken -----------------------------
(* Rescue with one rule broken at a time. Each cfg beside this file puts one of *)
(* these in the place of the action it is named after (`Lose <- Unlocked`);     *)
(* suite.toml says which fact must then be refuted.                             *)
EXTENDS Rescue

-----------------------------------------------------------------------------
(* A worker's step. *)

(* Asked before the lock: the worker is found alive, then waits for the sweep that *)
(* declares it lost.                                                               *)
AskThenLock(w) ==
  /\ w \in registered \ dead
  /\ \/ /\ step[w].at = "idle"
        /\ step' = [step EXCEPT ![w] = [NoStep EXCEPT !.at = "asked", !.alive = w \notin lost \cup stopped]]
     \/ /\ step[w].at = "asked"
        /\ ~IsSwept(w)
        /\ step' = [step EXCEPT ![w].at = "locked"]
  /\ UNCHANGED <<fleet, places, sweep, believes>>

(* Asked whether it was declared lost, and not whether it has left: a step that was held *)
(* up on its way comes after the worker has retired.                                     *)
AskIfLost(w) ==
  /\ w \in registered \ dead
  /\ ~IsStepping(w)
  /\ ~IsSwept(w)
  /\ step' = [step EXCEPT ![w] = [NoStep EXCEPT !.at = "locked", !.alive = w \notin lost]]
  /\ UNCHANGED <<fleet, places, sweep, believes>>

(* A claim that never asks: a zombie is given work. *)
ClaimUnasked(w, e) ==
  /\ IsStepping(w)
  /\ Ready(e)
  /\ \A v \in Workers : e \notin step[v].took
  /\ step' = [step EXCEPT ![w].took = @ \cup {e}]
  /\ UNCHANGED <<fleet, places, sweep, believes>>

(* A claim that reads what another has taken and not committed. *)
ClaimUnseen(w, e) ==
  /\ IsStepping(w)
  /\ step[w].alive
  /\ Ready(e)
  /\ step' = [step EXCEPT ![w].took = @ \cup {e}]
  /\ UNCHANGED <<fleet, places, sweep, believes>>

(* No fence: a step completes whatever its worker thinks it runs. *)
NoFence(w, e) ==
  /\ IsStepping(w)
  /\ e \in believes[w]
  /\ step' = [step EXCEPT ![w].ends = @ \cup {e}]
  /\ UNCHANGED <<fleet, places, sweep, believes>>

(* A live finish is refused along with a stale one: its entry stays open, and nobody runs it. *)
RefuseLive(w, e) ==
  /\ IsStepping(w)
  /\ e \in believes[w]
  /\ believes' = [believes EXCEPT ![w] = @ \ {e}]
  /\ UNCHANGED <<fleet, places, step, sweep>>

(* A heartbeat that goes by the process's name: what has registered anew under it keeps *)
(* its own earlier id alive.                                                            *)
HeartbeatByName(w) ==
  /\ w \in registered \ (dead \cup lost \cup stopped)
  /\ sweep' = [l \in Sweepers |-> [sweep[l] EXCEPT !.unheard = FALSE]]
  /\ UNCHANGED <<fleet, places, step, believes>>

(* Retire without a look: what is still open is left to nobody. *)
RetireUnlooked(w) ==
  /\ w \in registered \ (dead \cup lost)
  /\ ~IsStepping(w)
  /\ stopped' = stopped \cup {w}
  /\ UNCHANGED <<registered, lost, dead, places, step, sweep, believes>>

(* Retire without the lock: a step that broke is still at work, and commits its claim. *)
RetireUnlocked(w) ==
  /\ w \in registered \ (dead \cup lost)
  /\ HeldBy(w) = {}
  /\ stopped' = stopped \cup {w}
  /\ UNCHANGED <<registered, lost, dead, places, step, sweep, believes>>

-----------------------------------------------------------------------------
(* The leader's sweeps. *)

(* Rescue without the lock: a claim at work commits after the look. *)
Unlocked(l, w) ==
  /\ sweep[l].at = "suspects" /\ sweep[l].worker = w
  /\ ~IsSwept(w)
  /\ w \in lost \/ sweep[l].unheard
  /\ lost' = lost \cup {w}
  /\ sweep' = [sweep EXCEPT ![l].at = "locked"]
  /\ UNCHANGED <<registered, stopped, dead, places, step, believes>>

(* A worker is lost by what was read of it, though it has spoken since. *)
LoseUnread(l, w) ==
  /\ sweep[l].at = "suspects" /\ sweep[l].worker = w
  /\ ~IsStepping(w) /\ ~IsSwept(w)
  /\ lost' = lost \cup {w}
  /\ sweep' = [sweep EXCEPT ![l].at = "locked"]
  /\ UNCHANGED <<registered, stopped, dead, places, step, believes>>

(* Sweeps look for workers to be declared lost, and forget those that they were not done with. *)
SuspectAlive(l, w) ==
  /\ sweep[l].at = "idle"
  /\ w \in registered \ (stopped \cup lost)
  /\ sweep' = [sweep EXCEPT ![l] = [at |-> "suspects", worker |-> w, unheard |-> TRUE]]
  /\ UNCHANGED <<fleet, places, step, believes>>

(* The worker is gone when its sweep is over, whatever is left. *)
DoneAtOnce(l) ==
  /\ sweep[l].at = "locked"
  /\ stopped' = stopped \cup {sweep[l].worker}
  /\ sweep' = [sweep EXCEPT ![l] = NoSweep]
  /\ UNCHANGED <<registered, lost, dead, places, step, believes>>

-----------------------------------------------------------------------------
(* How an attempt ends from outside. *)

EndAs(e, deadly, where) ==
  /\ entries' = [entries EXCEPT ![e].outcome = "rescued"]
  /\ deaths' = [deaths EXCEPT ![JobOf(e)] = deadly]
  /\ IF where = "deferred"
     THEN deferred' = deferred \cup {JobOf(e)} /\ UNCHANGED held
     ELSE held' = [held EXCEPT ![JobOf(e)] = where] /\ UNCHANGED deferred
  /\ UNCHANGED <<enqueued, attempt>>

(* Max attempts ignored: a job whose deadline always passes runs for ever. *)
MaxIgnored(e, died) == EndAs(e, deaths[JobOf(e)] + (IF died THEN 1 ELSE 0), "deferred")

(* Deaths are counted, and nobody acts on them: a job kills one worker after another. *)
NoQuarantine(e, died) ==
  EndAs(e, deaths[JobOf(e)] + (IF died THEN 1 ELSE 0),
        IF attempt[JobOf(e)] >= MaxAttempts THEN "failed" ELSE "deferred")

(* Every end from outside is taken for a death. *)
DeathForAll(e, died) ==
  LET deadly == deaths[JobOf(e)] + 1
  IN EndAs(e, deadly, IF deadly >= MaxDeaths THEN "quarantined"
                      ELSE IF attempt[JobOf(e)] >= MaxAttempts THEN "failed" ELSE "deferred")

(* What is held stays deferred, too. *)
InTwoPlaces(e, died) ==
  /\ entries' = [entries EXCEPT ![e].outcome = "rescued"]
  /\ deaths' = [deaths EXCEPT ![JobOf(e)] = IF died THEN @ + 1 ELSE @]
  /\ deferred' = deferred \cup {JobOf(e)}
  /\ held' = IF deaths'[JobOf(e)] >= MaxDeaths THEN [held EXCEPT ![JobOf(e)] = "quarantined"] ELSE held
  /\ UNCHANGED <<enqueued, attempt>>

(* Expire does not keep the worker from being lost meanwhile: a death that is not counted. *)
ExpireLost(w, e) ==
  /\ Holds(w, e)
  /\ e \notin step[w].ends
  /\ EndFromOutside(e, FALSE)
  /\ UNCHANGED <<fleet, step, sweep, believes>>

(* Expire reads what is open and ends it, though a finish of it is about to commit: the *)
(* part's key is not asked.                                                             *)
ExpireUnkeyed(w, e) ==
  /\ w \notin lost
  /\ Holds(w, e)
  /\ EndFromOutside(e, FALSE)
  /\ UNCHANGED <<fleet, step, sweep, believes>>
=============================================================================
