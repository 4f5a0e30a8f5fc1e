--------------------------------- MODULE Log ---------------------------------
(* One lane of the entry log, and how claims read it though producers commit *)
(* late, out of order, or never.                                             *)
(*                                                                           *)
(* A producer's transaction draws seqs from the lane's sequence. A claim may *)
(* see 3 before 1 and 2, whose transactions are still open. It goes past     *)
(* them, and records them as holes on a page: these seqs, and the            *)
(* transactions (fillers) that could still fill one of them. A hole goes     *)
(* when it was filled and claimed, or when nobody is left who could fill it. *)
(* Who could is known from the lock table: nextval holds a RowExclusiveLock  *)
(* on the sequence until its transaction ends.                               *)
(*                                                                           *)
(* A claim is shown statement by statement (READ COMMITTED: each has its own *)
(* snapshot); between two of them anything may happen.                       *)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  Txs,        \* 1..n: producers' transactions, numbered by their first draw
  Claimers,   \* set of strings: backends that claim
  Room,       \* how many entries one claim may take, at least 1
  Preparers,  \* SUBSET Txs: those that may end by a two-phase commit
  Steppers,   \* SUBSET Txs: those that may go on to claim, having drawn seqs themselves (a step)
  MaxSeq,     \* bound of the model: seqs ever drawn
  MaxVoid,    \* bound of the model: seqs drawn that no transaction keeps
  MaxAborts   \* bound of the model: claims that break off

VARIABLES     \* what Postgres knows
  last,       \* 0..MaxSeq                 last_value of the lane's sequence
  st,         \* [Txs -> TxState]          how far each producer's transaction is
  seqs,       \* [Txs -> SUBSET Seqs]      the entries it has appended, and kept at savepoints
  locks,      \* SUBSET Holders            who holds RowExclusiveLock on the sequence
  queueLock,  \* Claimers or "none"        who holds the queue's advisory lock
  claim,      \* Claim                     the newest committed claim: number, cursor, hole pages
              \* what a claim in progress has read and made
  work,       \* [Claimers -> Work]
              \* ghosts: history nobody reads back
  chain,      \* Seq(Nat)                  the numbers of all committed claims, in order of commit
  taken,      \* [Seqs -> Seq(Claimers)]   who claimed a seq, in order of commit
  aborts      \* 0..MaxAborts

produced == <<last, st, seqs, locks>>
claimed  == <<queueLock, claim, chain, taken>>
vars     == <<produced, claimed, work, aborts>>

None    == "none"
Seqs    == 1..MaxSeq
TxState == {"idle", "open", "prepared", "stepping", "committed", "aborted"}

