-------------------------------- MODULE Stop ---------------------------------
(* How a worker leaves: it claims no more, gives its handlers their time,      *)
(* hands back what still runs, writes what is unwritten, and retires.          *)
(*                                                                             *)
(* Handlers run in the application's loop, and the conversation with the       *)
(* database is one step at a time in the engine's: a handler's word waits      *)
(* while a step is in flight, and while the database is away. A step that      *)
(* broke may have been carried out: the worker connects again and asks what is *)
(* open under its id, which waits until the step is over.                      *)
EXTENDS Integers, FiniteSets

CONSTANTS
  Entries,     \* set of numbers: the entries that may be claimed
  MaxBreaks    \* bound of the model: steps that break

VARIABLES      \* what the database knows
  entry,       \* [Entries -> EntryState]    "held" is held by this worker
  gone,        \* {"no", "retired", "lost"}  the worker's row
               \* on the way
  sent,        \* Sent                       the step in flight, or none
               \* what the process knows
  phase,       \* Phase                      how far the stop is
  running,     \* SUBSET Entries             slots whose entries are open, as far as is known here
  said,        \* [Entries -> Verdict]       handlers' words that are not taken in
  due,         \* [Entries -> Verdict]       finishes to be sent
  unsure,      \* [Entries -> Verdict]       finishes that were sent and not answered
  linked,      \* BOOLEAN                    whether there is a connection
               \* ghosts
  begun,       \* SUBSET Entries             whose handlers have begun
  breaks       \* 0..MaxBreaks

talk == <<running, said, due, unsure>>
vars == <<entry, gone, sent, phase, talk, linked, begun, breaks>>

None   == "none"
Phases == {"run", "drain", "leave", "out"}
NoSent == [at |-> "none", room |-> FALSE, says |-> [e \in Entries |-> None], got |-> {}]
Silent == [e \in Entries |-> None]

Said(f) == {e \in Entries : f[e] # None}
HeldNow == {e \in Entries : entry[e] = "held"}

TypeOK ==
  /\ entry \in [Entries -> {"ready", "held", "completed", "released", "rescued"}]
  /\ gone \in {"no", "retired", "lost"} /\ phase \in Phases /\ linked \in BOOLEAN
  /\ sent.at \in {"none", "flying", "done", "orphan"} /\ sent.room \in BOOLEAN
  /\ sent.got \subseteq Entries /\ running \subseteq Entries /\ begun \subseteq Entries
  /\ \A e \in Entries : {said[e], due[e], unsure[e], sent.says[e]} \subseteq {"completed", "released", None}
  /\ breaks \in 0..MaxBreaks

Init ==
  /\ entry = [e \in Entries |-> "ready"] /\ gone = "no" /\ sent = NoSent /\ phase = "run"
  /\ running = {} /\ said = Silent /\ due = Silent /\ unsure = Silent
  /\ linked = TRUE /\ begun = {} /\ breaks = 0

-----------------------------------------------------------------------------
(* Handlers. *)

(* HandlerEnd: a handler is done; its word waits until it is taken in. Whoever was handed *)
(* back or cancelled may end long after, and say what it will. Shown by: HandlerEnd.      *)
HandlerEnd(e) ==
  /\ e \in begun                 \* inert: who has not begun has no slot, and is not heard
  /\ said[e] = None              \* inert: without it, a step that changes nothing
  /\ said' = [said EXCEPT ![e] = "completed"]
  /\ UNCHANGED <<entry, gone, sent, phase, running, due, unsure, linked, begun, breaks>>

-----------------------------------------------------------------------------
(* Steps. *)

(* What is to be said: what is due, and the words of those that still have their slots. *)
Taken == [e \in Entries |-> IF due[e] # None THEN due[e] ELSE IF e \in running THEN said[e] ELSE None]

(* Send: the words that have come in are taken in, and go with the step. It asks for more *)
(* only if the worker is not draining. Shown by: StepSent.                                *)
Send(room) ==
  /\ linked /\ sent.at = "none"
  /\ room \/ Said(Taken) # {}    \* inert: without it, a step that says and asks nothing
  /\ room => phase = "run"
  /\ sent' = [NoSent EXCEPT !.at = "flying", !.room = room, !.says = Taken]
  /\ unsure' = Taken
  /\ running' = running \ Said(said)
  /\ due' = Silent /\ said' = Silent
  /\ UNCHANGED <<entry, gone, phase, linked, begun, breaks>>

(* Carry: the database ends what is still held, and gives out what it chooses, if the worker *)
(* has not left. One transaction. Shown by: Complete, Release, Claim.                        *)
Carry(got) ==
  /\ sent.at \in {"flying", "orphan"}
  /\ got # {} =>
       /\ sent.room               \* inert: how much there is room for is said in Step
       /\ gone = "no"             \* inert: who is gone has no step on its way
       /\ \A e \in got : entry[e] = "ready"
  /\ entry' = [e \in Entries |->
       IF /\ entry[e] = "held"    \* inert: nothing is rescued while a step is on its way
          /\ sent.says[e] # None
       THEN sent.says[e]
       ELSE IF e \in got THEN "held" ELSE entry[e]]
  /\ sent' = IF sent.at = "orphan" THEN NoSent ELSE [sent EXCEPT !.at = "done", !.got = got]
  /\ UNCHANGED <<gone, phase, talk, linked, begun, breaks>>

(* Answer: the worker learns what it was given, and begins it; if it drains by now, what it *)
(* was given goes straight back. Shown by: StepAcked, HandlerStart.                         *)
Answer ==
  /\ sent.at = "done"
  /\ IF phase = "run"
     THEN running' = running \cup sent.got /\ begun' = begun \cup sent.got /\ UNCHANGED due
     ELSE /\ due' = [e \in Entries |-> IF e \in sent.got THEN "released" ELSE due[e]]
          /\ UNCHANGED <<running, begun>>
  /\ sent' = NoSent /\ unsure' = Silent
  /\ UNCHANGED <<entry, gone, phase, said, linked, breaks>>

(* Cut: the connection breaks; the step in flight may be carried out yet, or not, and nobody *)
(* hears of it. Shown by: StepLost or ConnCut.                                               *)
Cut ==
  /\ breaks < MaxBreaks
  /\ breaks' = breaks + 1
  /\ linked                      \* inert: what is broken breaks no more than Drop says
  /\ linked' = FALSE
  /\ sent' = IF sent.at = "flying" THEN [sent EXCEPT !.at = "orphan"] ELSE NoSent
  /\ UNCHANGED <<entry, gone, phase, talk, begun>>

(* Drop: the broken step is rolled back, or never came. Not in a trace: it leaves no event. *)
Drop ==
  /\ sent.at = "orphan"
  /\ sent' = NoSent
  /\ UNCHANGED <<entry, gone, phase, talk, linked, begun, breaks>>

(* Mend: connected again, and no step of the worker is at work any more. It asks what is open *)
(* under its id: what was said of that is said again, what is running and not open is over,   *)
(* and what nobody here runs goes back. Shown by: Ask.                                        *)
Mend ==
  /\ ~linked                     \* inert: to ask once more does no harm
  /\ sent.at = "none"
  /\ phase # "out"
  /\ linked' = TRUE
  /\ due' = [e \in Entries |->
       IF e \notin HeldNow THEN None
       ELSE IF unsure[e] # None THEN unsure[e]
       ELSE IF Taken[e] # None THEN Taken[e]
       ELSE IF e \in running THEN None ELSE "released"]
  /\ running' = (running \cap HeldNow) \ Said(said)
  /\ said' = Silent /\ unsure' = Silent
  /\ UNCHANGED <<entry, gone, sent, phase, begun, breaks>>

-----------------------------------------------------------------------------
(* The stop. *)

(* Drain: the worker is asked to stop: it claims no more. Shown by: Draining. *)
Drain ==
  /\ phase = "run"
  /\ phase' = "drain"
  /\ UNCHANGED <<entry, gone, sent, talk, linked, begun, breaks>>

(* Release: all handlers have ended, or their time is over. Those that have not ended are *)
(* cancelled, and their entries go back; a word that waits to be taken in is not lost.    *)
(* Shown by: Cancelled, an event a handler.                                               *)
Release ==
  /\ phase = "drain"
  /\ phase' = "leave"
  /\ due' = [e \in Entries |-> IF e \in running \ Said(said) THEN "released" ELSE due[e]]
  /\ running' = running \cap Said(said)
  /\ UNCHANGED <<entry, gone, sent, said, unsure, linked, begun, breaks>>

(* Retire: no step of the worker is at work, and nothing is open under its id: it leaves. *)
(* Shown by: Retire.                                                                      *)
Retire ==
  /\ phase = "leave"
  /\ linked                      \* inert: it is a call
  /\ sent.at = "none"
  /\ HeldNow = {}
  /\ gone' = "retired" /\ phase' = "out"
  /\ linked' = FALSE
  /\ UNCHANGED <<entry, sent, talk, begun, breaks>>

(* GiveUp: the time for that is over, the database away or slow: the worker leaves without *)
(* a word, and its connection ends. Shown by: Stopped.                                     *)
GiveUp ==
  /\ phase = "leave"
  /\ phase' = "out"
  /\ linked' = FALSE
  /\ sent' = IF sent.at = "flying" THEN [sent EXCEPT !.at = "orphan"] ELSE NoSent
  /\ UNCHANGED <<entry, gone, talk, begun, breaks>>

(* Rescue: the leader finds a worker that has left without a word; no step of it is at work. *)
(* Shown by: Lose and Rescue.                                                                *)
Rescue ==
  /\ phase = "out"               \* inert: who is declared lost while it stops loses nothing either
  /\ gone = "no"                 \* inert: where a worker has retired nothing is open
  /\ sent.at = "none"            \* inert: a step is whole here; why it must be over is said in Rescue
  /\ gone' = "lost"
  /\ entry' = [e \in Entries |-> IF entry[e] = "held" THEN "rescued" ELSE entry[e]]
  /\ UNCHANGED <<sent, phase, talk, linked, begun, breaks>>

Next ==
  \/ \E e \in Entries : HandlerEnd(e)
  \/ \E room \in BOOLEAN : Send(room)
  \/ \E got \in SUBSET Entries : Carry(got)
  \/ Answer \/ Cut \/ Drop \/ Mend \/ Drain \/ Release \/ Retire \/ GiveUp \/ Rescue

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Invariants. *)

