-------------------------------- MODULE Finish --------------------------------
(* The parts of one claim: how its entries end, at most once each, though the  *)
(* worker, the leader and a person may be about to end the same one.           *)
(*                                                                             *)
(* A part says which entries ended in it, and which had ended by then, so the  *)
(* newest part is enough. Parts are numbered without gaps: whoever appends     *)
(* part n + 1 has read part n, and the unique key on (claim, part) gives each  *)
(* number to one writer. Who finds it taken by a transaction that is open      *)
(* waits for that; who finds it taken for good reads again.                    *)
(*                                                                             *)
(* The key is unique in each segment by itself. So a part lies where its claim *)
(* lies, always, and a claim is carried elsewhere only when nobody reads it.   *)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  Workers,     \* set of worker ids, strings
  Outside,     \* SUBSET {"leader", "operator"}: who ends entries without holding them
  Conns,       \* set of connections, strings; a worker may have one that broke, and still acts
  Long,        \* SUBSET Conns: those whose transactions may stay open for ever
  Seqs,        \* set of entries, numbers
  Claimed,     \* SUBSET Seqs: those that the claim holds; the others are another claim's
  Batches,     \* bound of the model: the sets of entries that are asked to end
  Failing,     \* bound of the model: SUBSET Seqs, those whose handlers do not complete
  Segments     \* 1..n: where the claim may lie, in this order

VARIABLES      \* what is stored
  holder,      \* Workers or "none"        whose claim it is; "none": it is not made yet
  segment,     \* Segments or 0            where the claim lies
  parts,       \* Seq(Part)                the committed parts, in the order of their commits
               \* what a transaction has read and written
  work         \* [Conns -> Work]

stored == <<holder, segment, parts>>
vars   == <<stored, work>>

None    == "none"
Callers == Workers \cup Outside

(* `failed` are those of `seqs` that did not complete: each has a row of its own that says *)
(* how it ended, and its job goes on elsewhere (retried, held, released). That is written  *)
(* in the transaction of the part, and nobody can come between.                            *)
Part == [part: Nat, segment: Segments, by: Callers, seqs: SUBSET Seqs, failed: SUBSET Seqs,
         ended: SUBSET Seqs]

Steps == {"idle", "append", "open"}
Work  == [at: Steps, by: Callers \cup {None}, asks: SUBSET Seqs, failed: SUBSET Seqs,
          segment: Segments \cup {0}, part: Nat, before: SUBSET Seqs, wrote: Seq(Part)]
Idle  == [at |-> "idle", by |-> None, asks |-> {}, failed |-> {}, segment |-> 0, part |-> 0,
          before |-> {}, wrote |-> <<>>]

Union(rows) == UNION {rows[i].seqs : i \in DOMAIN rows}
Ended       == Union(parts)
Open        == IF holder = None THEN {} ELSE Claimed \ Ended

TypeOK ==
  /\ holder \in Workers \cup {None} /\ segment \in Segments \cup {0}
  /\ \A i \in DOMAIN parts : parts[i].segment \in Segments /\ parts[i].by \in Callers
  /\ \A c \in Conns :
       /\ work[c].at \in Steps /\ work[c].by \in Callers \cup {None}
       /\ work[c].asks \subseteq Seqs /\ work[c].before \subseteq Seqs

Init ==
  /\ holder = None /\ segment = 0 /\ parts = <<>>
  /\ work = [c \in Conns |-> Idle]

-----------------------------------------------------------------------------
(* Rules. *)

(* The newest part of the claim in segment g, as a statement of c sees it: what is committed, *)
(* and what c has written itself.                                                             *)
Rows(c)      == parts \o work[c].wrote
Newest(c, g) ==
  LET rows == Rows(c)
      here == {i \in DOMAIN rows : rows[i].segment = g}
  IN IF here = {} THEN [part |-> 0, ended |-> {}]
     ELSE LET i == CHOOSE k \in here : \A j \in here : rows[j].part <= rows[k].part
          IN [part |-> rows[i].part, ended |-> rows[i].ended]

