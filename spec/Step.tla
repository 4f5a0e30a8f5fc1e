--------------------------------- MODULE Step ---------------------------------
(* One worker process and its connection: one step in flight, which finishes   *)
(* the last batch and claims the next in one commit, though its answer may     *)
(* never come.                                                                 *)
(*                                                                             *)
(* A finish is kept until it is known to be over. After a step that broke, the *)
(* worker asks what is open under its id: what it does not know it gives back, *)
(* for it is alive, and so no rescue would come. The step may be at work still *)
(* when the worker is connected again; whoever asks waits for it.              *)
(*                                                                             *)
(* Releases and finishes are one here: both name an entry that is to end.      *)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  Seqs,       \* set of entries, numbers
  Ids,        \* 1..n: the worker ids that the process comes to have, one after the other
  Conns,      \* 1..n: the connections that it comes to have, one after the other
  Room        \* its slots

VARIABLES     \* what is stored
  owner,      \* [Seqs -> Ids or 0]     whose claim holds the entry; 0: nobody's
  over,       \* SUBSET Seqs            the entries that ended
  lost,       \* SUBSET Ids             declared lost
  left,       \* SUBSET Ids             retired
              \* what the server is at, for this process
  steps,      \* [Conns -> Step]        the step of each connection
              \* what the process knows
  life,       \* Lives
  me,         \* Ids                    its id
  conn,       \* Conns                  its connection, in use or broken
  link,       \* Links                  "asked": it has asked what is open, and not acted on it
  opened,     \* SUBSET Seqs            what was open when it asked
  running,    \* SUBSET Seqs            entries whose handlers run
  overdue,    \* SUBSET Seqs            entries that are over, their handlers were told and go on
  buffer,     \* SUBSET Seqs            finishes that are to be sent
  unsure,     \* SUBSET Seqs            finishes that were sent and not answered
              \* ghost: history nobody stores
  endCount    \* [Seqs -> Nat]          how often the entry ended

stored  == <<owner, over, lost, left, endCount>>
hands   == <<running, overdue, buffer, unsure>>
process == <<life, me, conn, link, opened, hands>>
vars    == <<stored, steps, process>>

None  == "none"
Lives == {"up", "draining", "stopped", "crashed"}
Links == {"up", "down", "asked"}
Free  == [at |-> "free", worker |-> 0, batch |-> {}, room |-> 0, alive |-> FALSE,
          took |-> {}, stale |-> {}]
Ats   == {"free", "sent", "begun", "done", "failed"}

OpenOf(w) == {s \in Seqs : owner[s] = w /\ s \notin over}
Unclaimed == {s \in Seqs : owner[s] = 0 /\ s \notin over}
Alive     == life \in {"up", "draining"}
InFlight  == steps[conn].at # "free"
Ends(S)   == over' = over \cup S /\
             endCount' = [s \in Seqs |-> IF s \in S THEN endCount[s] + 1 ELSE endCount[s]]

TypeOK ==
  /\ owner \in [Seqs -> Ids \cup {0}] /\ over \subseteq Seqs
  /\ lost \subseteq Ids /\ left \subseteq Ids
  /\ life \in Lives /\ me \in Ids /\ conn \in Conns /\ link \in Links
  /\ \A S \in {running, overdue, buffer, unsure, opened} : S \subseteq Seqs
  /\ \A k \in Conns : steps[k].at \in Ats /\ steps[k].batch \subseteq Seqs

Init ==
  /\ owner = [s \in Seqs |-> 0] /\ over = {} /\ lost = {} /\ left = {}
  /\ endCount = [s \in Seqs |-> 0]
  /\ steps = [k \in Conns |-> Free]
  /\ life = "up" /\ me = 1 /\ conn = 1 /\ link = "up" /\ opened = {}
  /\ running = {} /\ overdue = {} /\ buffer = {} /\ unsure = {}

-----------------------------------------------------------------------------
(* The process and its handlers. *)

(* Send: the gathered finishes go out, and the free slots are asked for. What handlers say *)
(* from now on gathers for the next step. Who drains asks for nothing.                     *)
(* Trace: StepSent.                                                                        *)
FreeSlots == IF life = "draining" THEN 0 ELSE Room - Cardinality(running \cup overdue)

Send(batch, room) ==
  /\ Alive /\ link = "up" /\ ~InFlight
  /\ batch = buffer
  /\ room = FreeSlots
  /\ batch # {} \/ room > 0
  /\ steps' = [steps EXCEPT ![conn] = [Free EXCEPT
       !.at = "sent", !.worker = me, !.batch = batch, !.room = room]]
  /\ unsure' = batch
  /\ buffer' = {}
  /\ UNCHANGED <<stored, life, me, conn, link, opened, running, overdue>>

