------------------------------ MODULE LogBroken ------------------------------
(* Log with one rule broken at a time. Each cfg beside this file puts one of  *)
(* these in the place of a rule or a step (`Refill <- PreparedForgotten`);    *)
(* suite.toml says which fact must then be refuted.                           *)
EXTENDS Log

-----------------------------------------------------------------------------
(* When the locks are read. *)

(* Locks before entries: who holds the sequence's lock is read with last_value, and *)
(* used after the entries have been read.                                           *)
LocksWithLast(c) ==
  /\ work[c].at = "last"
  /\ work' = [work EXCEPT ![c].at = "entries", ![c].last = last, ![c].now = locks]
  /\ UNCHANGED <<produced, claimed, aborts>>
LocksFromBefore(c) ==
  /\ work[c].at = "fillers"
  /\ work' = [work EXCEPT ![c].at = "again"]
  /\ UNCHANGED <<produced, claimed, aborts>>

(* One statement: its snapshot, taken as it begins, is older than the locks it reads. *)
(* `fresh` stands for what the snapshot shows.                                        *)
SnapshotFirst(c) ==
  /\ work[c].at = "locks"
  /\ work' = [work EXCEPT ![c].at = "look", ![c].fresh = HolesOf(work[c].pages) \cap Visible(c)]
  /\ UNCHANGED <<produced, claimed, aborts>>
LocksThen(c) ==
  LET w      == work[c]
      looked == {p \in w.pages : MustLook(p, locks)}
      found  == HolesOf(looked) \cap w.fresh
      late   == Least(Room, found)
      rest   == UNION {Rest(p.seqs \ found, Refill(p, locks)) : p \in looked}
  IN /\ w.at = "look"
     /\ work' = [work EXCEPT ![c].at = IF Cardinality(late) < Room THEN "last" ELSE "commit",
                             ![c].took = late, ![c].fresh = {},
                             ![c].pages = (w.pages \ looked) \cup Left(found \ late) \cup rest]
     /\ UNCHANGED <<produced, claimed, aborts>>

(* The same with fresh holes: the look after the locks, in one statement with them. *)
AgainFirst(c) ==
  LET w     == work[c]
      found == w.fresh \cap Visible(c)
      late  == Least(Room - Cardinality(w.took), found)
  IN /\ w.at = "fillers"
     /\ work' = [work EXCEPT ![c].at = "again", ![c].took = @ \cup late,
                             ![c].fresh = @ \ found, ![c].pages = @ \cup Left(found \ late)]
     /\ UNCHANGED <<produced, claimed, aborts>>
FillersThen(c) ==
  /\ work[c].at = "again"
  /\ work' = [work EXCEPT ![c].at = "commit", ![c].fresh = {},
                          ![c].pages = @ \cup Rest(work[c].fresh, locks)]
  /\ UNCHANGED <<produced, claimed, aborts>>

(* No second look: a page without fillers left is dropped as it is. *)
NoSecondLook(c) ==
  LET w      == work[c]
      gone   == {p \in w.pages : p.fillers # {} /\ Refill(p, w.now) = {}}
      looked == {p \in w.pages \ gone : MustLook(p, w.now)}
      found  == HolesOf(looked) \cap Visible(c)
      late   == Least(Room, found)
      rest   == UNION {Rest(p.seqs \ found, Refill(p, w.now)) : p \in looked}
  IN /\ w.at = "look"
     /\ work' = [work EXCEPT ![c].at = IF Cardinality(late) < Room THEN "last" ELSE "commit",
                             ![c].took = late, ![c].now = {},
                             ![c].pages = (w.pages \ (looked \cup gone))
                                          \cup Left(found \ late) \cup rest]
     /\ UNCHANGED <<produced, claimed, aborts>>

