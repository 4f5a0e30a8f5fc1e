------------------------------ MODULE LogBroken ------------------------------
(* Log with one rule broken at a time. Each cfg beside this file puts one of  *)
(* these in the place of a rule or a step (`Refill <- PreparedForgotten`);    *)
(* suite.toml says which fact must then be refuted.                           *)
EXTENDS Log

-----------------------------------------------------------------------------
(* When the locks are read. *)

(* Locks before entries: who holds the sequence's lock is read with last_value, and *)
(* used after the entries have been read.                                           *)
BegunWithLocks(own, room) == [Idle EXCEPT
  !.at = FirstLook(claim.pages), !.own = own, !.room = room, !.settled = Settled,
  !.number = claim.number, !.hi = claim.hi, !.pages = claim.pages, !.last = last, !.now = locks]
LocksFromBefore(c) ==
  /\ work[c].at = "read" /\ work[c].fresh # {}
  /\ work' = [work EXCEPT ![c].at = "again"]
  /\ UNCHANGED <<produced, claimed, aborts>>

(* One statement: its snapshot, taken as it begins, is older than the locks it reads. *)
(* `fresh` stands for what the snapshot shows. (One page is enough to be wrong.)      *)
SnapshotFirst(c) ==
  /\ work[c].at = "locks"
  /\ work' = [work EXCEPT ![c].at = "look", ![c].fresh = HolesOf(work[c].pages) \cap Visible(c)]
  /\ UNCHANGED <<produced, claimed, aborts>>
LocksThen(c, first, upto) ==
  LET w     == work[c]
      p     == CHOOSE q \in w.pages : first \in q.seqs
      found == p.seqs \cap w.fresh
      pages == IF MustLook(p, locks) THEN Rest(p.seqs \ found, Refill(p, locks)) ELSE {p}
  IN /\ w.at = "look"
     /\ first \in HolesOf(w.pages) /\ w.pages = {p} /\ Cardinality(found) <= w.room
     /\ work' = [work EXCEPT ![c].at = "read", ![c].fresh = {}, ![c].pages = pages,
                             ![c].took = IF MustLook(p, locks) THEN found ELSE {},
                             ![c].room = IF MustLook(p, locks) THEN @ - Cardinality(found) ELSE @]
     /\ UNCHANGED <<produced, claimed, aborts>>

(* The same with fresh holes: the look after the locks, in one statement with them. *)
AgainFirst(c) ==
  LET w     == work[c]
      found == w.fresh \cap Visible(c)
  IN /\ w.at = "read" /\ w.fresh # {}
     /\ Cardinality(found) <= w.room
     /\ work' = [work EXCEPT ![c].at = "again", ![c].took = @ \cup found,
                             ![c].room = @ - Cardinality(found), ![c].fresh = @ \ found]
     /\ UNCHANGED <<produced, claimed, aborts>>
FillersThen(c, part, upto) ==
  /\ work[c].at = "again" /\ work[c].fresh # {}
  /\ work' = [work EXCEPT ![c].fresh = {}, ![c].pages = @ \cup Rest(work[c].fresh, locks)]
  /\ UNCHANGED <<produced, claimed, aborts>>

(* No second look: a page without fillers left is dropped as it is. *)
DropGone(c) ==
  /\ work[c].at = "locks"
  /\ work' = [work EXCEPT ![c] = Looking([@ EXCEPT
       !.at = "look", !.now = locks,
       !.pages = {p \in @ : Unread \in p.fillers \/ Refill(p, locks) # {}}])]
  /\ UNCHANGED <<produced, claimed, aborts>>

(* No look after the locks: fresh holes go to their page unseen. One that was filled *)
(* between the entries and the locks then waits for transactions that are strangers. *)
NoLookAfterLocks(c, part, upto) ==
  LET w == work[c]
  IN /\ w.at = "again" /\ w.fresh # {}
     /\ work' = [work EXCEPT ![c].now = {}, ![c].fresh = {}, ![c].pages = @ \cup
          (IF w.now = {} THEN Left(w.fresh, {}) ELSE Rest(w.fresh, w.now))]
     /\ UNCHANGED <<produced, claimed, aborts>>