(* Answer: the step is acknowledged. What it carried is settled, what it brings begins; *)
(* during a drain that goes straight back. What was stale is counted: its handler has   *)
(* ended, or was told before.                                                           *)
(* Trace: StepAcked.                                                                    *)
Answer(took) ==
  /\ Alive
  /\ link = "up"          \* inert: a late answer would be as good as an early one
  /\ steps[conn].at = "done"
  /\ took = steps[conn].took
  /\ unsure' = {}
  /\ IF life = "draining" THEN buffer' = buffer \cup took /\ UNCHANGED running
                          ELSE running' = running \cup took /\ UNCHANGED buffer
  /\ steps' = [steps EXCEPT ![conn] = Free]
  /\ UNCHANGED <<stored, life, me, conn, link, opened, overdue>>

(* Break: the connection breaks, or the step was refused, or its answer was waited for in *)
(* vain. What was sent stays unsure. The bound of the model: there is another connection. *)
(* Trace: StepLost; of a connection that broke between steps, ConnCut.                    *)
Break ==
  /\ Alive
  /\ link \in {"up", "asked"}   \* inert: otherwise a step that changes nothing
  /\ conn + 1 \in Conns
  /\ link' = "down"
  /\ opened' = {}
  /\ UNCHANGED <<stored, steps, life, me, conn, hands>>

