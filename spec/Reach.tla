-------------------------------- MODULE Reach --------------------------------
(* How far back a claim looks. A lane's entries lie in the segments that were    *)
(* open when each was written; the cursor says from which number on the lane is  *)
(* to be read, so that a claim need not look into all there are. It moves on     *)
(* from a segment that nobody can write into any more, once nothing beyond the   *)
(* cursor lies there. What is passed over remembers, on its page, where it may   *)
(* come to lie.                                                                  *)
(*                                                                               *)
(* `Log` says how a lane is read, `Segments` how a writer comes by its segment   *)
(* (here in one step); this is where the two meet. Between two statements of a   *)
(* claim an hour may pass, with rotations, prunes, and slots that are used again.*)
(* (A claim that breaks off leaves nothing, as if it had not begun.)             *)
EXTENDS Integers, FiniteSets

CONSTANTS
  Slots,      \* 1..n: the partitions there may be
  MaxSeq,     \* bound of the model: writers; the transaction that draws seq s is called s
  Settling,   \* SUBSET BOOLEAN: whether a claim closes the lane's end (it has looked in vain for a while)
  MaxNumber   \* bound of the model: segments ever opened

VARIABLES     \* what Postgres knows
  segment,    \* [Slots -> Segment]     the highest number is the open segment
  tx,         \* [Seqs -> Tx]           how far each writer is, and where it writes
  last,       \* 0..MaxSeq              last_value of the lane's sequence
  row,        \* [Seqs -> {0} \cup Slots]  where an entry lies, once it is committed; 0: nowhere
  cursor,     \* Cursor                 the newest claim: how far the lane was read, from where on
  taken,      \* SUBSET Seqs            what was claimed
              \* the claim at work (one at a time: it has the queue's lock)
  work        \* Work

written == <<tx, last, row>>
claimed == <<cursor, taken>>
vars    == <<segment, written, claimed, work>>

Seqs    == 1..MaxSeq
Numbers == 0..MaxNumber
Segment == [number: Numbers, is: {"free", "open", "closed"}]
Tx      == [at: {"idle", "drawn", "chosen", "over"}, slot: {0} \cup Slots]
Page    == [seqs: SUBSET Seqs, fillers: SUBSET Seqs, from: Numbers]
Cursor  == [hi: 0..MaxSeq, from: Numbers, pages: SUBSET Page]
Name    == [number: Numbers, slot: {0} \cup Slots]
Nowhere == [number |-> 0, slot |-> 0]
Steps   == {"idle", "turned", "locks", "look", "slots", "closed", "read", "moved", "fillers", "again", "commit"}
Work    == [at: Steps, upto: 0..MaxSeq, hi: 0..MaxSeq, from: Numbers, pages: SUBSET Page,
            lock: {0} \cup Slots, slots: SUBSET Slots, first: Name, next: Numbers, now: SUBSET Seqs,
            took: SUBSET Seqs, fresh: SUBSET Seqs]
Idle    == [at |-> "idle", upto |-> 0, hi |-> 0, from |-> 0, pages |-> {}, lock |-> 0,
            slots |-> {}, first |-> Nowhere, next |-> 0, now |-> {}, took |-> {}, fresh |-> {}]

Number(s) == segment[s].number
Used      == {s \in Slots : Number(s) > 0}
Vacant    == Slots \ Used
Top       == CHOOSE s \in Used : \A v \in Used : Number(v) <= Number(s)
IsClosed(s) == segment[s].is = "closed"
InFlight  == {w \in Seqs : tx[w].at \in {"drawn", "chosen"}}

Least(n, S) == {s \in S : Cardinality({r \in S : r <= s}) <= n}
Max(S)      == CHOOSE x \in S : \A y \in S : y <= x

TypeOK ==
  /\ \A s \in Slots : segment[s] \in Segment
  /\ \A w \in Seqs : tx[w] \in Tx
  /\ last \in 0..MaxSeq /\ taken \subseteq Seqs /\ \A s \in Seqs : row[s] \in {0} \cup Slots
  /\ cursor.hi \in 0..last /\ cursor.from \in Numbers /\ \A p \in cursor.pages : p \in Page
  /\ work.at \in Steps /\ work.slots \subseteq Slots
  /\ work.took \subseteq Seqs /\ work.fresh \subseteq Seqs /\ \A p \in work.pages : p \in Page

Init ==
  /\ segment = [s \in Slots |-> IF s = 1 THEN [number |-> 1, is |-> "open"]
                                ELSE [number |-> 0, is |-> "free"]]
  /\ tx = [w \in Seqs |-> [at |-> "idle", slot |-> 0]]
  /\ last = 0 /\ row = [s \in Seqs |-> 0]
  /\ cursor = [hi |-> 0, from |-> 1, pages |-> {}] /\ taken = {}
  /\ work = Idle

-----------------------------------------------------------------------------
(* Writers. The number first, then the segment. *)

(* Draw: nextval; its lock says to the end that w may still write. Not in a trace; Enqueue names the seq. *)
Draw(w) ==
  /\ w = last + 1
  /\ last' = w
  /\ tx' = [tx EXCEPT ![w].at = "drawn"]
  /\ UNCHANGED <<segment, row, claimed, work>>

(* Enqueue: the open segment is chosen, which cannot be closed before w is over. Trace: Enqueue. *)
Enqueue(w) ==
  /\ tx[w].at = "drawn"
  /\ tx' = [tx EXCEPT ![w].at = "chosen", ![w].slot = Top]
  /\ UNCHANGED <<segment, last, row, claimed, work>>

Over == [at |-> "over", slot |-> 0]

(* Commit and Rollback of a writer. Trace: the xid of its event is seen, or is not. *)
Commit(w) ==
  /\ tx[w].at = "chosen"
  /\ row' = [row EXCEPT ![w] = tx[w].slot]
  /\ tx' = [tx EXCEPT ![w] = Over]
  /\ UNCHANGED <<segment, last, claimed, work>>
Rollback(w) ==
  /\ w \in InFlight   \* inert: who has drawn nothing has nothing to undo
  /\ tx' = [tx EXCEPT ![w] = Over]
  /\ UNCHANGED <<segment, last, row, claimed, work>>

-----------------------------------------------------------------------------
(* The leader. *)

(* Rotate: writers go on in s: Open and Switch of Segments. Trace: Switch. *)
Rotate(s) ==
  /\ s \in Vacant     \* inert here: that a number stays is said in Segments
  /\ Number(Top) < MaxNumber
  /\ segment' = [segment EXCEPT ![s] = [number |-> Number(Top) + 1, is |-> "open"]]
  /\ UNCHANGED <<written, claimed, work>>

(* Close: nobody can write into s any more. Trace: Close. *)
Close(s) ==
  /\ s \in Used         \* inert: in what is vacant nothing lies, whatever it is called
  /\ s # Top
  /\ ~IsClosed(s)       \* inert: closed once more
  /\ \A w \in Seqs : tx[w].slot # s
  /\ work.lock # s     \* inert here: that it is for the claim to come is said in Carry
  /\ segment' = [segment EXCEPT ![s].is = "closed"]
  /\ UNCHANGED <<written, claimed, work>>

(* Prune: a closed segment without backlog is emptied. What is backlog is known from the newest claim. *)
(* (What runs is carried; that a claim at work keeps the prune from what it has read is left out.)     *)
(* Trace: Prune.                                                                                       *)
Holes      == UNION {p.seqs : p \in cursor.pages}
Backlog(s) == \E e \in Seqs :
  /\ row[e] = s                       \* inert: to keep too much does no harm
  /\ e > cursor.hi \/ e \in Holes     \* inert: likewise
Prune(s) ==
  /\ IsClosed(s)
  /\ ~Backlog(s)
  /\ segment' = [segment EXCEPT ![s] = [number |-> 0, is |-> "free"]]
  /\ row' = [e \in Seqs |-> IF row[e] = s THEN 0 ELSE row[e]]
  /\ UNCHANGED <<tx, last, claimed, work>>

-----------------------------------------------------------------------------
(* The claim, statement by statement. *)

(* Where entries may lie that are written from a number on: asked of the segments as they are now. *)
SlotsFrom(n) == IF n >= Number(Top) THEN {Top} ELSE {s \in Used : Number(s) >= n}
FirstOf(slots) == CHOOSE s \in slots : \A v \in slots : Number(s) <= Number(v)
NextAfter(n) == LET later == {s \in Used : Number(s) > n}
                IN Number(CHOOSE s \in later : \A v \in later : Number(s) <= Number(v))

(* What a read finds: committed, in slots that it is told, and in partitions that the backend knows. *)
(* Whoever asks for slots learns of all partitions of that moment.                                  *)
Knows              == Slots
Found(seqs, slots) == {e \in seqs : row[e] \in slots \cap Knows}

(* Turn: the queue's lock is had; read the newest claim, and how far the lane was drawn. *)
(* Not in a trace; placed after the Claim before it.                                     *)
Turn ==
  /\ work.at = "idle"
  /\ last > cursor.hi \/ cursor.pages # {}   \* inert: without it, claims that change nothing
  /\ work' = [work EXCEPT !.at = "turned", !.upto = last, !.hi = cursor.hi, !.from = cursor.from,
                          !.pages = cursor.pages]
  /\ UNCHANGED <<segment, written, claimed>>

(* NextClaim: the segment that is open now is where the claim after this one goes; it is locked, *)
(* shared. Not in a trace; Claim names it as next_segment.                                       *)
NextClaim ==
  /\ work.at = "turned"
  /\ work' = [work EXCEPT !.at = IF work.pages = {} THEN "slots" ELSE "locks", !.lock = Top]
  /\ UNCHANGED <<segment, written, claimed>>

(* ReadLocks: who could still fill a page. Not in a trace; placed before the snapshot of the look. *)
ReadLocks ==
  /\ work.at = "locks"
  /\ work' = [work EXCEPT !.at = "look", !.now = InFlight]
  /\ UNCHANGED <<segment, written, claimed>>

(* LookAtPages: pages that have lost a filler are looked for, from their numbers on. Trace: Claim, a *)
(* row of its `reads`, with slots and snapshot.                                                      *)
LookFrom(n) == SlotsFrom(n)
Late(p)     == Found(p.seqs, LookFrom(p.from))
Keep(p, now, late) ==
  LET left == p.seqs \ late
  IN IF left = {} \/ p.fillers \cap now = {} THEN {}
     ELSE {[seqs |-> left, fillers |-> p.fillers \cap now, from |-> p.from]}
LookAtPages ==
  LET looked == {p \in work.pages : ~(p.fillers \subseteq work.now)}
  IN /\ work.at = "look"
     /\ work' = [work EXCEPT !.at = "slots", !.now = {},
          !.took = UNION {Late(p) : p \in looked},
          !.pages = (@ \ looked) \cup UNION {Keep(p, work.now, Late(p)) : p \in looked}]
     /\ UNCHANGED <<segment, written, claimed>>

(* ReadSlots: where the lane is to be read, the oldest first. Trace: Claim, `slots` of its reads. *)
ReadSlots ==
  LET slots == SlotsFrom(work.from)
      first == FirstOf(slots)
  IN /\ work.at = "slots"
     /\ work' = [work EXCEPT !.at = IF Cardinality(slots) > 1 THEN "closed" ELSE "read", !.slots = slots,
                             !.first = [number |-> Number(first), slot |-> first]]
     /\ UNCHANGED <<segment, written, claimed>>