(* What of its batch c may end: entries of the claim, if it is the holder's or comes from *)
(* outside, that are not over.                                                            *)
MayEnd(c)       == work[c].segment # 0 /\ work[c].by \in Outside \cup {holder}
Left(c, before) == IF MayEnd(c) THEN (work[c].asks \cap Claimed) \ before ELSE {}

(* Who has the number n in segment g: somebody for good, or a transaction that is open. *)
IsNumber(row, g, n) ==
  /\ row.segment = g         \* inert: who meets a number of elsewhere reads again
  /\ row.part = n
Taken(g, n)         == \E i \in DOMAIN parts : IsNumber(parts[i], g, n)
Wrote(d, g, n)      == \E i \in DOMAIN work[d].wrote : IsNumber(work[d].wrote[i], g, n)
InTheWay(c)         == \E d \in Conns \ {c} : Wrote(d, work[c].segment, work[c].part)

-----------------------------------------------------------------------------
(* Claim: the claim is made, in segment g. Its entries are w's from now on.               *)
(* Trace: Claim.                                                                          *)
Claim(w, g) ==
  /\ holder = None
  /\ holder' = w
  /\ segment' = g
  /\ UNCHANGED <<parts, work>>

(* Ask: a transaction begins to end a batch, or goes on to another one. It finds where the *)
(* claim lies (from there to its end it holds the lock of a reader on that segment), and    *)
(* reads the newest part there. What is ended from outside did not complete.                *)
(* Not in a trace: placed right before its Complete or EndOpen, whose number says what was  *)
(* read.                                                                                    *)
Reads(c, w) ==
  LET newest == Newest(c, w.segment)
  IN [w EXCEPT !.at = "append", !.part = newest.part + 1, !.before = newest.ended]

Ask(c, by, seqs, failed) ==
  /\ \/ work[c].at = "idle"
     \/ work[c].at = "open" /\ work[c].by = by /\ by \in Workers
  /\ IF by \in Workers THEN failed \subseteq seqs ELSE failed = seqs   \* inert: see Next
  /\ work' = [work EXCEPT ![c] = Reads(c, [@ EXCEPT
       !.by = by, !.asks = seqs, !.failed = failed, !.segment = segment])]
  /\ UNCHANGED stored

(* What is left of a call once it is answered. *)
Answered(w) ==
  [w EXCEPT !.at = "open", !.asks = {}, !.failed = {}, !.part = 0, !.before = {}]