(* Ask: on a new connection, ask what is open under the id. The answer waits (for the    *)
(* worker's lock, exclusively) until no step of that id is at work.                      *)
(* Trace: OpenEntries, to be written by the process, with what it was answered.          *)
NoneAtWork(w) == \A k \in Conns : steps[k].at = "begun" => steps[k].worker # w

Ask(found) ==
  /\ Alive /\ link = "down"
  /\ NoneAtWork(me)
  /\ found = OpenOf(me)
  /\ conn' = conn + 1
  /\ link' = "asked"
  /\ opened' = found
  /\ UNCHANGED <<stored, steps, life, me, hands>>

(* Mend: act on the answer. What is open and runs here goes on; what is open otherwise is *)
(* to be finished, as its handler said, or given back if nobody here knows it. Of what is *)
(* not open there is nothing left to say; a handler that runs it is told.                 *)
(* Trace: Mended.                                                                         *)
Mend ==
  /\ Alive /\ link = "asked"
  /\ link' = "up"
  /\ opened' = {}
  /\ buffer' = opened \ running
  /\ unsure' = {}
  /\ running' = running \cap opened
  /\ overdue' = overdue \cup (running \ opened)
  /\ steps' = [k \in Conns |-> IF steps[k].at \in {"done", "failed"} THEN Free ELSE steps[k]]
  /\ UNCHANGED <<stored, life, me, conn>>

(* Register: a worker that was declared lost gets another id. What ran under the former is *)
(* over, or will be; what its handlers say is refused.                                     *)
(* Trace: Register.                                                                        *)
Register(w) ==
  /\ Alive
  /\ link = "up"          \* inert: what the lost id holds is the leader's, whoever asks for it
  /\ ~InFlight            \* inert: and so is what its step in flight may do
  /\ me \in lost
  /\ w = me + 1           \* inert: a bound; an id is never used again
  /\ me' = w
  /\ UNCHANGED <<stored, steps, life, conn, link, opened, hands>>

(* HandlerEnd: a handler has ended. If its entry was open as far as is known here, that is *)
(* to be finished.                                                                         *)
(* Trace: HandlerEnd.                                                                      *)
HandlerEnd(s) ==
  /\ Alive
  /\ \/ s \in running /\ running' = running \ {s} /\ buffer' = buffer \cup {s} /\ UNCHANGED overdue
     \/ s \in overdue /\ overdue' = overdue \ {s} /\ UNCHANGED <<running, buffer>>
  /\ UNCHANGED <<stored, steps, life, me, conn, link, opened, unsure>>

(* EndEarly: the worker ends what is past its deadline, and, when it has drained for long, *)
(* what still runs. Its handler is told, and what that says later is not sent.             *)
(* Trace: Cancelled.                                                                       *)
EndEarly(s) ==
  /\ s \in running
  /\ running' = running \ {s}
  /\ overdue' = overdue \cup {s}
  /\ buffer' = buffer \cup {s}
  /\ UNCHANGED <<stored, steps, life, me, conn, link, opened, unsure>>

(* Learn: a wake-up or a heartbeat says that an entry was ended from outside. *)
(* Trace: Cancelled.                                                          *)
Learn(s) ==
  /\ s \in running /\ s \in over
  /\ running' = running \ {s}
  /\ overdue' = overdue \cup {s}
  /\ UNCHANGED <<stored, steps, life, me, conn, link, opened, buffer, unsure>>

(* Drain: the process is asked to stop. *)
(* Trace: Draining.                     *)
Drain ==
  /\ life = "up"
  /\ life' = "draining"
  /\ UNCHANGED <<stored, steps, me, conn, link, opened, hands>>

(* Retire: who drains and has nothing in hand leaves, if nothing is open under its id. *)
(* Trace: Retire.                                                                      *)
InHand == running \cup buffer \cup unsure

Retire ==
  /\ life = "draining"
  /\ link = "up" /\ ~InFlight   \* inert: the server looks for itself, as follows
  /\ InHand = {}
  /\ NoneAtWork(me)               \* inert: Ask has waited for it
  /\ OpenOf(me) = {}              \* inert: Ask has found what is open
  /\ left' = left \cup {me}
  /\ life' = "stopped"
  /\ UNCHANGED <<owner, over, lost, endCount, steps, me, conn, link, opened, hands>>

(* Crash: the process ends anywhere. What it held is the leader's to rescue. *)
(* Trace: Killed.                                                            *)
Crash ==
  /\ Alive
  /\ life' = "crashed"
  /\ running' = {} /\ overdue' = {} /\ buffer' = {} /\ unsure' = {} /\ opened' = {}
  /\ UNCHANGED <<stored, steps, me, conn, link>>

-----------------------------------------------------------------------------
(* The server. It does not know whether anybody still waits for its answer. *)

(* Begin: the step reaches the server, takes the lock of its worker, shared, and reads      *)
(* whether that is alive, and on which connection it last asked: nothing of an earlier one  *)
(* begins any more.                                                                         *)
(* Not in a trace: placed right before its commit.                                          *)
Reaches(k) == k = conn

Begin(k) ==
  /\ steps[k].at = "sent"
  /\ Reaches(k)
  /\ steps' = [steps EXCEPT ![k].at = "begun",
                            ![k].alive = steps[k].worker \notin lost \cup left]
  /\ UNCHANGED <<stored, process>>

(* What of a batch ends: what is open, and w's. *)
Lands(w, batch) == batch \cap OpenOf(w)

(* Step: the finishes and the claim, in one commit. Who was declared lost, or has left, is *)
(* given nothing; what it finishes may still be in time.                                   *)
(* Trace: Complete, and Claim, of one transaction.                                         *)
Given(k) == IF steps[k].alive THEN Unclaimed ELSE {}

Step(k, ended, took) ==
  LET w == steps[k].worker
  IN /\ steps[k].at = "begun"
     /\ ended = Lands(w, steps[k].batch)
     /\ took \subseteq Given(k) /\ Cardinality(took) <= steps[k].room
     /\ Ends(ended)
     /\ owner' = [s \in Seqs |-> IF s \in took THEN w ELSE owner[s]]
     /\ steps' = [steps EXCEPT ![k] = [@ EXCEPT
          !.at = "done", !.took = took, !.stale = steps[k].batch \ ended]]
     /\ UNCHANGED <<lost, left, process>>

(* Abort: the step is refused, or its backend killed: nothing of it is there. *)
(* Trace: StepLost, and no event with its cause.                              *)
Abort(k) ==
  /\ steps[k].at \in {"sent", "begun"}   \* inert: one that is done may lose its answer as well
  /\ k + 1 \in Conns
  /\ steps' = [steps EXCEPT ![k].at = "failed"]
  /\ UNCHANGED <<stored, process>>

(* EndOpen: an open entry is ended from outside: a cancel, a deadline, a rescue. *)
(* Trace: EndOpen.                                                               *)
EndOpen(s) ==
  /\ owner[s] # 0         \* inert: what nobody holds may be cancelled, too
  /\ s \notin over
  /\ Ends({s})
  /\ UNCHANGED <<owner, lost, left, steps, process>>

(* Lose: the leader declares the worker lost, when none of its steps is at work. *)
(* Trace: Rescue.                                                                *)
Lose(w) ==
  /\ w + 1 \in Ids        \* inert: a bound
  /\ w \notin lost        \* inert: otherwise a step that changes nothing
  /\ NoneAtWork(w)
  /\ lost' = lost \cup {w}
  /\ UNCHANGED <<owner, over, left, endCount, steps, process>>

Server(k) == Begin(k) \/ Abort(k) \/ \E ended, took \in SUBSET Seqs : Step(k, ended, took)

Process ==
  \/ Mend
  \/ \E batch \in SUBSET Seqs, room \in 0..Room : Send(batch, room)
  \/ \E took \in SUBSET Seqs : Answer(took)
  \/ \E found \in SUBSET Seqs : Ask(found)
  \/ \E w \in Ids : Register(w)

Next ==
  \/ Process \/ Break \/ Drain \/ Retire \/ Crash
  \/ \E k \in Conns : Server(k)
  \/ \E s \in Seqs : HandlerEnd(s) \/ EndEarly(s) \/ Learn(s) \/ EndOpen(s)
  \/ \E w \in Ids : Lose(w)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Invariants. *)