(* A lock's holder, as the lock table names it. A prepared transaction comes to have   *)
(* another name, which does not tell what it was called before. (Postgres 15 and 18    *)
(* keep the name at PREPARE and change it when the server restarts; a change at once   *)
(* is the worst case, and covers both.)                                                *)
Virtual(t)  == <<"virtual", t>>
Prepared(t) == <<"prepared", t>>
Holders     == {"virtual", "prepared"} \X Txs
InFlight    == {"open", "prepared", "stepping"}

(* A hole page never changes: a claim keeps it, or puts others in its place. Without *)
(* fillers it holds what was found already and must be looked at by the next claim.  *)
Page  == [seqs: SUBSET Seqs, fillers: SUBSET Holders]
Claim == [number: Nat, hi: 0..MaxSeq, pages: SUBSET Page]

(* A snapshot is the set of transactions committed when it is taken; each action *)
(* that says Visible is one statement, and this is its snapshot. A step sees its *)
(* own transaction as well.                                                      *)
Committed  == UNION {seqs[t] : t \in {u \in Txs : st[u] = "committed"}}
Visible(c) == Committed \cup (IF work[c].own = 0 THEN {} ELSE seqs[work[c].own])

Max(S)      == CHOOSE x \in S : \A y \in S : y <= x
Least(n, S) == {s \in S : Cardinality({r \in S : r <= s}) <= n}
HolesOf(pages) == UNION {p.seqs : p \in pages}

Steps == {"idle", "locks", "look", "last", "entries", "fillers", "again", "commit"}
Work  == [at: Steps, own: {0} \cup Txs, number: Nat, hi: 0..MaxSeq, pages: SUBSET Page,
          now: SUBSET Holders, last: 0..MaxSeq, took: SUBSET Seqs, fresh: SUBSET Seqs,
          settled: SUBSET Seqs]
Idle  == [at |-> "idle", own |-> 0, number |-> 0, hi |-> 0, pages |-> {}, now |-> {},
          last |-> 0, took |-> {}, fresh |-> {}, settled |-> {}]

TypeOK ==
  /\ last \in 0..MaxSeq /\ aborts \in 0..MaxAborts /\ locks \subseteq Holders
  /\ st \in [Txs -> TxState] /\ \A t \in Txs : seqs[t] \subseteq 1..last
  /\ queueLock \in Claimers \cup {None}
  /\ claim.number \in Nat /\ claim.hi \in 0..MaxSeq
  /\ \A p \in claim.pages : p.seqs \subseteq Seqs /\ p.fillers \subseteq Holders
  /\ \A c \in Claimers :
       work[c].at \in Steps /\ work[c].took \subseteq Seqs /\ work[c].fresh \subseteq Seqs

Init ==
  /\ last = 0 /\ locks = {} /\ queueLock = None /\ aborts = 0
  /\ st = [t \in Txs |-> "idle"] /\ seqs = [t \in Txs |-> {}]
  /\ claim = [number |-> 0, hi |-> 0, pages |-> {}] /\ chain = <<>>
  /\ work = [c \in Claimers |-> Idle] /\ taken = [s \in Seqs |-> <<>>]

-----------------------------------------------------------------------------
(* Producers. The lock comes before the first draw, and goes after the end is *)
(* visible to new snapshots: so does Postgres.                                *)

VoidIsAllowed == Cardinality((1..last) \ UNION {seqs[t] : t \in Txs}) < MaxVoid

(* Draw: nextval, and the entry is appended; or it was, and a savepoint takes it back. *)
(* The first nextval of a transaction takes the lock, before it draws.                 *)
Draw(t, kept) ==
  /\ st[t] = "open" \/ (st[t] = "idle" /\ \A u \in Txs : u < t => st[u] # "idle")
  /\ last < MaxSeq
  /\ kept \/ VoidIsAllowed
  /\ last' = last + 1
  /\ st' = [st EXCEPT ![t] = "open"]
  /\ seqs' = [seqs EXCEPT ![t] = IF kept THEN @ \cup {last + 1} ELSE @]
  /\ locks' = locks \cup {Virtual(t)}
  /\ UNCHANGED <<claimed, work, aborts>>

(* Skip: a restart of the server goes past a number that nobody drew. *)
Skip ==
  /\ last < MaxSeq
  /\ VoidIsAllowed
  /\ last' = last + 1
  /\ UNCHANGED <<st, seqs, locks, claimed, work, aborts>>

(* Prepare: the first half of a two-phase commit. The lock never lapses, but its holder *)
(* has another name now.                                                                *)
Prepare(t) ==
  /\ t \in Preparers
  /\ st[t] = "open" /\ seqs[t] # {}
  /\ st' = [st EXCEPT ![t] = "prepared"]
  /\ locks' = (locks \ {Virtual(t)}) \cup {Prepared(t)}
  /\ UNCHANGED <<last, seqs, claimed, work, aborts>>

(* Commit: what t appended is visible from now on. The lock is still held. *)
Commit(t) ==
  /\ st[t] \in {"open", "prepared"} /\ seqs[t] # {}
  /\ st' = [st EXCEPT ![t] = "committed"]
  /\ UNCHANGED <<last, seqs, locks, claimed, work, aborts>>

(* Rollback: what t appended will never be there. The lock is still held. *)
Rollback(t) ==
  /\ st[t] \in {"open", "prepared"}
  /\ st' = [st EXCEPT ![t] = "aborted"]
  /\ UNCHANGED <<last, seqs, locks, claimed, work, aborts>>

(* Unlock: the ended transaction lets go of its locks. *)
Unlock(t) ==
  /\ st[t] \in {"committed", "aborted"}
  /\ locks \cap {Virtual(t), Prepared(t)} # {}   \* inert: without it, a step that changes nothing
  /\ locks' = locks \ {Virtual(t), Prepared(t)}
  /\ UNCHANGED <<last, st, seqs, claimed, work, aborts>>

-----------------------------------------------------------------------------
(* Claims. Rules first, then the statements in their order. *)

(* A page must be looked at when it waits for nobody, or when one it waits for is gone. *)
(* (To be a subset is not enough: {} is one of every set.)                             *)
MustLook(p, now) == p.fillers = {} \/ ~(p.fillers \subseteq now)

(* Who could still fill what is left of a page: those of its fillers that still hold *)
(* the lock. If a virtual one is gone, it may have become any of the prepared ones;  *)
(* if none is, nobody is added, or a page might never end.                           *)
Refill(p, now) ==
  (p.fillers \cap now) \cup
  (IF \E t \in Txs : Virtual(t) \in p.fillers \ now
   THEN {h \in now : h[1] = "prepared"} ELSE {})

(* The pages made of seqs that were not found: dropped, if nobody could fill them. *)
Rest(S, fillers) == IF S = {} \/ fillers = {} THEN {} ELSE {[seqs |-> S, fillers |-> fillers]}

(* The page made of what was found and had no room. It must not share a page with what *)
(* was not found, or it would wait for strangers.                                      *)
Left(S) == IF S = {} THEN {} ELSE {[seqs |-> S, fillers |-> {}]}

NumberIsFree(n) == \A i \in DOMAIN chain : chain[i] # n
FirstLook(pages) == IF pages = {} THEN "last" ELSE "locks"

(* What is settled and unclaimed: committed, and the locks of its transaction gone. *)
Ended(t) == st[t] = "committed" /\ Virtual(t) \notin locks /\ Prepared(t) \notin locks
Settled  == {s \in UNION {seqs[t] : t \in {u \in Txs : Ended(u)}} : taken[s] = <<>>}

(* TakeLock: get the queue's lock, or go away; then, in a statement of its own, read  *)
(* the newest claim: the cursor and the pages. (One step here, for nobody appends a   *)
(* claim in between.) A step has a transaction already, which may have drawn seqs of  *)
(* this very lane.                                                                    *)
TakeLock(c, own) ==
  /\ work[c].at = "idle"           \* inert: who is not idle has the lock
  /\ queueLock = None
  /\ own # 0 => own \in Steppers /\ st[own] = "open" /\ seqs[own] # {}
  /\ queueLock' = c
  /\ st' = IF own = 0 THEN st ELSE [st EXCEPT ![own] = "stepping"]
  /\ work' = [work EXCEPT ![c] = [Idle EXCEPT
       !.at = FirstLook(claim.pages), !.own = own, !.settled = Settled,
       !.number = claim.number, !.hi = claim.hi, !.pages = claim.pages]]
  /\ UNCHANGED <<last, seqs, locks, claim, chain, taken, aborts>>

(* ReadLocks: who holds the sequence's lock now. *)
ReadLocks(c) ==
  /\ work[c].at = "locks"
  /\ work' = [work EXCEPT ![c].at = "look", ![c].now = locks]
  /\ UNCHANGED <<produced, claimed, aborts>>

(* LookAtPages: with a snapshot taken after the locks were read, look for the seqs of *)
(* each page that must be looked at. Found ones are taken, least first, as far as     *)
(* there is room.                                                                     *)
LookAtPages(c) ==
  LET w      == work[c]
      looked == {p \in w.pages : MustLook(p, w.now)}
      found  == HolesOf(looked) \cap Visible(c)
      late   == Least(Room, found)
      rest   == UNION {Rest(p.seqs \ found, Refill(p, w.now)) : p \in looked}
  IN /\ w.at = "look"
     /\ work' = [work EXCEPT ![c].at = IF Cardinality(late) < Room THEN "last" ELSE "commit",
                             ![c].took = late, ![c].now = {},
                             ![c].pages = (w.pages \ looked) \cup Left(found \ late) \cup rest]
     /\ UNCHANGED <<produced, claimed, aborts>>

(* ReadLast: how far the sequence has been drawn. *)
ReadLast(c) ==
  /\ work[c].at = "last"
  /\ work' = [work EXCEPT ![c].at = "entries", ![c].last = last]
  /\ UNCHANGED <<produced, claimed, aborts>>

(* ReadEntries: take what is visible beyond the cursor, least first; the cursor goes to *)
(* the greatest taken. If nothing is visible, it goes to the end of what was drawn, so  *)
(* that an idle lane has no phantom backlog. What it goes past unseen are fresh holes.  *)
ReadEntries(c) ==
  LET w      == work[c]
      beyond == {s \in Visible(c) : s > w.hi}
      new    == Least(Room - Cardinality(w.took), beyond)
      hi     == IF new # {} THEN Max(new) ELSE Max({w.hi, w.last})
      fresh  == ((w.hi + 1)..hi) \ beyond
  IN /\ w.at = "entries"
     /\ work' = [work EXCEPT ![c].at = IF fresh = {} THEN "commit" ELSE "fillers",
                             ![c].took = @ \cup new, ![c].hi = hi, ![c].last = 0,
                             ![c].fresh = fresh]
     /\ UNCHANGED <<produced, claimed, aborts>>