(* What the proof takes from Postgres, taken away: locks go before the commit shows. *)
UnlockFirst(t) ==
  /\ st[t] \in {"open", "committed", "aborted"}
  /\ locks \cap {Virtual(t), Prepared(t)} # {}
  /\ locks' = locks \ {Virtual(t), Prepared(t)}
  /\ UNCHANGED <<last, st, seqs, claimed, work, aborts>>

-----------------------------------------------------------------------------
(* Who is a filler. *)

(* A prepared transaction is not found again under its new name. *)
PreparedForgotten(p, now) == p.fillers \cap now

(* Those below pg_snapshot_xmax, which is the latest completed id plus one: a running *)
(* transaction may well stand above it. (Ids are given at the first draw, in order.)  *)
Over == {t \in Txs : st[t] \in {"committed", "aborted"}}
Xmax == IF Over = {} THEN 1 ELSE Max(Over) + 1
FillersBelowXmax(c) ==
  /\ work[c].at = "read" /\ work[c].fresh # {}
  /\ work' = [work EXCEPT ![c].at = "again", ![c].now = {h \in locks : h[2] < Xmax}]
  /\ UNCHANGED <<produced, claimed, aborts>>

(* Those below the claim's own id, which a step was given before it saw the hole. *)
FillersBelowOwn(c) ==
  LET own == work[c].own
  IN /\ work[c].at = "read" /\ work[c].fresh # {}
     /\ work' = [work EXCEPT ![c].at = "again",
                             ![c].now = {h \in locks : own = 0 \/ h[2] <= own}]
     /\ UNCHANGED <<produced, claimed, aborts>>

-----------------------------------------------------------------------------
(* What becomes of what is found late. *)

(* No room left, and forgotten. *)
LateForgotten(S, fillers) == {}

(* No room left, and left on the page among what was not found. *)
LateMixed(c, p, upto, now) ==
  LET unread == {s \in p.seqs : s > upto}
      rest   == unread \cup (p.seqs \ Visible(c))
  IN IF Refill(p, now) = {} THEN Left(unread, {}) ELSE Rest(rest, Refill(p, now))

(* Found, taken, and left on the page. *)
LateStays(c, p, upto, now) ==
  Left({s \in p.seqs : s > upto}, Refill(p, now)) \cup
  Rest({s \in p.seqs : s <= upto}, Refill(p, now))

(* No room left, and a page without fillers: "all its fillers hold" is said of it, too. *)
LateBare(S, fillers) == IF S = {} THEN {} ELSE {[seqs |-> S, fillers |-> fillers]}

(* What was cancelled is given out all the same. *)
OverGiven(found) == found

(* Who cancels does not take the queue's lock: a claim may have read the entry already. *)
CancelUnlocked(s) ==
  /\ Cardinality(over) < MaxOver
  /\ s \in Committed /\ taken[s] = <<>> /\ s \notin over
  /\ over' = over \cup {s}
  /\ UNCHANGED <<produced, queueLock, claim, chain, taken, work, aborts>>

(* Pages are looked at only when nothing is visible beyond the cursor. *)
PagesLast(pages) ==
  IF pages = {} \/ \E s \in Committed : s > claim.hi THEN "read" ELSE "locks"

(* The end of the lane is never asked for: a rollback there stays a backlog for ever. *)
TailForgotten(c) ==
  /\ work[c].at = "read"
  /\ work[c].hi < work[c].last
  /\ work' = [work EXCEPT ![c].last = work[c].hi]
  /\ UNCHANGED <<produced, claimed, aborts>>

-----------------------------------------------------------------------------
(* The chain of claims. *)

(* The newest claim is read in the statement that waits for the lock: its snapshot is *)
(* from before the wait.                                                              *)
ReadThenLock(c, own, room) ==
  /\ own = 0
  /\ \/ /\ work[c].at = "idle"
        /\ work' = [work EXCEPT ![c] = [Begun(own, room) EXCEPT !.at = "waiting"]]
        /\ UNCHANGED queueLock
     \/ /\ work[c].at = "waiting"
        /\ queueLock = None
        /\ queueLock' = c
        /\ work' = [work EXCEPT ![c].at = FirstLook(work[c].pages)]
  /\ UNCHANGED <<produced, claim, over, chain, taken, aborts>>

(* No unique key on the claim's number. *)
NoKey(n) == TRUE
=============================================================================