EndedOnce == \A s \in Seqs : endCount[s] <= 1

(* What runs here is in nobody's batch, and what is sent is not in the next batch. *)
OneHand == running \cap (buffer \cup unsure) = {} /\ buffer \cap unsure = {}

(* Handlers never hold more slots than there are. *)
RoomKept == Cardinality(running \cup overdue) <= Room

(* A worker that stopped in peace has left nothing: not in hand, and not open. *)
StopIsClean ==
  /\ \A w \in left : OpenOf(w) = {}
  /\ life = "stopped" => InHand = {}

-----------------------------------------------------------------------------
(* Step properties. *)

Commits(k) == steps[k].at = "begun" /\ steps'[k].at = "done"
Newly      == over' \ over

(* A step ends only what is open and its own worker's. *)
FinishFenced == [][\A k \in Conns : Commits(k) =>
  \A s \in Newly : s \in steps[k].batch /\ owner[s] = steps[k].worker]_vars

(* What it calls stale is over, or another's. *)
StaleIsTrue == [][\A k \in Conns : Commits(k) =>
  \A s \in steps'[k].stale : s \in over \/ owner[s] # steps[k].worker]_vars

(* Who was declared lost, or has left, is given nothing. *)
LostClaimsNothing == [][\A s \in Seqs :
  owner'[s] # owner[s] => owner'[s] \notin lost \cup left]_vars

(* Who has stopped, or crashed, does nothing any more, and sends nothing. *)
StoppedIsStill == [][~Alive => UNCHANGED process /\
  \A k \in Conns : steps'[k].at = "sent" => steps'[k] = steps[k]]_vars

(* What a handler said is kept until its entry is over, or its worker lost: crashes excepted. *)
NothingForgotten == [][\A s \in buffer \cup unsure :
  s \in buffer' \cup unsure' \/ s \in over \/ owner[s] \in lost \/ life' = "crashed"]_vars

(* Who is told that its entry is over, runs it, and is told the truth: it was ended, or is *)
(* being ended, or is the leader's to end.                                                 *)
ToldIsTrue == [][\A s \in overdue' \ overdue :
  s \in running /\ (s \in over \cup buffer' \/ owner[s] \in lost)]_vars

-----------------------------------------------------------------------------
(* Liveness. The process goes on, and the server; a drain ends what still runs. No handler *)
(* is fair. Connections break as often as the bound says, and then no more.                *)
FairSpec ==
  /\ Spec
  /\ WF_vars(Process)
  /\ \A k \in Conns : WF_vars(Server(k))
  /\ WF_vars(Alive /\ InFlight /\ steps[conn].at = "failed" /\ Break)
  /\ \A s \in Seqs : WF_vars(Learn(s)) /\ WF_vars(life = "draining" /\ EndEarly(s))
  /\ WF_vars(Retire)

(* What is open under a live worker is something that it runs or is about to finish, in the end. *)
Orphan(s)   == Alive /\ s \notin over /\ owner[s] \in Ids \ lost /\ s \notin InHand
HeldIsKnown == \A s \in Seqs : Orphan(s) ~> ~Orphan(s)

(* What a handler said is settled in the end. *)
SaidIsSettled == \A s \in Seqs : s \in buffer \cup unsure ~> s \notin buffer \cup unsure

(* A handler whose entry was ended from outside is told, or has ended. *)
OverIsTold == \A s \in Seqs : s \in running \cap over ~> s \notin running

(* Who drains stops. *)
DrainEnds == life = "draining" ~> ~Alive
=============================================================================
