------------------------------ MODULE StopBroken ------------------------------
(* Stop with one rule broken at a time. Each cfg beside this file puts one of   *)
(* these in the place of the action it is named after (`Release <- ReleaseAll`); *)
(* suite.toml says which fact must then be refuted.                             *)
EXTENDS Stop

(* Whoever has a slot is handed back, though its handler has ended and only its word is not *)
(* taken in: a step was in flight, or the database was away. The job runs a second time.    *)
ReleaseAll ==
  /\ phase = "drain"
  /\ phase' = "leave"
  /\ due' = [e \in Entries |-> IF e \in running THEN "released" ELSE due[e]]
  /\ running' = {}
  /\ said' = Silent
  /\ UNCHANGED <<entry, gone, sent, unsure, linked, begun, breaks>>

(* Nothing is handed back: what was cancelled is forgotten here, and held there. *)
ReleaseNothing ==
  /\ phase = "drain"
  /\ phase' = "leave"
  /\ running' = running \cap Said(said)
  /\ UNCHANGED <<entry, gone, sent, said, due, unsure, linked, begun, breaks>>

(* What waits to be sent is thrown away with the rest. *)
ReleaseClears ==
  /\ phase = "drain"
  /\ phase' = "leave"
  /\ due' = [e \in Entries |-> IF e \in running \ Said(said) THEN "released" ELSE None]
  /\ running' = running \cap Said(said)
  /\ UNCHANGED <<entry, gone, sent, said, unsure, linked, begun, breaks>>

(* Released only when all handlers have ended: one that hangs holds up the stop. *)
ReleaseWaits ==
  /\ phase = "drain"
  /\ running \ Said(said) = {}
  /\ phase' = "leave"
  /\ UNCHANGED <<entry, gone, sent, talk, linked, begun, breaks>>

(* The drain sets a flag, and a step asks for more all the same. *)
SendAsks(room) ==
  /\ linked /\ sent.at = "none"
  /\ room \/ Said(Taken) # {}
  /\ sent' = [NoSent EXCEPT !.at = "flying", !.room = room, !.says = Taken]
  /\ unsure' = Taken
  /\ running' = running \ Said(said)
  /\ due' = Silent /\ said' = Silent
  /\ UNCHANGED <<entry, gone, phase, linked, begun, breaks>>

(* A finish is forgotten once it is sent: when the step breaks, nobody says it again. *)
SendForgets(room) ==
  /\ linked /\ sent.at = "none"
  /\ room \/ Said(Taken) # {}
  /\ room => phase = "run"
  /\ sent' = [NoSent EXCEPT !.at = "flying", !.room = room, !.says = Taken]
  /\ running' = running \ Said(said)
  /\ due' = Silent /\ said' = Silent
  /\ UNCHANGED <<entry, gone, phase, unsure, linked, begun, breaks>>

(* What a step brings that was in flight when the drain began is begun like any other. *)
AnswerBegins ==
  /\ sent.at = "done"
  /\ running' = running \cup sent.got /\ begun' = begun \cup sent.got
  /\ sent' = NoSent /\ unsure' = Silent
  /\ UNCHANGED <<entry, gone, phase, said, due, linked, breaks>>

(* What it brings is dropped, for nobody is to begin it. *)
AnswerDrops ==
  /\ sent.at = "done"
  /\ IF phase = "run"
     THEN running' = running \cup sent.got /\ begun' = begun \cup sent.got
     ELSE UNCHANGED <<running, begun>>
  /\ sent' = NoSent /\ unsure' = Silent
  /\ UNCHANGED <<entry, gone, phase, said, due, linked, breaks>>

(* Connected again, it sends again what it knows, and does not ask: what a lost answer *)
(* brought stays open under a worker that lives.                                       *)
MendUnasked ==
  /\ ~linked /\ sent.at = "none"
  /\ phase # "out"
  /\ linked' = TRUE
  /\ due' = [e \in Entries |-> IF unsure[e] # None THEN unsure[e] ELSE Taken[e]]
  /\ running' = running \ Said(said)
  /\ said' = Silent /\ unsure' = Silent
  /\ UNCHANGED <<entry, gone, sent, phase, begun, breaks>>

(* It asks while the broken step is still at work, which commits its claim after the look. *)
MendEarly ==
  /\ ~linked
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

(* Connected again, it says what is known here again, and keeps it running as well. *)
MendKeeps ==
  /\ ~linked /\ sent.at = "none"
  /\ phase # "out"
  /\ linked' = TRUE
  /\ due' = [e \in Entries |-> IF e \notin HeldNow THEN None ELSE IF unsure[e] # None THEN unsure[e]
                               ELSE IF Taken[e] # None THEN Taken[e] ELSE "released"]
  /\ running' = running \cap HeldNow
  /\ said' = Silent /\ unsure' = Silent
  /\ UNCHANGED <<entry, gone, sent, phase, begun, breaks>>

(* The worker leaves as soon as its handlers are over, whatever is open under it. *)
RetireUnlooked ==
  /\ phase = "leave"
  /\ linked
  /\ sent.at = "none"
  /\ gone' = "retired" /\ phase' = "out"
  /\ linked' = FALSE
  /\ UNCHANGED <<entry, sent, talk, begun, breaks>>

(* It leaves while its handlers run, when there is nothing to hand back. *)
RetireAtOnce ==
  /\ phase \in {"drain", "leave"}
  /\ linked
  /\ sent.at = "none"
  /\ HeldNow = {}
  /\ gone' = "retired" /\ phase' = "out"
  /\ linked' = FALSE
  /\ UNCHANGED <<entry, sent, talk, begun, breaks>>

(* A break that is not noticed: the step is waited for on a connection that is gone. *)
CutUnnoticed ==
  /\ breaks < MaxBreaks
  /\ breaks' = breaks + 1
  /\ linked' = FALSE
  /\ UNCHANGED <<entry, gone, sent, phase, talk, begun>>

(* The stop waits for everything to be written, for as long as it takes. *)
GiveUpWritten ==
  /\ phase = "leave"
  /\ running = {} /\ Said(due) \cup Said(unsure) = {} /\ sent.at = "none"
  /\ phase' = "out"
  /\ linked' = FALSE
  /\ UNCHANGED <<entry, gone, sent, talk, begun, breaks>>

(* A worker that leaves without a word says that it has left: no rescue comes. *)
RescueNobody ==
  /\ phase = "out" /\ gone = "no"
  /\ sent.at = "none"
  /\ HeldNow = {}
  /\ gone' = "lost"
  /\ UNCHANGED <<entry, sent, phase, talk, linked, begun, breaks>>
=============================================================================
