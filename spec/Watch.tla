-------------------------------- MODULE Watch --------------------------------
(* When a worker is lost: its heartbeat is old, and it had time to speak.     *)
(*                                                                            *)
(* After an outage every heartbeat is old, and nobody is dead. So the leader  *)
(* keeps in its row when it last read the heartbeats, and since when it has   *)
(* done so without a gap; a start of the server begins that anew, and so do   *)
(* an election and a clock that steps. A worker is suspected only when this   *)
(* goes back as far as a heartbeat may be old.                                *)
(*                                                                            *)
(* Times are ages: how long ago, by the database's clock. An age below 0 lies *)
(* in the future, once the clock was put back. No age goes beyond Old, where  *)
(* every comparison has come out the same way already.                        *)
EXTENDS Integers, FiniteSets

CONSTANTS
  Workers,     \* set of worker ids, strings
  Stale,       \* a heartbeat that is older is stale
  Gap,         \* two readings that are farther apart leave a gap; less than Stale
  Leaps,       \* set of numbers: by how much the clock may step on
  Backs,       \* set of numbers, none above Gap: by how much it may step back
  MaxTroubles  \* bound of the model: outages, restarts, elections and leaps

VARIABLES      \* what the database knows
  seen,        \* [Workers -> Age]   the worker's last heartbeat
  lost,        \* SUBSET Workers     declared lost
  watched,     \* Age                the leader's last reading of the heartbeats
  since,       \* Age                when its readings without a gap began
  start,       \* Age                the server's start
               \* what the sweep at work has read
  suspects,    \* SUBSET Workers     were stale when they were read, and have not spoken since
               \* the world
  isUp,        \* BOOLEAN            whether the database can be reached
  dead,        \* SUBSET Workers     whose processes have ended
               \* ghosts
  calm,        \* Age                the end of the last trouble that is an excuse
  away,        \* Age                the last time that the database went, or came, or its clock stepped
  missed,      \* SUBSET Workers     have let time pass in which they could have spoken
  late,        \* SUBSET Workers     were stale, and no trouble was an excuse; have not spoken since
  troubles     \* 0..MaxTroubles

vars == <<seen, lost, watched, since, start, suspects, isUp, dead, calm, away, missed, late, troubles>>

Old  == Stale + 1
Ages == (-Old)..Old
Max(a, b) == IF a > b THEN a ELSE b
Min(a, b) == IF a < b THEN a ELSE b

(* An age after the clock has gone on by d, or back. *)
Later(age, d) == Max(-Old, Min(Old, age + d))

TypeOK ==
  /\ seen \in [Workers -> Ages] /\ {watched, since, start, calm, away} \subseteq Ages
  /\ lost \subseteq Workers /\ suspects \subseteq Workers /\ dead \subseteq Workers
  /\ missed \subseteq Workers /\ late \subseteq Workers /\ isUp \in BOOLEAN /\ troubles \in 0..MaxTroubles

(* Everybody has just registered, and a leader was just elected. *)
Init ==
  /\ seen = [w \in Workers |-> 0] /\ watched = 0 /\ since = 0 /\ start = 0 /\ calm = 0 /\ away = Old
  /\ lost = {} /\ suspects = {} /\ dead = {} /\ missed = {} /\ late = {} /\ isUp = TRUE /\ troubles = 0

-----------------------------------------------------------------------------
(* The world. *)

Age(d) ==
  /\ seen' = [w \in Workers |-> Later(seen[w], d)]
  /\ watched' = Later(watched, d) /\ since' = Later(since, d) /\ start' = Later(start, d)

Tardy == late \cup {w \in Workers : seen'[w] > Stale}

(* Pass: time goes by. Who could have spoken and did not has missed its time. Not in a *)
(* trace: it is placed by the clock that two events carry.                             *)
Pass ==
  /\ Age(1)
  /\ calm' = Later(calm, 1) /\ away' = Later(away, 1)
  /\ missed' = IF isUp THEN missed \cup {w \in Workers : seen[w] > 0} ELSE missed
  /\ late' = IF (isUp \/ away' <= Gap) /\ calm' >= Stale THEN Tardy ELSE late
  /\ UNCHANGED <<lost, suspects, isUp, dead, troubles>>

Trouble == troubles < MaxTroubles /\ troubles' = troubles + 1

(* Cut: nobody reaches the database, and it may be stopped. (Troubles that follow each other *)
(* too fast for a heartbeat, and not for a reading, are not promised to be an excuse.)       *)
(* Shown by: PgStopped or ConnCut.                                                           *)
Cut ==
  /\ Trouble
  /\ isUp                          \* inert: an outage during another is the same outage
  /\ away >= Stale
  /\ isUp' = FALSE
  /\ away' = 0
  /\ UNCHANGED <<seen, lost, watched, since, start, suspects, dead, calm, missed, late>>

(* Mend: it can be reached again. Was that longer than a gap, the workers begin anew. *)
(* Shown by: PgStarted, or what comes next.                                           *)
Mend ==
  /\ ~isUp
  /\ isUp' = TRUE
  /\ calm' = IF away > Gap THEN 0 ELSE calm
  /\ away' = 0
  /\ UNCHANGED <<seen, lost, watched, since, start, suspects, dead, missed, late, troubles>>

(* Restart: the server starts; what was at work is gone. Shown by: PgStarted. *)
Restart ==
  /\ Trouble
  /\ start' = 0 /\ calm' = 0
  /\ suspects' = {}
  /\ UNCHANGED <<seen, lost, watched, since, isUp, dead, away, missed, late>>

(* Leap: the server's clock steps, or the whole server stood still for a time. (Put back *)
(* during an outage, it would hide a part of it.) Shown by: the clock that events carry.  *)
Leap(d) ==
  /\ Trouble
  /\ isUp                          \* inert: then nobody could say how long the outage was
  /\ away >= Stale
  /\ Age(d)
  /\ away' = 0
  /\ calm' = IF d > Gap THEN 0 ELSE Later(calm, d)
  /\ late' = IF calm' >= Stale THEN Tardy ELSE late
  /\ UNCHANGED <<lost, suspects, isUp, dead, missed>>

(* Die: a worker's process ends. Shown by: Killed. *)
Die(w) ==
  /\ dead' = dead \cup {w}
  /\ UNCHANGED <<seen, lost, watched, since, start, suspects, isUp, calm, away, missed, late, troubles>>

-----------------------------------------------------------------------------
(* The database. *)

(* Heartbeat: a worker speaks. Whoever suspects it finds another time in its row. *)
(* Shown by: Heartbeat.                                                           *)
Heartbeat(w) ==
  /\ isUp                          \* inert: nobody is lost for having spoken
  /\ w \notin dead
  /\ w \notin lost                 \* inert: whoever is lost stays so; what that means is in Rescue
  /\ seen' = [seen EXCEPT ![w] = 0]
  /\ suspects' = suspects \ {w}
  /\ missed' = missed \ {w} /\ late' = late \ {w}
  /\ UNCHANGED <<lost, watched, since, start, isUp, dead, calm, away, troubles>>

(* Elect: another leader; it has read nothing yet. Shown by: Elect. *)
Elect ==
  /\ Trouble
  /\ isUp
  /\ watched' = 0 /\ since' = 0
  /\ suspects' = {}
  /\ UNCHANGED <<seen, lost, start, isUp, dead, calm, away, missed, late>>

(* Watch: the leader reads the heartbeats. If it has read them without a gap for as long as *)
(* they may be old, and the server has run as long, it suspects who is stale at this very   *)
(* instant; a sweep may be at work for long, and what passes meanwhile is nobody's fault.   *)
(* Shown by: Watch.                                                                         *)
Watch ==
  LET whole == /\ watched >= 0   \* inert here: it is for clocks that are put back by more than a gap
               /\ watched <= Gap
      began == IF whole THEN since ELSE 0
  IN /\ isUp
     /\ watched' = 0 /\ since' = began
     /\ suspects' = IF began >= Stale /\ start >= Stale
                    THEN {w \in Workers \ lost : seen[w] > Stale} ELSE {}
     /\ UNCHANGED <<seen, lost, start, isUp, dead, calm, away, missed, late, troubles>>

(* Lose: the sweep goes on to a suspect, and declares it lost. Shown by: Lose. *)
Lose(w) ==
  /\ w \in suspects
  /\ lost' = lost \cup {w}
  /\ suspects' = suspects \ {w}
  /\ UNCHANGED <<seen, watched, since, start, isUp, dead, calm, away, missed, late, troubles>>

Next ==
  \/ Pass \/ Cut \/ Mend \/ Restart \/ Elect \/ Watch
  \/ \E d \in Leaps : Leap(d)
  \/ \E d \in Backs : Leap(-d)
  \/ \E w \in Workers : Heartbeat(w) \/ Die(w) \/ Lose(w)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Step properties. *)

(* Nobody is lost who has spoken whenever it could. *)
InTimeIsNotLost == [][\A w \in lost' \ lost : w \in missed]_vars

(* Nobody is lost on account of an outage, a restart or a step of the clock: after it there *)
(* was as much time to speak as a heartbeat may be old.                                     *)
TimeToSpeak == [][\A w \in lost' \ lost : w \in late]_vars

-----------------------------------------------------------------------------
(* Liveness. Troubles come to an end; the leader reads in time whenever it can, and goes *)
(* on to whom it suspects; time passes. No worker is fair.                               *)
ReadsInTime == isUp /\ troubles' = troubles /\ watched' > watched => watched < Gap
FairSpec ==
  /\ Init /\ [][Next /\ ReadsInTime]_vars
  /\ WF_vars(Watch /\ watched # 0) /\ WF_vars(Pass) /\ WF_vars(Mend)
  /\ \A w \in Workers : WF_vars(Lose(w))

(* A dead worker is lost in the end. *)
DeadIsLost == \A w \in Workers : w \in dead ~> w \in lost
=============================================================================
