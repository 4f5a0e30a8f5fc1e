----------------------------- MODULE FloorBroken -----------------------------
(* Floor with one rule broken at a time. Each cfg beside this file puts one of *)
(* these in the place of the step it is named after (`Write <- FloorAtOnce`);  *)
(* suite.toml says which fact must then be refuted.                            *)
EXTENDS Floor

(* The row after the locks: mark and locks are read first. Another heartbeat leaves a      *)
(* newer mark in between, and a claim that began since is not known to be at work.         *)
RowAfterLocks(b) ==
  /\ \/ /\ beat[b].at = "idle"
        /\ MaxBeats = 0 \/ begun < MaxBeats
        /\ begun' = IF MaxBeats = 0 THEN 0 ELSE begun + 1
        /\ beat' = [beat EXCEPT ![b] = [NoBeat EXCEPT !.at = "drawn"]]
     \/ /\ beat[b].at = "row"
        /\ beat' = [beat EXCEPT ![b].at = "open", ![b].mark = row.mark, ![b].marked = row.marked]
        /\ UNCHANGED begun
  /\ UNCHANGED <<drawn, st, ordinal, open, row>>
LocksThenRow(b) ==
  /\ beat[b].at = "locks"
  /\ beat' = [beat EXCEPT ![b].at = "row", ![b].working = AtWork]
  /\ UNCHANGED <<drawn, st, ordinal, open, row, begun>>

(* The locks before the mark: who begins and draws in between is below the mark, and *)
(* nobody has seen it at work.                                                       *)
LocksFirst(b) ==
  /\ beat[b].at = "drawn"
  /\ beat' = [beat EXCEPT ![b].at = "locks", ![b].working = AtWork]
  /\ UNCHANGED <<drawn, st, ordinal, open, row, begun>>
MarkThen(b) ==
  /\ beat[b].at = "locks"
  /\ beat' = [beat EXCEPT ![b].at = "open", ![b].drawn = drawn]
  /\ UNCHANGED <<drawn, st, ordinal, open, row, begun>>

(* The floor goes up to what is drawn now; a claim at work is below it. *)
FloorAtOnce(b) ==
  /\ beat[b].at = "write"
  /\ row' = [floor |-> beat[b].drawn, held |-> beat[b].found, mark |-> beat[b].drawn,
             marked |-> beat[b].working]
  /\ beat' = [beat EXCEPT ![b] = NoBeat]
  /\ UNCHANGED <<drawn, st, ordinal, open, begun>>

(* Nobody is asked: who was at work a heartbeat ago will be over. A stopped backend is not. *)
NobodyAsked(b) ==
  /\ beat[b].at = "open"
  /\ beat' = [beat EXCEPT ![b].at = "write", ![b].found = Found(row)]
  /\ UNCHANGED <<drawn, st, ordinal, open, row, begun>>

(* What is open is looked for before the locks are read: a claim that is over by then may *)
(* have committed in between.                                                             *)
OpenFirst(b) ==
  /\ beat[b].at = "drawn"
  /\ beat' = [beat EXCEPT ![b].at = "locks", ![b].drawn = drawn, ![b].found = Found(row)]
  /\ UNCHANGED <<drawn, st, ordinal, open, row, begun>>
OpenFromBefore(b) ==
  /\ beat[b].at = "open"
  /\ beat[b].marked \cap beat[b].working = {}
  /\ beat' = [beat EXCEPT ![b].at = "write"]
  /\ UNCHANGED <<drawn, st, ordinal, open, row, begun>>

(* Only what is above the floor is looked for: what the row names is forgotten. *)
FoundAbove(r) == {t \in Committed \cap open : ordinal[t] > r.floor}
HeldForgotten(b) ==
  /\ beat[b].at = "open"
  /\ beat[b].marked \cap beat[b].working = {}
  /\ beat' = [beat EXCEPT ![b].at = "write", ![b].found = FoundAbove(row)]
  /\ UNCHANGED <<drawn, st, ordinal, open, row, begun>>

(* The mark goes up though one of the marked is still at work, and it is not marked anew. *)
MarkFollows(b) ==
  /\ beat[b].at = "open"
  /\ beat[b].marked \cap beat[b].working # {}
  /\ row' = [row EXCEPT !.mark = beat[b].drawn, !.marked = beat[b].working \ beat[b].marked]
  /\ beat' = [beat EXCEPT ![b] = NoBeat]
  /\ UNCHANGED <<drawn, st, ordinal, open, begun>>

(* If Postgres let locks go before a commit shows. *)
UnlockFirst(t) ==
  /\ st[t] = "drawn"
  /\ st' = [st EXCEPT ![t] = "unlocked"]
  /\ UNCHANGED <<drawn, ordinal, open, row, beat, begun>>
CommitAfter(t) ==
  /\ st[t] \in {"locked", "unlocked"}
  /\ st' = [st EXCEPT ![t] = "over"]
  /\ UNCHANGED <<drawn, ordinal, open, row, beat, begun>>

(* What was held once is held for ever: every look goes through more and more. *)
HeldGrows(b) ==
  /\ beat[b].at = "write"
  /\ row' = [floor |-> beat[b].mark, held |-> row.held \cup beat[b].found,
             mark |-> beat[b].drawn, marked |-> beat[b].working]
  /\ beat' = [beat EXCEPT ![b] = NoBeat]
  /\ UNCHANGED <<drawn, st, ordinal, open, begun>>

(* Nothing moves the floor until nobody is at work at all, and that is asked of the mark. *)
FloorStays(b) ==
  /\ beat[b].at = "write"
  /\ row' = [row EXCEPT !.held = beat[b].found]
  /\ beat' = [beat EXCEPT ![b] = NoBeat]
  /\ UNCHANGED <<drawn, st, ordinal, open, begun>>

(* Whatever is above the floor is noted as held, committed or not: what was read of the *)
(* claims that a transaction at work had written.                                       *)
HeldUnseen(b) ==
  /\ beat[b].at = "open"
  /\ beat[b].marked \cap beat[b].working = {}
  /\ beat' = [beat EXCEPT ![b].at = "write", ![b].found = open]
  /\ UNCHANGED <<drawn, st, ordinal, open, row, begun>>
=============================================================================
