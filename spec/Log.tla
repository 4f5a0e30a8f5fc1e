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
(* snapshot); between two of them anything may happen. It is a claim of the  *)
(* queue, of which this lane is one: others share its room and its lock.     *)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  Txs,        \* 1..n: producers' transactions, numbered by their first draw
  Claimers,   \* set of strings: backends that claim
  Rooms,      \* SUBSET Nat: how many entries a claim may have room for
  MaxSpent,   \* bound of the model: how much of its room another lane uses up at a time
  Preparers,  \* SUBSET Txs: those that may end by a two-phase commit
  Passers,    \* SUBSET Txs: those that may come to hold the lock without drawing a seq here
  Steppers,   \* SUBSET Txs: those that may go on to claim, having drawn seqs themselves (a step)
  MaxSeq,     \* bound of the model: seqs ever drawn
  MaxVoid,    \* bound of the model: seqs drawn that no transaction keeps
  MaxOver,    \* bound of the model: entries that are cancelled before they are claimed
  MaxAborts   \* bound of the model: claims that break off

VARIABLES     \* what Postgres knows
  last,       \* 0..MaxSeq                 endvalue of the lane's sequence
  st,         \* [Txs -> TxState]          how far each producer's transaction is
  seqs,       \* [Txs -> SUBSET Seqs]      the entries it has appended, and kept at savepoints
  locks,      \* SUBSET Holders            who holds RowExclusiveLock on the sequence
  queueLock,  \* Claimers or "none"        who holds the queue's advisory lock
  claim,      \* Claim                     the newest committed claim: number, cursor, hole pages
  over,       \* SUBSET Seqs              entries that were cancelled while nobody had claimed them
              \* what a claim in progress has read and made
  work,       \* [Claimers -> Work]
              \* ghosts: history nobody reads back
  chain,      \* Seq(Nat)                  the numbers of all committed claims, in order of commit
  taken,      \* [Seqs -> Seq(Claimers)]   who claimed a seq, be it to run it or to divert it
  aborts      \* 0..MaxAborts

produced == <<last, st, seqs, locks>>
claimed  == <<queueLock, claim, over, chain, taken>>
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

(* A hole page never changes: a claim keeps it, or puts others in its place. Unread is a *)
(* filler that nobody is, so that the next claim looks.                                  *)
Unread == <<"unread", 0>>
Page   == [seqs: SUBSET Seqs, fillers: SUBSET (Holders \cup {Unread})]
Claim  == [number: Nat, hi: 0..MaxSeq, pages: SUBSET Page]

(* A snapshot is the set of transactions committed when it is taken; each action *)
(* that says Visible is one statement, and this is its snapshot. A step sees its *)
(* own transaction as well.                                                      *)
Committed  == UNION {seqs[t] : t \in {u \in Txs : st[u] = "committed"}}
Visible(c) == Committed \cup (IF work[c].own = 0 THEN {} ELSE seqs[work[c].own])

Max(S)      == CHOOSE x \in S : \A y \in S : y <= x
Min(S)      == CHOOSE x \in S : \A y \in S : x <= y
Least(n, S) == {s \in S : Cardinality({r \in S : r <= s}) <= n}
HolesOf(pages) == UNION {p.seqs : p \in pages}

Steps == {"idle", "locks", "look", "read", "again"}
Work  == [at: Steps, own: {0} \cup Txs, room: Nat, number: Nat, hi: 0..MaxSeq,
          pages: SUBSET Page, last: 0..MaxSeq, now: SUBSET Holders, took: SUBSET Seqs,
          fresh: SUBSET Seqs, settled: SUBSET Seqs]
Idle  == [at |-> "idle", own |-> 0, room |-> 0, number |-> 0, hi |-> 0,
          pages |-> {}, last |-> 0, now |-> {}, took |-> {},
          fresh |-> {}, settled |-> {}]

