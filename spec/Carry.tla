-------------------------------- MODULE Carry --------------------------------
(* What lives in a segment that is emptied goes on in another, under its names. *)
(*                                                                              *)
(* One queue. Its claims are a chain: each says in which segment the next will  *)
(* lie, so two that follow the same one meet in one unique key. The newest is   *)
(* the cursor, and is searched for in the newest segment first. Parts lie where *)
(* their claim lies, hole pages where the newest claim lies. A prune keeps the  *)
(* newest claim and its pages, and the claims and entries that are open, with   *)
(* their newest part; the rest is gone.                                         *)
(*                                                                              *)
(* That a prune is alone in what it empties is from `Segments`; here it is one  *)
(* step, held off by who is in the tables, and by a claim at work.              *)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  Claimers,   \* set of strings: backends that claim
  Finishers,  \* set of strings: backends that end entries, of anybody's claim
  Size,       \* how many entries a claim takes
  MaxNumber,  \* bound of the model: segments ever opened
  MaxClaims   \* bound of the model: claims ever made, the first included

VARIABLES     \* what Postgres knows
  open,       \* 1..MaxNumber          the segment that is written into; those above do not exist yet
  closed,     \* SUBSET Numbers        nobody writes entries into them any more
  gone,       \* SUBSET Numbers        emptied
  claims,     \* SUBSET Claim          the log of claims
  parts,      \* SUBSET Part           the log of parts
  entryAt,    \* [Names -> 0..MaxNumber]  where the entries of a claim lie, as far as they are open
  pageAt,     \* SUBSET Numbers        where the queue's hole page lies (one that nobody fills)
              \* what a backend has read and locked
  claiming,   \* [Claimers -> Claiming]   under the queue's lock
  finishing,  \* [Finishers -> Finishing]
              \* ghosts: history nobody reads back
  chain,      \* Seq(Names)            the claims in the order of their commits
  ends        \* [Names \X 1..Size -> Nat]  how often an entry ended

segments == <<open, closed, gone>>
logs     == <<claims, parts, entryAt, pageAt>>
ghosts   == <<chain, ends>>
vars     == <<segments, logs, claiming, finishing, ghosts>>

Numbers   == 1..MaxNumber
Names     == 1..MaxClaims
Places    == 1..Size
Claim     == [name: Names, at: Numbers, next: Numbers, takes: BOOLEAN]
Part      == [claim: Names, part: Numbers \cup Places, at: Numbers, ended: SUBSET Places]
NoClaim   == [name |-> 0, at |-> 0, next |-> 0, takes |-> FALSE]
Claiming  == [at: {"idle", "read"}, after: Claim \cup {NoClaim}, next: {0} \cup Numbers]
Finishing == [claim: {0} \cup Names, at: {0} \cup Numbers]

Resting   == [at |-> "idle", after |-> NoClaim, next |-> 0]
Away      == [claim |-> 0, at |-> 0]

TypeOK ==
  /\ open \in Numbers /\ closed \subseteq Numbers /\ gone \subseteq closed /\ pageAt \subseteq Numbers
  /\ \A c \in claims : c \in Claim
  /\ \A p \in parts : p \in Part
  /\ entryAt \in [Names -> {0} \cup Numbers]
  /\ \A c \in Claimers : claiming[c] \in Claiming
  /\ \A f \in Finishers : finishing[f] \in Finishing

First == [name |-> 1, at |-> 1, next |-> 1, takes |-> FALSE]
Init ==
  /\ open = 1 /\ closed = {} /\ gone = {}
  /\ claims = {First} /\ parts = {} /\ pageAt = {1}
  /\ entryAt = [n \in Names |-> 0]
  /\ claiming = [c \in Claimers |-> Resting] /\ finishing = [f \in Finishers |-> Away]
  /\ chain = <<1>>
  /\ ends = [e \in Names \X Places |-> 0]

(* The newest claim, as it is searched for: in the newest segment that has one, the greatest name. *)
Top(log) == CHOOSE s \in {c.at : c \in log} : \A c \in log : c.at <= s
Last(log) ==
  LET top == Top(log)
  IN CHOOSE c \in log : c.at = top /\ \A d \in log : d.at = top => d.name <= c.name
Newest   == Last(claims)

(* What the newest part of a claim in a segment says has ended; none says nothing. *)
PartsOf(n, s) == {p \in parts : p.claim = n /\ p.at = s}
NewestPart(n, s) == CHOOSE p \in PartsOf(n, s) : \A q \in PartsOf(n, s) : q.part <= p.part
EndedBy(n, s)  == IF PartsOf(n, s) = {} THEN {} ELSE NewestPart(n, s).ended
IsOpen(c)      ==
  /\ c.takes                          \* inert: to carry too much does no harm
  /\ EndedBy(c.name, c.at) # Places   \* inert: likewise