(* No look after the locks: fresh holes go to their page unseen. One that was filled *)
(* between the entries and the locks then waits for transactions that are strangers. *)
NoLookAfterLocks(c) ==
  /\ work[c].at = "again"
  /\ work' = [work EXCEPT ![c].at = "commit", ![c].now = {}, ![c].fresh = {},
       ![c].pages = @ \cup {[seqs |-> work[c].fresh, fillers |-> work[c].now]}]
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
  /\ work[c].at = "fillers"
  /\ work' = [work EXCEPT ![c].at = "again", ![c].now = {h \in locks : h[2] < Xmax}]
  /\ UNCHANGED <<produced, claimed, aborts>>

(* Those below the claim's own id, which a step was given before it saw the hole. *)
FillersBelowOwn(c) ==
  LET own == work[c].own
  IN /\ work[c].at = "fillers"
     /\ work' = [work EXCEPT ![c].at = "again",
                             ![c].now = {h \in locks : own = 0 \/ h[2] <= own}]
     /\ UNCHANGED <<produced, claimed, aborts>>

-----------------------------------------------------------------------------
(* What becomes of what is found late. *)

(* Found, no room, forgotten. *)
LateForgotten(S) == {}

(* Found, no room, and left on the page among what was not found. *)
LateMixed(c) ==
  LET w      == work[c]
      looked == {p \in w.pages : MustLook(p, w.now)}
      found  == HolesOf(looked) \cap Visible(c)
      late   == Least(Room, found)
      rest   == {[seqs |-> p.seqs \ late, fillers |-> Refill(p, w.now)] : p \in looked}
  IN /\ w.at = "look"
     /\ work' = [work EXCEPT ![c].at = IF Cardinality(late) < Room THEN "last" ELSE "commit",
                             ![c].took = late, ![c].now = {},
                             ![c].pages = (w.pages \ looked)
                                          \cup {p \in rest : p.seqs # {} /\ (p.fillers # {}
                                                            \/ p.seqs \cap found # {})}]
     /\ UNCHANGED <<produced, claimed, aborts>>

(* Found, taken, and left on the page. *)
LateStays(c) ==
  LET w      == work[c]
      looked == {p \in w.pages : MustLook(p, w.now)}
      late   == Least(Room, HolesOf(looked) \cap Visible(c))
      rest   == UNION {Rest(p.seqs, Refill(p, w.now)) : p \in looked}
  IN /\ w.at = "look"
     /\ work' = [work EXCEPT ![c].at = IF Cardinality(late) < Room THEN "last" ELSE "commit",
                             ![c].took = late, ![c].now = {},
                             ![c].pages = (w.pages \ looked) \cup rest]
     /\ UNCHANGED <<produced, claimed, aborts>>

(* "All its fillers hold", said of a page without any. *)
EmptyHolds(p, now) == ~(p.fillers \subseteq now)

(* Pages are looked at only when nothing is visible beyond the cursor. *)
PagesLast(pages) ==
  IF pages = {} \/ \E s \in Committed : s > claim.hi THEN "last" ELSE "locks"

(* The end of the lane is never asked for: a rollback there stays a backlog for ever. *)
TailForgotten(c) ==
  /\ work[c].at = "last"
  /\ work' = [work EXCEPT ![c].at = "entries"]
  /\ UNCHANGED <<produced, claimed, aborts>>

-----------------------------------------------------------------------------
(* The chain of claims. *)

(* The newest claim is read in the statement that waits for the lock: its snapshot is *)
(* from before the wait.                                                              *)
ReadThenLock(c, own) ==
  /\ own = 0
  /\ \/ /\ work[c].at = "idle"
        /\ work' = [work EXCEPT ![c] = [Idle EXCEPT
             !.at = "waiting", !.settled = Settled,
             !.number = claim.number, !.hi = claim.hi, !.pages = claim.pages]]
        /\ UNCHANGED queueLock
     \/ /\ work[c].at = "waiting"
        /\ queueLock = None
        /\ queueLock' = c
        /\ work' = [work EXCEPT ![c].at = FirstLook(work[c].pages)]
  /\ UNCHANGED <<produced, claim, chain, taken, aborts>>

(* No unique key on the claim's number. *)
NoKey(n) == TRUE
=============================================================================