(* Refuse: nothing is left: the whole batch was over, or was never this worker's, or the *)
(* claim is not there. Nothing is written, and it is told that all of it is stale.       *)
(* Trace: Complete with a part of null; an EndOpen that ended nothing leaves no event.   *)
Refuse(c) ==
  /\ work[c].at = "append"   \* inert: otherwise nothing is asked, and nothing answered
  /\ Left(c, work[c].before) = {}
  /\ work' = [work EXCEPT ![c] = Answered(@)]
  /\ UNCHANGED stored

(* AppendPart: the part is written under the number that was read to be free. Nobody else *)
(* sees it before the commit; whoever wants the same number waits. What had ended by then *)
(* is stale. One step with the rows that say how each of `failed` ended.                  *)
AppendPart(c, n, ended) ==
  LET w   == work[c]
      row == [part |-> n, segment |-> w.segment, by |-> w.by, seqs |-> ended,
              failed |-> w.failed \cap ended, ended |-> w.before \cup ended]
  IN /\ w.at = "append"      \* inert: who asks for nothing has nothing left
     /\ ~Taken(w.segment, n) /\ ~InTheWay(c)
     /\ n = w.part
     /\ ended # {}
     /\ ended = Left(c, w.before)
     /\ work' = [work EXCEPT ![c] = [Answered(w) EXCEPT !.wrote = Append(@, row)]]
     /\ UNCHANGED stored

(* Complete: a worker's finish: some completed, `failed` did not.                         *)
(* Trace: Complete, a part of it; the events of one transaction come with its first.      *)
Complete(w, c, n, ended) ==
  /\ work[c].by = w          \* inert here: it says in a trace whose step it is
  /\ AppendPart(c, n, ended)

(* EndOpen: an ending from outside: a rescue, a deadline, a cancel.                       *)
(* Trace: EndOpen.                                                                        *)
EndOpen(by, c, n, ended) ==
  /\ work[c].by = by         \* inert here: as in Complete
  /\ AppendPart(c, n, ended)

(* Lose: the number went to another, who has committed by now. Read again: what that one *)
(* ended is subtracted, too.                                                             *)
(* Not in a trace: placed nowhere; a loser reads again, and its event shows what it read. *)
Lose(c) ==
  /\ work[c].at = "append"
  /\ Taken(work[c].segment, work[c].part)   \* inert: to read again before is as good
  /\ Left(c, work[c].before) # {}           \* inert: otherwise it is refused just as well
  /\ work' = [work EXCEPT ![c] = Reads(c, @)]
  /\ UNCHANGED stored

(* GiveUp: from outside nobody waits for an open transaction for long (lock_timeout). The     *)
(* leader takes up this claim at its next sweep, and goes on with the others; a person asks   *)
(* again.                                                                                     *)
(* Not in a trace: it leaves nothing.                                                         *)
GiveUp(c) ==
  /\ work[c].at = "append"
  /\ work[c].by \in Outside   \* inert: whoever gives up has rolled back
  /\ InTheWay(c)              \* inert: whenever it does
  /\ work' = [work EXCEPT ![c] = Idle]
  /\ UNCHANGED stored

(* Commit: what the transaction wrote is there for all. Its answer goes out.              *)
(* Not in a trace: placed right after the last event with this transaction's id.          *)
Commit(c) ==
  /\ work[c].at = "open"     \* inert: what is not appended yet is not committed
  /\ parts' = parts \o work[c].wrote
  /\ work' = [work EXCEPT ![c] = Idle]
  /\ UNCHANGED <<holder, segment>>

(* Rollback: the transaction breaks off anywhere, and leaves nothing.                     *)
(* Not in a trace: nor are its events.                                                    *)
Rollback(c) ==
  /\ work[c].at # "idle"     \* inert: otherwise a step that changes nothing
  /\ work' = [work EXCEPT ![c] = Idle]
  /\ UNCHANGED stored

(* Carry: the claim and its newest part go on in the next segment under their names, and *)
(* the one they leave is truncated. That takes its lock from all readers.                *)
(* Trace: Carry.                                                                         *)
NobodyReads == \A c \in Conns : work[c].at = "idle"

Carry(g) ==
  /\ segment # 0
  /\ g = segment + 1         \* inert: a bound
  /\ NobodyReads
  /\ segment' = g
  /\ parts' = [i \in DOMAIN parts |->
       IF i = Len(parts) THEN [parts[i] EXCEPT !.segment = g] ELSE parts[i]]
  /\ UNCHANGED <<holder, work>>

Numbers == 1..Cardinality(Claimed)

Answer(c) ==
  \/ Refuse(c) \/ Lose(c) \/ GiveUp(c)
  \/ \E n \in Numbers, ended \in SUBSET Seqs :
       \/ \E w \in Workers : Complete(w, c, n, ended)
       \/ \E by \in Outside : EndOpen(by, c, n, ended)

Next ==
  \/ \E w \in Workers, g \in Segments : Claim(w, g)
  \/ \E g \in Segments : Carry(g)
  \/ \E c \in Conns :
       \/ \E w \in Workers, seqs \in Batches : Ask(c, w, seqs, seqs \cap Failing)
       \/ \E by \in Outside, seqs \in Batches : Ask(c, by, seqs, seqs)
       \/ Answer(c) \/ Commit(c) \/ Rollback(c)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Invariants. *)

(* An entry ends once: the parts are disjoint, and hold nothing of another claim. *)
PartsDisjoint == \A i, j \in DOMAIN parts : i # j => parts[i].seqs \cap parts[j].seqs = {}
OnlyClaimed   == Ended \subseteq Claimed

(* What the newest part says had ended is all that ended, so nobody need read the others. *)
EndedIsUnion == \A i \in DOMAIN parts :
  parts[i].ended = UNION {parts[j].seqs : j \in 1..i}

NumbersWithoutGap == \A i \in DOMAIN parts : parts[i].part = i

(* The newest part lies where the claim lies, or the next would not follow it. *)
InItsSegment == parts # <<>> => parts[Len(parts)].segment = segment

(* Only the holder, or somebody from outside, ends anything. *)
FinishFenced == \A i \in DOMAIN parts : parts[i].by \in Outside \cup {holder}

(* What did not complete goes on elsewhere once: it ended here, and nowhere else. *)
FollowedOnce == \A s \in Seqs : LET rows == {i \in DOMAIN parts : s \in parts[i].failed}
  IN Cardinality(rows) <= 1 /\ \A i \in rows : s \in parts[i].seqs

-----------------------------------------------------------------------------
(* Step properties. *)

(* A part that is committed stays as it is; only where it lies may change. *)
Says(row) == <<row.part, row.by, row.seqs, row.failed, row.ended>>
PartsAreFinal == [][\A i \in DOMAIN parts :
  i \in DOMAIN parts' /\ Says(parts'[i]) = Says(parts[i])]_vars