(* ReadFillers: who holds the lock now, after the entries were read, could fill a fresh *)
(* hole; who does not has ended.                                                        *)
ReadFillers(c) ==
  /\ work[c].at = "fillers"
  /\ work' = [work EXCEPT ![c].at = "again", ![c].now = locks]
  /\ UNCHANGED <<produced, claimed, aborts>>

(* LookAgain: with a snapshot taken after that, look for the fresh holes once more. Some *)
(* may have been filled since the entries were read, by a transaction that is no filler  *)
(* now. The others are a page.                                                           *)
LookAgain(c) ==
  LET w     == work[c]
      found == w.fresh \cap Visible(c)
      late  == Least(Room - Cardinality(w.took), found)
  IN /\ w.at = "again"
     /\ work' = [work EXCEPT ![c].at = "commit", ![c].took = @ \cup late, ![c].now = {},
                             ![c].fresh = {},
                             ![c].pages = @ \cup Left(found \ late)
                                            \cup Rest(w.fresh \ found, w.now)]
     /\ UNCHANGED <<produced, claimed, aborts>>

(* How a claim ends: its locks go, its transaction with them. *)
End(c, how) ==
  /\ work' = [work EXCEPT ![c] = Idle]
  /\ queueLock' = IF queueLock = c THEN None ELSE queueLock
  /\ st' = IF work[c].own = 0 THEN st ELSE [st EXCEPT ![work[c].own] = how]
  /\ UNCHANGED <<last, seqs, locks>>