(* What the worker holds is known to it, or on its way, or will be asked for, while it is *)
(* there; afterwards the leader looks there.                                              *)
Known == running \cup Said(due) \cup Said(unsure) \cup sent.got
NothingLost == \A e \in HeldNow :
  \/ phase # "out" /\ (e \in Known \/ ~linked)
  \/ phase = "out" /\ gone = "no"

(* Nothing is open under a worker that has left, whichever way. *)
RetiredHoldsNothing == gone # "no" => HeldNow = {}

(* A step is in flight on a connection that stands. *)
FlightIsLinked == sent.at \in {"flying", "done"} => linked

(* What is to be sent of an entry is the last word on it: it has no slot any more. *)
OneWord == \A e \in Entries : due[e] # None => e \notin running

-----------------------------------------------------------------------------
(* Step properties. *)

(* No step that is sent after the drain began asks for more, and no handler begins. *)
NoClaimAfterDrain == [][phase # "run" => begun' = begun /\ (sent'.room => sent.room)]_vars

(* A worker leaves in order, and says nothing when it has left. *)
StopsInOrder == [][
  /\ phase' # phase => <<phase, phase'>> \in {<<"run", "drain">>, <<"drain", "leave">>, <<"leave", "out">>}
  /\ phase = "out" => sent' \in {sent, NoSent}]_vars

(* A handler that has ended, and was not told before that it is over, is not handed back. *)
DoneIsNotReleased == [][\A e \in running :
  said[e] # None /\ e \notin running' => due'[e] # "released"]_vars

(* What was said of an entry is said until it is answered. *)
WordIsKept == [][\A e \in HeldNow : phase' # "out" /\ entry'[e] = "held" /\ due[e] # None =>
  due'[e] = due[e] \/ unsure'[e] = due[e]]_vars

-----------------------------------------------------------------------------
(* Liveness. The stop has its times, whatever comes of the database; a step that is at work *)
(* in the server comes to an end, and a leader looks. No handler is fair, for it may hang,    *)
(* and no connection is, for the database may be away.                                        *)
FairSpec ==
  /\ Spec
  /\ WF_vars(Release) /\ WF_vars(GiveUp) /\ WF_vars(Rescue)
  /\ WF_vars((\E got \in SUBSET Entries : Carry(got)) \/ Drop)

(* A stop comes to its end, whatever hangs. *)
StopEnds == phase = "drain" ~> phase = "out"

(* What a worker held that stops is over in the end, or comes back. *)
NothingStays == \A e \in Entries : (phase # "run" /\ entry[e] = "held") ~> entry[e] # "held"
=============================================================================