TypeOK ==
  /\ last \in 0..MaxSeq /\ aborts \in 0..MaxAborts /\ locks \subseteq Holders
  /\ st \in [Txs -> TxState] /\ \A t \in Txs : seqs[t] \subseteq 1..last
  /\ queueLock \in Claimers \cup {None}
  /\ claim.number \in Nat /\ claim.hi \in 0..MaxSeq
  /\ over \subseteq 1..last
  /\ \A p \in claim.pages : p.seqs \subseteq Seqs /\ p.fillers \subseteq Holders \cup {Unread}
  /\ \A c \in Claimers :
       /\ work[c].at \in Steps /\ work[c].room \in Nat
       /\ work[c].took \subseteq Seqs /\ work[c].fresh \subseteq Seqs

Init ==
  /\ last = 0 /\ locks = {} /\ queueLock = None /\ aborts = 0
  /\ st = [t \in Txs |-> "idle"] /\ seqs = [t \in Txs |-> {}]
  /\ claim = [number |-> 0, hi |-> 0, pages |-> {}] /\ over = {} /\ chain = <<>>
  /\ work = [c \in Claimers |-> Idle] /\ taken = [s \in Seqs |-> <<>>]

-----------------------------------------------------------------------------
(* Producers. The lock comes before the first draw, and goes after the end is *)
(* visible to new snapshots: so does Postgres.                                *)

VoidIsAllowed(n) == Cardinality((1..last) \ UNION {seqs[t] : t \in Txs}) + n <= MaxVoid
Begins(t) ==
  /\ st[t] = "idle"
  /\ \A u \in Txs : u < t => st[u] # "idle"   \* inert: a bound; one is like another

(* Draw: nextval, n times, and the entries are appended; or they were, and a savepoint *)
(* takes them back. The first nextval of a transaction takes the lock, before it draws. *)
(* In a trace: Enqueue and whatever else appends (Promote, Retry, Divert, ...).        *)
Draw(t, n, kept) ==
  /\ st[t] = "open" \/ Begins(t)
  /\ last + n <= MaxSeq
  /\ kept \/ VoidIsAllowed(n)    \* inert: a bound
  /\ last' = last + n
  /\ st' = [st EXCEPT ![t] = "open"]
  /\ seqs' = [seqs EXCEPT ![t] = IF kept THEN @ \cup (last + 1)..(last + n) ELSE @]
  /\ locks' = locks \cup {Virtual(t)}
  /\ UNCHANGED <<claimed, work, aborts>>

(* Skip: a restart of the server goes past numbers that nobody drew. In a trace: numbers *)
(* that no event names, for a rollback leaves no event.                                  *)
Skip(n) ==
  /\ last + n <= MaxSeq
  /\ VoidIsAllowed(n)            \* inert: a bound
  /\ last' = last + n
  /\ UNCHANGED <<st, seqs, locks, claimed, work, aborts>>

(* Touch: a transaction holds the lock and draws nothing here, or not yet. It draws from *)
(* another lane of the queue, or it is a claim, which asks for the last value. Not in a  *)
(* trace: placed before the first reading of the lock table that names it.               *)
Touch(t) ==
  /\ t \in Passers               \* inert: a bound
  /\ Begins(t)
  /\ st' = [st EXCEPT ![t] = "open"]
  /\ locks' = locks \cup {Virtual(t)}
  /\ UNCHANGED <<last, seqs, claimed, work, aborts>>

(* Prepare: the first half of a two-phase commit. The lock never lapses, but its holder *)
(* has another name now. Not in a trace: placed as Touch is, by that other name.        *)
Prepare(t) ==
  /\ t \in Preparers             \* inert: a bound
  /\ st[t] = "open"
  /\ st' = [st EXCEPT ![t] = "prepared"]
  /\ locks' = (locks \ {Virtual(t)}) \cup {Prepared(t)}
  /\ UNCHANGED <<last, seqs, claimed, work, aborts>>