Changes(c) ==
  work[c].took # {} \/ work[c].hi # claim.hi \/ work[c].pages # claim.pages

(* CommitClaim: the claim is appended under the next number, and commits. *)
CommitClaim(c) ==
  LET w == work[c]
      n == w.number + 1
  IN /\ w.at = "commit"
     /\ Changes(c)
     /\ NumberIsFree(n)            \* inert, as long as the newest claim is read under the lock
     /\ claim' = [number |-> n, hi |-> w.hi, pages |-> w.pages]
     /\ chain' = Append(chain, n)
     /\ taken' = [s \in Seqs |-> IF s \in w.took THEN Append(taken[s], c) ELSE taken[s]]
     /\ End(c, "committed")
     /\ UNCHANGED aborts

(* RefuseClaim: the number is taken (the unique key says so), and so the claim was stale. *)
RefuseClaim(c) ==
  /\ work[c].at = "commit"
  /\ Changes(c)
  /\ ~NumberIsFree(work[c].number + 1)
  /\ End(c, "aborted")
  /\ UNCHANGED <<claim, chain, taken, aborts>>

(* GoAway: there was nothing to claim and nothing to note. *)
GoAway(c) ==
  /\ work[c].at = "commit"
  /\ ~Changes(c)
  /\ End(c, "committed")
  /\ UNCHANGED <<claim, chain, taken, aborts>>