(* AskClosed: if the first of several is closed, and its slot is the first still, the lane may be read  *)
(* from the next number on. Before the read: whoever writes into it after that is gone. Not in a trace; *)
(* Claim shows the cursor's `reads_from` before and after.                                              *)
NextFrom(first) ==
  IF FirstOf(SlotsFrom(work.from)) = first.slot /\ IsClosed(first.slot) THEN NextAfter(Number(first.slot)) ELSE 0
AskClosed ==
  /\ work.at = "closed"
  /\ work' = [work EXCEPT !.at = "read", !.next = NextFrom(work.first)]
  /\ UNCHANGED <<segment, written, claimed>>

(* ReadEntries: the first n that are visible beyond the cursor are taken; what is passed over unseen *)
(* is a hole, up to what was drawn if nothing is visible and the lane's end is to be settled.        *)
(* Trace: Claim, a row of its reads, with `after`, `upto`, snapshot and what was found.              *)
AfterRead(fresh) == IF fresh = {} THEN "commit" ELSE "fillers"
ReadEntries(n, settles) ==
  LET seen  == Found((work.hi + 1)..work.upto, work.slots)
      new   == Least(n, seen)
      hi    == IF new # {} THEN Max(new) ELSE IF settles THEN work.upto ELSE work.hi
      fresh == ((work.hi + 1)..hi) \ seen
      read  == [work EXCEPT !.took = @ \cup new, !.hi = hi, !.fresh = fresh]
  IN /\ work.at = "read"
     /\ work' = IF work.next > 0 THEN [read EXCEPT !.at = "moved"]
                ELSE [read EXCEPT !.at = AfterRead(fresh), !.upto = 0, !.slots = {}, !.first = Nowhere]
     /\ UNCHANGED <<segment, written, claimed>>

(* MoveOn: the cursor leaves its first segment, if that holds nothing of the lane beyond the cursor, *)
(* however late it was drawn. Not in a trace; as AskClosed.                                          *)
IsLeft(s) == \A e \in Seqs : row[e] = s => e <= work.hi
MoveOn ==
  /\ work.at = "moved"
  /\ work' = [work EXCEPT !.at = AfterRead(work.fresh), !.next = 0, !.upto = 0, !.slots = {}, !.first = Nowhere,
                          !.from = IF IsLeft(work.first.slot) THEN work.next ELSE @]
  /\ UNCHANGED <<segment, written, claimed>>

(* ReadFillers: who could still fill what was passed over. Not in a trace. *)
ReadFillers ==
  /\ work.at = "fillers"
  /\ work' = [work EXCEPT !.at = "again", !.now = InFlight]
  /\ UNCHANGED <<segment, written, claimed>>

(* LookAgain: after that, look for it once more, in the segments as they are by now. Trace: Claim, the *)
(* last row of its reads.                                                                              *)
LookAgain ==
  LET page == [seqs |-> work.fresh, fillers |-> work.now, from |-> work.from]
  IN /\ work.at = "again"
     /\ work' = [work EXCEPT !.at = "commit", !.now = {}, !.fresh = {}, !.took = @ \cup Late(page),
                             !.pages = @ \cup Keep(page, work.now, Late(page))]
     /\ UNCHANGED <<segment, written, claimed>>