(* Commit: what t appended is visible from now on. The lock is still held. In a trace: *)
(* where the snapshots of the claims place it.                                         *)
Commit(t) ==
  /\ st[t] \in {"open", "prepared"} /\ seqs[t] # {}
  /\ st' = [st EXCEPT ![t] = "committed"]
  /\ UNCHANGED <<last, seqs, locks, claimed, work, aborts>>

(* Rollback: what t appended will never be there. The lock is still held. Not in a trace: *)
(* placed as Unlock is, if no event says that it committed.                               *)
Rollback(t) ==
  /\ st[t] \in {"open", "prepared"}
  /\ st' = [st EXCEPT ![t] = "aborted"]
  /\ UNCHANGED <<last, seqs, locks, claimed, work, aborts>>

(* Unlock: the ended transaction lets go of its locks. Not in a trace: placed before the *)
(* first reading of the lock table that does not name it.                                *)
Unlock(t) ==
  /\ st[t] \in {"committed", "aborted"}
  /\ locks \cap {Virtual(t), Prepared(t)} # {}   \* inert: without it, a step that changes nothing
  /\ locks' = locks \ {Virtual(t), Prepared(t)}
  /\ UNCHANGED <<last, st, seqs, claimed, work, aborts>>

-----------------------------------------------------------------------------
(* Claims. Rules first, then the statements in their order. *)

(* A page must be looked at when one that it waits for is gone. *)
MustLook(p, now) == ~(p.fillers \subseteq now)

(* Who could still fill what is left of a page: those of its fillers that still hold *)
(* the lock. If a virtual one is gone, it may have become any of the prepared ones;  *)
(* if none is, nobody is added, or a page might never end.                           *)
Refill(p, now) ==
  (p.fillers \cap now) \cup
  (IF \E t \in Txs : Virtual(t) \in p.fillers \ now
   THEN {h \in now : h[1] = "prepared"} ELSE {})

(* The pages made of seqs that were not found: dropped, if nobody could fill them. *)
Rest(S, fillers) == IF S = {} \/ fillers = {} THEN {} ELSE {[seqs |-> S, fillers |-> fillers]}

(* The page made of what was not looked at, because the room was used up. It must not *)
(* share a page with what was not found, or it would wait for strangers.              *)
Left(S, fillers) ==
  IF S = {} THEN {} ELSE {[seqs |-> S, fillers |-> fillers \cup {Unread}]}

(* A look at a page goes through its seqs in order, up to one: the last, or where the *)
(* room is used up.                                                                   *)
Found(c, S, upto) == {s \in S \cap Visible(c) : s <= upto}
EndsAt(c, S, upto) ==
  LET n == Cardinality(Found(c, S, upto))
  IN \/ n < work[c].room /\ upto = Max(S)
     \/ n = work[c].room /\ upto \in IF n = 0 THEN {0} ELSE Found(c, S, upto)

(* What goes on of a page after that. *)
PagesOf(c, p, upto, now) ==
  Left({s \in p.seqs : s > upto}, Refill(p, now)) \cup
  Rest({s \in p.seqs : s <= upto} \ Visible(c), Refill(p, now))

(* What is given out of what was found; the rest is passed by. *)
Given(found) == found \ over

(* What is settled and open: committed, and the locks of its transaction gone. *)
Ended(t) == st[t] = "committed" /\ Virtual(t) \notin locks /\ Prepared(t) \notin locks
Settled  == {s \in UNION {seqs[t] : t \in {u \in Txs : Ended(u)}} :
              taken[s] = <<>> /\ s \notin over}

(* A claim looks at pages while one is left that must be looked at, and room; then it reads. *)
Looking(w) ==
  IF w.room > 0 /\ \E p \in w.pages : MustLook(p, w.now) THEN w
  ELSE [w EXCEPT !.at = "read", !.now = {}]