(* Abort: the claim breaks off, its backend killed, and leaves nothing. *)
Abort(c) ==
  /\ work[c].at # "idle"
  /\ aborts < MaxAborts
  /\ aborts' = aborts + 1
  /\ End(c, "aborted")
  /\ UNCHANGED <<claim, chain, taken>>

ClaimStep(c) ==
  \/ \E own \in {0} \cup Txs : TakeLock(c, own)
  \/ ReadLocks(c) \/ LookAtPages(c) \/ ReadLast(c) \/ ReadEntries(c)
  \/ ReadFillers(c) \/ LookAgain(c) \/ CommitClaim(c) \/ RefuseClaim(c) \/ GoAway(c)

Produce(t) ==
  \/ Prepare(t) \/ Commit(t) \/ Rollback(t) \/ Unlock(t)
  \/ \E kept \in BOOLEAN : Draw(t, kept)

Next == Skip \/ (\E t \in Txs : Produce(t)) \/ (\E c \in Claimers : ClaimStep(c) \/ Abort(c))
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Invariants. *)

Holes == HolesOf(claim.pages)

(* No committed entry behind the cursor is forgotten. *)
NoLost == \A s \in Committed : s <= claim.hi => taken[s] # <<>> \/ s \in Holes

ClaimedOnce     == \A s \in Seqs : Len(taken[s]) <= 1
ClaimsWithoutGap == \A i \in DOMAIN chain : chain[i] = i

(* Whoever could still fill a hole stands on its page. *)
HolesKnowFillers == \A p \in claim.pages : \A t \in Txs :
  st[t] \in InFlight /\ p.seqs \cap seqs[t] # {} => p.fillers \cap {Virtual(t), Prepared(t)} # {}

(* What is settled and yet on a page is not left there: the page must be looked at. *)
SettledIsDue == \A p \in claim.pages : p.seqs \cap Settled # {} => MustLook(p, locks)

(* Pages are disjoint, behind the cursor, and hold nothing that was claimed. *)
PagesSound ==
  /\ \A p \in claim.pages : p.seqs # {}
  /\ \A p, q \in claim.pages : p # q => p.seqs \cap q.seqs = {}
  /\ \A s \in Holes : s <= claim.hi /\ taken[s] = <<>>

-----------------------------------------------------------------------------
(* Step properties. *)

CursorGrows == [][claim'.hi >= claim.hi]_vars

(* A seq leaves the pages unclaimed only if nobody has filled or ever will fill it. *)
DroppedOnlyIfUnfillable == [][\A s \in Holes \ Holes' :
  taken'[s] # <<>> \/ ~\E t \in Txs : s \in seqs[t] /\ st[t] \in InFlight \cup {"committed"}]_vars

(* First come, first claimed, among what was settled before the claim began. *)
FirstInFirstOut == [][\A c \in Claimers, s \in Seqs :
  work[c].at = "commit" /\ taken'[s] # taken[s] =>
    \A r \in work[c].settled : r < s => taken'[r] # <<>>]_vars

-----------------------------------------------------------------------------
(* Liveness. Claims are taken up again and again; an ended transaction lets go of its *)
(* locks. Nothing else is fair: a producer may keep its transaction open for ever.    *)
FairSpec ==
  /\ Spec
  /\ \A c \in Claimers : WF_vars(ClaimStep(c))
  /\ \A t \in Txs : WF_vars(Unlock(t))

(* An entry once committed is claimed, whoever else stays open. *)
NobodyWaits == \A s \in Seqs : s \in Committed ~> taken[s] # <<>>

(* When nobody produces, the lane comes to rest: nothing left, and nothing seems left. *)
Quiet       == claim.pages = {} /\ claim.hi = last /\ \A s \in Committed : taken[s] # <<>>
ComesToRest == (locks = {}) ~> (Quiet \/ locks # {})
=============================================================================