(* Claim: the claim is the newest now. Trace: Claim. *)
Claim ==
  /\ work.at = "commit"
  /\ cursor' = [hi |-> work.hi, from |-> work.from, pages |-> work.pages]
  /\ taken' = taken \cup work.took
  /\ work' = Idle
  /\ UNCHANGED <<segment, written>>

ClaimStep ==
  \/ Turn \/ NextClaim \/ ReadLocks \/ LookAtPages \/ ReadSlots \/ AskClosed
  \/ \E n \in 1..MaxSeq, settles \in Settling : ReadEntries(n, settles)
  \/ MoveOn \/ ReadFillers \/ LookAgain \/ Claim
WriterStep(w) == Draw(w) \/ Enqueue(w) \/ Commit(w) \/ Rollback(w)
LeaderStep == \E s \in Slots : Rotate(s) \/ Close(s) \/ Prune(s)

Next == ClaimStep \/ LeaderStep \/ \E w \in Seqs : WriterStep(w)
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Facts. *)

(* Whatever waits lies where a claim will look for it: beyond the cursor, from its number on; or on a *)
(* page, from that page's number on.                                                                  *)
Waits(e)    == row[e] # 0 /\ e \notin taken
IsAhead(e)  == e > cursor.hi /\ Number(row[e]) >= cursor.from
OnPage(e)   == \E p \in cursor.pages : e \in p.seqs /\ Number(row[e]) >= p.from
NothingIsOutOfReach == \A e \in Seqs : Waits(e) => IsAhead(e) \/ OnPage(e)

(* Whoever could still fill a hole stands on its page. *)
HolesKnowFillers == \A p \in cursor.pages : p.seqs \cap InFlight \subseteq p.fillers

(* Nobody is left who could come to lie before where the lane is read from. *)
NobodyWritesBehind == \A w \in Seqs : tx[w].slot # 0 => Number(tx[w].slot) >= cursor.from

(* Nothing is truncated that waits. *)
NothingWaitingIsTruncated == [][\A e \in Seqs : Waits(e) => row'[e] # 0]_vars

(* The lane is never read from further back than before. *)
FromGrows == [][cursor'.from >= cursor.from]_vars

-----------------------------------------------------------------------------
(* Liveness. Claims are taken up again and again. Writers and the leader need not do anything. *)
FairSpec == Spec /\ WF_vars(ClaimStep)

WaitingIsClaimed == \A e \in Seqs : (row[e] # 0) ~> (e \in taken)
=============================================================================
