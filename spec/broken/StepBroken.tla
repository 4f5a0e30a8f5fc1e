------------------------------ MODULE StepBroken ------------------------------
(* Step with one rule broken at a time, as QueueBroken is to Queue. *)
EXTENDS Step

(* A step that is on its way when its connection is given up begins when it arrives: the   *)
(* lock that Ask waits for is not had before, and on which connection it came nobody asks. *)
ReachesLate(k) == TRUE

(* A finish that is sent again is taken for another one. *)
LandsAgain(w, batch) == {s \in batch : owner[s] = w}

(* A finish asks whether the entry is open, not whose it is. *)
LandsOnAnybodys(w, batch) == {s \in batch : owner[s] # 0 /\ s \notin over}

(* One stale finish, and the whole batch is refused. *)
LandsWhole(w, batch) == IF batch \subseteq OpenOf(w) THEN batch ELSE {}

(* A claim that does not ask whether its worker was declared lost. *)
GivenAnyhow(k) == Unclaimed

(* A worker that asks for as many entries as it has slots, taken or not. *)
AllSlots == IF life = "draining" THEN 0 ELSE Room

(* The batch is gone with the connection that it was sent on. *)
BufferDropped ==
  /\ Alive
  /\ link \in {"up", "asked"}
  /\ conn + 1 \in Conns
  /\ link' = "down"
  /\ opened' = {}
  /\ unsure' = {}
  /\ UNCHANGED <<stored, steps, life, me, conn, running, overdue, buffer>>

(* Who looks what is open does not wait for the step that may be at work. *)
NobodyWaited(w) == TRUE

(* After a step that broke the worker sends its batch again, and asks nothing. *)
AsksNothing ==
  /\ Alive /\ link = "asked"
  /\ link' = "up"
  /\ opened' = {}
  /\ buffer' = buffer \cup unsure
  /\ unsure' = {}
  /\ steps' = [k \in Conns |-> IF steps[k].at \in {"done", "failed"} THEN Free ELSE steps[k]]
  /\ UNCHANGED <<stored, life, me, conn, running, overdue>>

(* All that is open is given back, what runs here as well. *)
GivesAllBack ==
  /\ Alive /\ link = "asked"
  /\ link' = "up"
  /\ opened' = {}
  /\ buffer' = opened
  /\ unsure' = {}
  /\ steps' = [k \in Conns |-> IF steps[k].at \in {"done", "failed"} THEN Free ELSE steps[k]]
  /\ UNCHANGED <<stored, life, me, conn, running, overdue>>

(* A worker that lost its connection tells all its handlers that their entries are over. *)
TellsAll ==
  /\ Alive /\ link = "asked"
  /\ link' = "up"
  /\ opened' = {}
  /\ buffer' = opened \ running
  /\ unsure' = {}
  /\ running' = {}
  /\ overdue' = overdue \cup running
  /\ steps' = [k \in Conns |-> IF steps[k].at \in {"done", "failed"} THEN Free ELSE steps[k]]
  /\ UNCHANGED <<stored, life, me, conn>>

(* The server takes a worker at its word that it is done, and the worker does not count what *)
(* gathers: only what runs.                                                                  *)
RetireEarly ==
  /\ life = "draining" /\ link = "up" /\ ~InFlight
  /\ running = {}
  /\ left' = left \cup {me}
  /\ life' = "stopped"
  /\ UNCHANGED <<owner, over, lost, endCount, steps, me, conn, link, opened, hands>>

(* Nobody listens for what was ended from outside, and no heartbeat asks. *)
Deaf(s) == FALSE /\ UNCHANGED vars

(* A handler that outlives its process still says what came of it. *)
SpeaksOn(s) ==
  /\ s \in overdue
  /\ overdue' = overdue \ {s}
  /\ buffer' = buffer \cup {s}
  /\ UNCHANGED <<stored, steps, life, me, conn, link, opened, running, unsure>>

(* What gathers is sent with the next claim only, and who drains claims no more. *)
SendWithClaim(batch, room) ==
  /\ Alive /\ link = "up" /\ ~InFlight
  /\ batch = buffer
  /\ room = FreeSlots
  /\ room > 0
  /\ steps' = [steps EXCEPT ![conn] = [Free EXCEPT
       !.at = "sent", !.worker = me, !.batch = batch, !.room = room]]
  /\ unsure' = batch
  /\ buffer' = {}
  /\ UNCHANGED <<stored, life, me, conn, link, opened, running, overdue>>
=============================================================================
