----------------------------- MODULE WatchBroken -----------------------------
(* Watch with one rule broken at a time. Each cfg beside this file puts one of *)
(* these in the place of the action it is named after (`Watch <- AgeAlone`);   *)
(* suite.toml says which fact must then be refuted.                            *)
EXTENDS Watch

SuspectsIf(condition, began) ==
  /\ isUp
  /\ watched' = 0 /\ since' = began
  /\ suspects' = IF condition THEN {w \in Workers \ lost : seen[w] > Stale} ELSE {}
  /\ UNCHANGED <<seen, lost, start, isUp, dead, calm, away, missed, late, troubles>>

Whole == watched >= 0 /\ watched <= Gap
Began == IF Whole THEN since ELSE 0

(* Only the heartbeat's age is asked: after an outage all are lost at once. *)
AgeAlone == SuspectsIf(TRUE, Began)

(* Only the server's start is asked: an outage of the network is none. *)
StartAlone == SuspectsIf(start >= Stale, Began)

(* The server's start is not asked: it is not in the leader's row. *)
StartForgotten == SuspectsIf(Began >= Stale, Began)

(* A gap is only looked for between readings that are in order: a reading of the future, *)
(* or of long ago, begins nothing anew.                                                  *)
GapForgotten == SuspectsIf(since >= Stale /\ start >= Stale, since)

(* An election takes up the leader's row as it is, and notes that it has read just now: *)
(* the gap is covered.                                                                  *)
ElectGoesOn ==
  /\ Trouble
  /\ isUp
  /\ watched' = 0
  /\ suspects' = {}
  /\ UNCHANGED <<seen, lost, since, start, isUp, dead, calm, away, missed, late>>

(* Whether there was a gap is asked when a sweep begins, and what a heartbeat's age is when *)
(* the sweep comes to its worker: the server stood still, or its clock stepped, in between. *)
WatchThenJudge ==
  /\ isUp
  /\ watched' = 0 /\ since' = Began
  /\ suspects' = Workers \ lost
  /\ UNCHANGED <<seen, lost, start, isUp, dead, calm, away, missed, late, troubles>>
JudgeLater(w) ==
  /\ w \in suspects
  /\ seen[w] > Stale /\ since >= Stale /\ start >= Stale
  /\ lost' = lost \cup {w}
  /\ suspects' = suspects \ {w}
  /\ UNCHANGED <<seen, watched, since, start, isUp, dead, calm, away, missed, late, troubles>>

(* Any reading begins the time to speak anew: nobody is ever lost. *)
AlwaysAnew == SuspectsIf(since >= Stale /\ start >= Stale, 0)
=============================================================================