(* Cancel: an entry that nobody has claimed is over. Who cancels holds the queue's lock. *)
(* In a trace: Cancel, if it is under that lock.                                         *)
Cancel(s) ==
  /\ queueLock = None
  /\ Cardinality(over) < MaxOver \* inert: a bound
  /\ s \in Committed /\ taken[s] = <<>>
  /\ s \notin over               \* inert: what is over is over already
  /\ over' = over \cup {s}
  /\ UNCHANGED <<produced, queueLock, claim, chain, taken, work, aborts>>

(* What a claim knows when it begins. *)
FirstLook(pages) == IF pages = {} THEN "read" ELSE "locks"
Begun(own, room) == [Idle EXCEPT
  !.at = FirstLook(claim.pages), !.own = own, !.room = room, !.settled = Settled,
  !.number = claim.number, !.hi = claim.hi, !.pages = claim.pages, !.last = last]

(* TakeLock: get the queue's lock, or go away; then, in statements of their own, read   *)
(* the newest claim, which has the cursor and the pages, and how far the lane's sequence *)
(* has been drawn. (One step here, for nobody appends a claim in between.) A step has a  *)
(* transaction already, which may have drawn seqs of this very lane. In a trace: Claim,  *)
(* placed before the first of its reads that is of this lane.                            *)
TakeLock(c, own, room) ==
  /\ work[c].at = "idle"           \* inert: who is not idle has the lock
  /\ queueLock = None
  /\ own # 0 =>
       /\ own \in Steppers        \* inert: a bound
       /\ st[own] = "open"
       /\ seqs[own] # {}
  /\ queueLock' = c
  /\ st' = IF own = 0 THEN st ELSE [st EXCEPT ![own] = "stepping"]
  /\ work' = [work EXCEPT ![c] = Begun(own, room)]
  /\ UNCHANGED <<last, seqs, locks, claim, over, chain, taken, aborts>>

(* Spend: so many entries are taken from another lane of the queue. In a trace: what its *)
(* reads of other lanes found.                                                           *)
Spend(c, n) ==
  LET w == [work[c] EXCEPT !.room = @ - n]
  IN /\ w.at \in {"look", "read", "again"}
     /\ w.room >= 0
     /\ work' = [work EXCEPT ![c] = IF w.at = "look" THEN Looking(w) ELSE w]
     /\ UNCHANGED <<produced, claimed, aborts>>

(* ReadLocks: who holds the sequence's lock now. In a trace: `present`, in a read of a page. *)
ReadLocks(c) ==
  /\ work[c].at = "locks"
  /\ work' = [work EXCEPT ![c] = Looking([@ EXCEPT !.at = "look", !.now = locks])]
  /\ UNCHANGED <<produced, claimed, aborts>>

(* LookAtPage: with a snapshot taken after the locks were read, look for the seqs of the *)
(* page that must be looked at and has the first of them. Found ones are taken, least    *)
(* first, as far as there is room. In a trace: a read of a page.                         *)
LookAtPage(c, first, upto) ==
  LET w     == work[c]
      due   == {q \in w.pages : MustLook(q, w.now)}
      p     == CHOOSE q \in due : first \in q.seqs
      found == Found(c, p.seqs, upto)
  IN /\ w.at = "look"
     /\ first = Min(HolesOf(due))
     /\ EndsAt(c, p.seqs, upto)
     /\ work' = [work EXCEPT ![c] = Looking([@ EXCEPT
          !.room = @ - Cardinality(found), !.took = @ \cup Given(found),
          !.pages = (@ \ {p}) \cup PagesOf(c, p, upto, w.now)])]
     /\ UNCHANGED <<produced, claimed, aborts>>

(* ReadEntries: take what is visible beyond the cursor, up to one, where the cursor goes.  *)
(* What it goes past unseen are fresh holes. A claim may read several times, or not at all: *)
(* other lanes have their turns. In a trace: a read of entries that found any.              *)
ReadEntries(c, upto) ==
  LET w     == work[c]
      found == {s \in Visible(c) : w.hi < s /\ s <= upto}
  IN /\ w.at = "read"
     /\ upto \in found /\ upto <= w.last
     /\ Cardinality(found) <= w.room
     /\ work' = [work EXCEPT ![c] = [@ EXCEPT
          !.room = @ - Cardinality(found), !.took = @ \cup Given(found),
          !.hi = upto, !.fresh = @ \cup (((w.hi + 1)..upto) \ found)]]
     /\ UNCHANGED <<produced, claimed, aborts>>