(* A call is answered: of what it named, some has ended by it, and the rest it calls stale. *)
Answers(c) == work[c].at = "append" /\ work'[c].at = "open"
Ends(c)    == Union(work'[c].wrote) \ Union(work[c].wrote)
Stale(c)   == work[c].asks \ Ends(c)

(* Stale is only what is over for good, or over for c itself, or was never this worker's. *)
StaleIsTrue == [][\A c \in Conns : Answers(c) => \A s \in Stale(c) :
  s \in Ended \cup Union(work[c].wrote) \/ s \notin Claimed \/ ~MayEnd(c)]_vars

(* A call of which all is stale changes nothing. *)
StaleChangesNothing == [][\A c \in Conns : Answers(c) /\ Ends(c) = {} =>
  work'[c].wrote = work[c].wrote]_vars

-----------------------------------------------------------------------------
(* Witnesses, each told as what is not so: some state refutes it here, and some real run has. *)

NoSecondPart      == Len(parts) < 2
NoSecondOfOne     == \A c \in Conns : Len(work[c].wrote) < 2
NobodyComesAfter  == \A i \in DOMAIN parts : parts[i].by \in Outside => i = 1
NobodyComesBefore == \A i \in DOMAIN parts : parts[i].by \in Outside => i = Len(parts)
NoPartIsCarried   == segment > 1 => parts = <<>>

-----------------------------------------------------------------------------
(* Liveness. Who waits for a transaction is woken when that ends, and comes before others. *)
(* Transactions end, but for those of Long: a finish in somebody's longer transaction may  *)
(* stay open for ever.                                                                     *)
FairSpec ==
  /\ Spec
  /\ \A c \in Conns : SF_vars(Answer(c))
  /\ \A c \in Conns \ Long : SF_vars(Commit(c))

Asking(c) == work[c].at = "append"
Stays     == \E d \in Long : work[d].wrote # <<>>

(* Whoever asks is answered, unless a transaction stays open that ended something of this claim. *)
EverybodyIsAnswered == \A c \in Conns : Asking(c) ~> (~Asking(c) \/ Stays)

(* And not even that stops the leader, or a person. *)
SweepGoesOn == \A c \in Conns \ Long :
  (Asking(c) /\ work[c].by \in Outside) ~> ~Asking(c)
=============================================================================
