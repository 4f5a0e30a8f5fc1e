----------------------------- MODULE CarryBroken -----------------------------
(* Carry with one rule broken at a time. Each cfg beside this file puts one of *)
(* these in the place of a rule or a step (`Home <- HomeOpen`); suite.toml     *)
(* says which fact must then be refuted.                                       *)
EXTENDS Carry

-----------------------------------------------------------------------------
(* The chain of claims. *)

(* The newest claim is over like any other, so it goes with its segment. *)
NewestGoes(g, here) == {}

(* Nobody thinks of the claim that is to come: only its forerunner knows where it will lie. *)
SuccessorForgotten(g) == FALSE

(* Stragglers go to the open segment, where the search begins: an old claim is the cursor. *)
HomeOpen(g, here) == here

(* The newest claim may be carried while another follows it: that goes to where it was. *)
ClaimsAtWork(g) ==
  /\ g \in closed \ gone
  /\ IsAlone(g)
  /\ Succeeds(g) => Newest.name < MaxClaims
  /\ claims' = Stays(claims, g) \cup Carried(g, open) \cup Cursor(g, open)
  /\ parts' = Stays(parts, g) \cup PartsCarried(g, open)
  /\ entryAt' = EntriesGo(g, open)
  /\ pageAt' = PageGoes(g, open)
  /\ chain' = IF Succeeds(g) THEN Append(chain, Newest.name + 1) ELSE chain
  /\ gone' = gone \cup {g}
  /\ UNCHANGED <<open, closed, claiming, finishing, ends>>

(* The segment of the claim to come is not locked: it may be closed, and emptied, before the claim that *)
(* names it commits.                                                                                    *)
CloseUnderClaim(s) ==
  /\ s < open /\ s \notin closed
  /\ closed' = closed \cup {s}
  /\ UNCHANGED <<open, gone, logs, claiming, finishing, ghosts>>

(* Pages stay where they were written. *)
PagesLeft(g, here) == pageAt \ {g}

-----------------------------------------------------------------------------
(* What runs. *)

(* Claims are carried without their parts: what had ended is open again. *)
PartsLeft(g, here) == {}

(* The parts are carried to the open segment, and their claims to where the newest one lies. *)
PartsToOpen(g, here) ==
  {[NewestPart(c.name, g) EXCEPT !.at = here] : c \in {k \in Kept(g) : PartsOf(k.name, g) # {}}}

(* A claim is carried and not its entries, which lie in another segment: those go with theirs. *)
EntriesLeft(g, here) == [n \in Names |-> IF entryAt[n] = g THEN 0 ELSE entryAt[n]]

(* Who is open is told by who has no part at all. *)
Untouched(g) == {c \in claims : c.at = g /\ c.takes /\ PartsOf(c.name, g) = {}}

(* A straggler goes on under a new name, the greatest so far. *)
Renamed(g, here) == {[c EXCEPT !.name = MaxClaims, !.at = Home(g, here)] : c \in Stragglers(g) \ {Newest}}

(* The copy commits first, and the truncation follows in another transaction. *)
CopyFirst(g) ==
  /\ g \in closed \ gone
  /\ IsAlone(g)
  /\ ~QueueIsLocked
  /\ ~Succeeds(g)
  /\ claims' = claims \cup Carried(g, open) \cup Cursor(g, open)
  /\ parts' = parts \cup PartsCarried(g, open)
  /\ UNCHANGED <<segments, entryAt, pageAt, claiming, finishing, ghosts>>

-----------------------------------------------------------------------------
(* Finishes. *)

(* A part is written into the segment that is open. *)
PartToOpen(f) == open

(* A prune does not mind who has read the claim that it carries away. *)
PruneUnderFinish(g) == TRUE
=============================================================================