(* Settle: the cursor goes to the end of what was drawn, so that an idle lane has no      *)
(* phantom backlog; what is there is a fresh hole. A claim does so when it finds nothing  *)
(* more and others before it found nothing either; at any time it would be sound. In a    *)
(* trace: the cursor is beyond what was read.                                             *)
Settle(c) ==
  /\ work[c].at = "read"
  /\ work[c].hi < work[c].last     \* inert: otherwise a step that changes nothing
  /\ work' = [work EXCEPT ![c].hi = work[c].last,
                          ![c].fresh = @ \cup (work[c].hi + 1)..work[c].last]
  /\ UNCHANGED <<produced, claimed, aborts>>

(* ReadFillers: who holds the lock now, after the entries were read, could fill a fresh *)
(* hole; who does not has ended. In a trace: `present`, in a read of no page.           *)
ReadFillers(c) ==
  /\ work[c].at = "read"           \* inert: to read them anew before the next look is as good
  /\ work[c].fresh # {}            \* inert: who may fill nothing is told of nothing
  /\ work' = [work EXCEPT ![c].at = "again", ![c].now = locks]
  /\ UNCHANGED <<produced, claimed, aborts>>

(* Overlook: only the lanes with fresh holes are asked for, so one may be missing that   *)
(* holds another lane's lock, and has drawn nothing here. In a trace: `present` again.   *)
Overlook(c, t) ==
  /\ work[c].at = "again"          \* inert: who has drawn nothing here fills nothing here
  /\ seqs[t] = {}
  /\ work' = [work EXCEPT ![c].now = @ \ {Virtual(t), Prepared(t)}]
  /\ UNCHANGED <<produced, claimed, aborts>>

(* LookAgain: with a snapshot taken after that, look for the fresh holes once more, those *)
(* up to one. Some may have been filled since the entries were read, by a transaction     *)
(* that is no filler now. The others are a page. In a trace: a read of no page.           *)
LookAgain(c, part, upto) ==
  LET w     == work[c]
      p     == [seqs |-> {s \in w.fresh : s <= part}, fillers |-> w.now]
      found == Found(c, p.seqs, upto)
      fresh == w.fresh \ p.seqs
  IN /\ w.at = "again"
     /\ part \in w.fresh
     /\ EndsAt(c, p.seqs, upto)
     /\ work' = [work EXCEPT ![c] = [@ EXCEPT
          !.room = @ - Cardinality(found), !.took = @ \cup Given(found),
          !.fresh = fresh, !.now = IF fresh = {} THEN {} ELSE @,
          !.pages = @ \cup PagesOf(c, p, upto, w.now)]]
     /\ UNCHANGED <<produced, claimed, aborts>>

(* How a claim ends: its locks go, its transaction with them. *)
End(c, how) ==
  /\ work' = [work EXCEPT ![c] = Idle]
  /\ queueLock' = IF queueLock = c THEN None ELSE queueLock
  /\ st' = IF work[c].own = 0 THEN st ELSE [st EXCEPT ![work[c].own] = how]
  /\ UNCHANGED <<last, seqs, locks>>

IsDone(c)  == work[c].at \in {"read", "again"} /\ work[c].fresh = {}
NumberIsFree(n) == \A i \in DOMAIN chain : chain[i] # n
Changes(c) ==
  work[c].took # {} \/ work[c].hi # claim.hi \/ work[c].pages # claim.pages