-----------------------------------------------------------------------------
(* Segments. *)

(* Rotate: writers go on in another one. Trace: Switch. *)
Rotate ==
  /\ open < MaxNumber
  /\ open' = open + 1
  /\ UNCHANGED <<closed, gone, logs, claiming, finishing, ghosts>>

(* Close: nobody who chose s is left: no claim at work whose successor is to lie there. Trace: Close. *)
Close(s) ==
  /\ s < open
  /\ s \notin closed       \* inert: closed once more
  /\ \A c \in Claimers : claiming[c].next # s
  /\ closed' = closed \cup {s}
  /\ UNCHANGED <<open, gone, logs, claiming, finishing, ghosts>>

-----------------------------------------------------------------------------
(* Claims. *)

QueueIsLocked == \E c \in Claimers : claiming[c].at # "idle"

(* ReadNewest: the queue's lock is had, the newest claim is read, and the segment that is open now is *)
(* locked, shared: the claim after this one will lie there. Not in a trace.                           *)
ReadNewest(c) ==
  /\ ~QueueIsLocked
  /\ claiming' = [claiming EXCEPT ![c] = [at |-> "read", after |-> Newest, next |-> open]]
  /\ UNCHANGED <<segments, logs, finishing, ghosts>>

(* Claim: the next claim is written where the newest says, with entries of s; the page goes along. *)
(* Trace: Claim, with segment and next_segment of the row.                                         *)
AppendClaim(c, s) ==
  LET after == claiming[c].after
      n     == after.name + 1
  IN /\ claiming[c].at = "read"
     /\ n \in Names
     /\ s \in 1..open \ gone
     /\ claims' = claims \cup {[name |-> n, at |-> after.next, next |-> claiming[c].next, takes |-> TRUE]}
     /\ pageAt' = IF after.at \in pageAt THEN pageAt \cup {after.next} ELSE pageAt
     /\ entryAt' = [entryAt EXCEPT ![n] = s]
     /\ chain' = Append(chain, n)
     /\ claiming' = [claiming EXCEPT ![c] = Resting]
     /\ UNCHANGED <<segments, parts, finishing, ends>>

(* GoAway: the claim takes nothing, or is rolled back. Not in a trace. *)
GoAway(c) ==
  /\ claiming[c].at = "read"   \* inert: without it, a step that changes nothing
  /\ claiming' = [claiming EXCEPT ![c] = Resting]
  /\ UNCHANGED <<segments, logs, finishing, ghosts>>

-----------------------------------------------------------------------------
(* Finishes, of a worker or of a rescue. *)

(* FindClaim: where the claim lies; to read it is to lock those tables, shared, until the commit. *)
(* Not in a trace; a Complete whose claim is gone is stale.                                       *)
FindClaim(f, n) ==
  /\ finishing[f] = Away   \* inert: as if it had looked for another
  /\ \E c \in claims : c.name = n /\ c.takes /\ finishing' = [finishing EXCEPT ![f] = [claim |-> n, at |-> c.at]]
  /\ UNCHANGED <<segments, logs, claiming, ghosts>>

(* End: these entries end, as far as they are open: a part, in the claim's own segment. *)
(* Trace: Complete and Rescue, with claim, part, seqs, and the segment of the part.     *)
PartLies(f) == finishing[f].at
End(f, es) ==
  LET n   == finishing[f].claim
      s   == PartLies(f)
      new == es \ EndedBy(n, s)
      row == [claim |-> n, part |-> Cardinality(PartsOf(n, s)) + 1, at |-> s, ended |-> EndedBy(n, s) \cup new]
  IN /\ finishing[f] # Away
     /\ es # {}   \* inert: nothing ends
     /\ parts' = IF new = {} THEN parts ELSE parts \cup {row}
     /\ ends' = [e \in Names \X Places |-> IF e[1] = n /\ e[2] \in new THEN ends[e] + 1 ELSE ends[e]]
     /\ finishing' = [finishing EXCEPT ![f] = Away]
     /\ UNCHANGED <<segments, claims, entryAt, pageAt, claiming, chain>>

-----------------------------------------------------------------------------
(* The prune. *)

(* What is kept of the chain. The newest claim goes to where the leader writes (here), and so does its *)
(* successor. If only the successor was to lie in g, one that takes nothing is written in its place.   *)
Moves(g)     == Newest.at = g
Succeeds(g)  == Newest.at # g /\ Newest.next = g
Cursor(g, here) ==
  IF Moves(g) THEN {[Newest EXCEPT !.at = here, !.next = here]}
  ELSE IF Succeeds(g) THEN {[name |-> Newest.name + 1, at |-> here, next |-> here, takes |-> FALSE]}
  ELSE {}

(* Stragglers go to where the newest claim lies, and so never come to be found before it. *)
Home(g, here) == IF Moves(g) \/ Succeeds(g) THEN here ELSE Newest.at
Stragglers(g) == {c \in claims : c.at = g /\ IsOpen(c)}
Carried(g, here) ==
  LET home == Home(g, here)
  IN {[c EXCEPT !.at = home, !.next = here] : c \in Stragglers(g) \ {Newest}}

(* Of what is open the newest part goes along; it says all that has ended. *)
Kept(g) == Stragglers(g) \cup {c \in claims : Moves(g) /\ c = Newest}
PartsCarried(g, here) ==
  {[NewestPart(c.name, g) EXCEPT !.at = Home(g, here)] : c \in {k \in Kept(g) : PartsOf(k.name, g) # {}}}

Stays(log, g) == {row \in log : row.at # g}
IsOpenName(n) == \E c \in claims : c.name = n /\ IsOpen(c)
EntriesGo(g, here) ==
  [n \in Names |-> IF entryAt[n] # g THEN entryAt[n] ELSE IF IsOpenName(n) THEN here ELSE 0]
PageGoes(g, here) == IF Moves(g) \/ Succeeds(g) THEN (pageAt \ {g}) \cup {here} ELSE pageAt \ {g}

(* Prune: a closed segment is emptied, and what lives in it is carried. Nobody is in its tables. If the *)
(* newest claim, or its successor, has to do with it, no claim is at work. Trace: Carry with names and  *)
(* places, then Prune.                                                                                  *)
IsAlone(g)   == \A f \in Finishers : finishing[f].at # g
Prune(g) ==
  /\ g \in closed \ gone
  /\ IsAlone(g)
  /\ Moves(g) \/ Succeeds(g) => ~QueueIsLocked
  /\ Succeeds(g) => Newest.name < MaxClaims
  /\ claims' = Stays(claims, g) \cup Carried(g, open) \cup Cursor(g, open)
  /\ parts' = Stays(parts, g) \cup PartsCarried(g, open)
  /\ entryAt' = EntriesGo(g, open)
  /\ pageAt' = PageGoes(g, open)
  /\ chain' = IF Succeeds(g) THEN Append(chain, Newest.name + 1) ELSE chain
  /\ gone' = gone \cup {g}
  /\ UNCHANGED <<open, closed, claiming, finishing, ends>>

Next ==
  \/ Rotate
  \/ \E s \in Numbers : Close(s) \/ Prune(s)
  \/ \E c \in Claimers : ReadNewest(c) \/ GoAway(c) \/ \E s \in Numbers : AppendClaim(c, s)
  \/ \E f \in Finishers : (\E n \in Names : FindClaim(f, n)) \/ \E es \in SUBSET Places : End(f, es)
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Invariants. *)

(* The newest claim that was made is the one that is found: the cursor never goes back. *)
NewestIsFound == claims # {} /\ Newest.name = chain[Len(chain)]
ClaimsWithoutGap == \A i \in DOMAIN chain : chain[i] = i

(* A name is in one place. *)
OneOfAName ==
  /\ \A c, d \in claims : c.name = d.name => c = d
  /\ \A p, q \in parts : p.claim = q.claim /\ p.part = q.part => p = q

(* A part lies where its claim lies. *)
PartWithClaim == \A p \in parts : \A c \in claims : p.claim = c.name => p.at = c.at

EndedOnce == \A e \in Names \X Places : ends[e] <= 1

(* What is open has its claim and its entries, under the names it has had from the start. *)
Claimed == {chain[i] : i \in DOMAIN chain} \ {1}
OpenIsKept == \A n \in Claimed : \A i \in Places :
  (\E c \in claims : c.name = n /\ ~c.takes) \/ ends[<<n, i>>] > 0
  \/ (entryAt[n] # 0 /\ \E c \in claims : c.name = n /\ i \notin EndedBy(n, c.at))

(* Nothing lies in a segment that was emptied, and no claim will. *)
GoneIsEmpty ==
  /\ \A c \in claims : c.at \notin gone
  /\ \A p \in parts : p.at \notin gone
  /\ \A n \in Names : entryAt[n] \notin gone
  /\ Newest.next \notin gone

(* The page lies where the newest claim lies. *)
PageWithNewest == Newest.at \in pageAt
=============================================================================