(* CommitClaim: the claim is appended under the next number, and commits. In a trace: *)
(* Claim. (Its numbers are the queue's, and go on if only another lane has changed.)  *)
CommitClaim(c) ==
  LET w == work[c]
      n == w.number + 1
  IN /\ IsDone(c)
     /\ Changes(c)
     /\ NumberIsFree(n)            \* inert: as long as the newest claim is read under the lock
     /\ claim' = [number |-> n, hi |-> w.hi, pages |-> w.pages]
     /\ chain' = Append(chain, n)
     /\ taken' = [s \in Seqs |-> IF s \in w.took THEN Append(taken[s], c) ELSE taken[s]]
     /\ End(c, "committed")
     /\ UNCHANGED <<over, aborts>>

(* RefuseClaim: the number is taken (the unique key says so), and so the claim was stale. *)
(* Not in a trace: it leaves no event.                                                    *)
RefuseClaim(c) ==
  /\ IsDone(c)
  /\ Changes(c)
  /\ ~NumberIsFree(work[c].number + 1)
  /\ End(c, "aborted")
  /\ UNCHANGED <<claim, over, chain, taken, aborts>>

(* GoAway: there was nothing to claim and nothing to note. In a trace: Claim, if it was for *)
(* the sake of other lanes.                                                                 *)
GoAway(c) ==
  /\ IsDone(c)
  /\ ~Changes(c)
  /\ End(c, "committed")
  /\ UNCHANGED <<claim, over, chain, taken, aborts>>

(* Abort: the claim breaks off, its backend killed, and leaves nothing. Not in a trace. *)
Abort(c) ==
  /\ work[c].at # "idle"
  /\ aborts < MaxAborts
  /\ aborts' = aborts + 1
  /\ End(c, "aborted")
  /\ UNCHANGED <<claim, over, chain, taken>>

ClaimStep(c) ==
  \/ \E own \in {0} \cup Txs, room \in Rooms : TakeLock(c, own, room)
  \/ \E n \in 1..MaxSpent : Spend(c, n)
  \/ ReadLocks(c)
  \/ \E first \in Seqs, upto \in Seqs : LookAtPage(c, first, upto)
  \/ \E upto \in Seqs : ReadEntries(c, upto)
  \/ Settle(c) \/ ReadFillers(c)
  \/ \E t \in Passers : Overlook(c, t)
  \/ \E part \in Seqs, upto \in {0} \cup Seqs : LookAgain(c, part, upto)
  \/ CommitClaim(c) \/ RefuseClaim(c) \/ GoAway(c) \/ Abort(c)

Produce(t) ==
  \/ Touch(t) \/ Prepare(t) \/ Commit(t) \/ Rollback(t) \/ Unlock(t)
  \/ \E n \in Seqs, kept \in BOOLEAN : Draw(t, n, kept)

Next ==
  \/ \E n \in Seqs : Skip(n)
  \/ \E s \in Seqs : Cancel(s)
  \/ \E t \in Txs : Produce(t)
  \/ \E c \in Claimers : ClaimStep(c)
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Invariants. *)

Holes == HolesOf(claim.pages)

(* No committed entry behind the cursor is forgotten. *)
NoLost == \A s \in Committed : s <= claim.hi => taken[s] # <<>> \/ s \in Holes \cup over

(* What was cancelled first is not claimed. *)
CancelledIsOver == \A s \in over : taken[s] = <<>>

ClaimedOnce     == \A s \in Seqs : Len(taken[s]) <= 1
ClaimsWithoutGap == \A i \in DOMAIN chain : chain[i] = i

(* Whoever could still fill a hole stands on its page. *)
HolesKnowFillers == \A p \in claim.pages : \A t \in Txs :
  st[t] \in InFlight /\ p.seqs \cap seqs[t] # {} => p.fillers \cap {Virtual(t), Prepared(t)} # {}

(* What is settled and yet on a page is not left there: the page must be looked at. *)
SettledIsDue == \A p \in claim.pages : p.seqs \cap Settled # {} => MustLook(p, locks)

(* Pages come one after the other, lie behind the cursor, and hold nothing that was claimed. *)
PagesSound ==
  /\ \A p \in claim.pages : p.seqs # {}
  /\ \A p, q \in claim.pages : p # q => p.seqs \cap q.seqs = {}
  /\ \A p \in claim.pages :
       LET first == Min(p.seqs)
           end   == Max(p.seqs)
       IN \A s \in Holes \ p.seqs : s < first \/ end < s
  /\ \A s \in Holes : s <= claim.hi /\ taken[s] = <<>>

-----------------------------------------------------------------------------
(* Step properties. *)

CursorGrows == [][claim'.hi >= claim.hi]_vars

(* A seq leaves the pages unclaimed only if nobody has filled or ever will fill it. *)
DroppedOnlyIfUnfillable == [][\A s \in Holes \ Holes' :
  \/ taken'[s] # <<>> \/ s \in over
  \/ ~\E t \in Txs : s \in seqs[t] /\ st[t] \in InFlight \cup {"committed"}]_vars

(* First come, first claimed, among what was settled before the claim began. *)
Claimed == {s \in Seqs : taken'[s] # taken[s]}
FirstInFirstOut == [][\A c \in Claimers :
  work[c].at # "idle" /\ work'[c].at = "idle" /\ Claimed # {} =>
    \A r \in work[c].settled : r < Max(Claimed) => taken'[r] # <<>>]_vars

-----------------------------------------------------------------------------
(* Witnesses, each told as what is not so: some state refutes it here, and some real run has. *)

NoHole              == claim.pages = {}
NoSecondPage        == Cardinality(claim.pages) < 2
NothingUnread       == \A p \in claim.pages : Unread \notin p.fillers
NobodyPreparedFills == \A p \in claim.pages : \A h \in p.fillers : h[1] # "prepared"
NothingLate         == Holes \cap Committed = {}
NothingLateIsOver   == Holes \cap over = {}
NoStepDraws         == \A t \in Txs : st[t] # "stepping"

-----------------------------------------------------------------------------
(* Liveness. Claims are taken up again and again, and each takes all that it has room for *)
(* and settles; an ended transaction lets go of its locks. Nothing else is fair: a        *)
(* producer may keep its transaction open for ever.                                       *)
Beyond(c)    == {s \in Visible(c) : work[c].hi < s /\ s <= work[c].last}
HasRead(c)   == work[c].at = "again" \/ work[c].room = 0 \/ Beyond(c) = {}
IsSettled(c) == work[c].at = "again" \/ work[c].hi = work[c].last \/ Beyond(c) # {}
Thorough(c) ==
  \/ (\E room \in Rooms : TakeLock(c, 0, room)) \/ ReadLocks(c)
  \/ \E first \in Seqs, upto \in Seqs : LookAtPage(c, first, upto)
  \/ \E upto \in Seqs : ReadEntries(c, upto)
  \/ Beyond(c) = {} /\ Settle(c)
  \/ HasRead(c) /\ IsSettled(c) /\ (ReadFillers(c) \/ CommitClaim(c) \/ GoAway(c))
  \/ \E part \in Seqs, upto \in {0} \cup Seqs : LookAgain(c, part, upto)

FairNext ==
  \/ \E n \in Seqs : Skip(n)
  \/ \E t \in Txs : Produce(t)
  \/ \E c \in Claimers : Thorough(c)
FairSpec ==
  /\ Init /\ [][FairNext]_vars
  /\ \A c \in Claimers : WF_vars(Thorough(c))
  /\ \A t \in Txs : WF_vars(Unlock(t))

(* An entry once committed is claimed, whoever else stays open. *)
NobodyWaits == \A s \in Seqs : s \in Committed ~> taken[s] # <<>>

(* When nobody produces, the lane comes to rest: nothing left, and nothing seems left. *)
Quiet       == claim.pages = {} /\ claim.hi = last /\ \A s \in Committed : taken[s] # <<>>
ComesToRest == (locks = {}) ~> (Quiet \/ locks # {})
=============================================================================
