-------------------------------- MODULE Floor --------------------------------
(* How what a worker holds is found, without a scan of history.               *)
(*                                                                            *)
(* Claims are numbered by one sequence (their ordinal). A worker's row says   *)
(* which claims it held when its floor was set, and the floor: every claim    *)
(* above it is looked at too. A heartbeat moves the floor up. It must never   *)
(* pass a claim that is drawn and not committed, or nobody would find what    *)
(* is open in it: a backend may be stopped inside a claim for an hour. So a   *)
(* heartbeat only leaves a mark, and the transactions that were at work then; *)
(* when none of them is, a later one moves the floor up to the mark.          *)
(*                                                                            *)
(* One worker. Its claims are shown in their steps, and its heartbeats        *)
(* statement by statement: one that got no answer may still be at work when   *)
(* the next comes on another connection.                                      *)
EXTENDS Integers, FiniteSets

CONSTANTS
  Txs,        \* 1..n: transactions in which the worker claims, numbered as they get its lock
  Beats,      \* set of strings: backends on which it speaks
  MaxDrawn,   \* bound of the model: ordinals ever drawn, those of other workers too
  MaxBeats    \* bound of the model: heartbeats begun; 0: no bound

VARIABLES     \* what Postgres knows
  drawn,      \* 0..MaxDrawn             last_value of the sequence
  st,         \* [Txs -> TxState]        how far each transaction is
  ordinal,    \* [Txs -> 0..MaxDrawn]    of its claim; 0: none
  open,       \* SUBSET Txs              whose claims are not over
  row,        \* Row                     the worker's row
              \* what a heartbeat has read
  beat,       \* [Beats -> Beat]
  begun       \* 0..MaxBeats             ghost

vars == <<drawn, st, ordinal, open, row, beat, begun>>

TxState == {"idle", "locked", "drawn", "committed", "over"}
Row     == [floor: 0..MaxDrawn, held: SUBSET Txs, mark: 0..MaxDrawn, marked: SUBSET Txs]
Beat    == [at: {"idle", "drawn", "locks", "open", "write"}, mark: 0..MaxDrawn, marked: SUBSET Txs,
            drawn: 0..MaxDrawn, working: SUBSET Txs, found: SUBSET Txs]
NoRow   == [floor |-> 0, held |-> {}, mark |-> 0, marked |-> {}]
NoBeat  == [at |-> "idle", mark |-> 0, marked |-> {}, drawn |-> 0, working |-> {}, found |-> {}]

(* Who has the worker's lock, as pg_locks shows it: a commit is seen before its locks go. *)
AtWork    == {t \in Txs : st[t] \in {"locked", "drawn", "committed"}}
Committed == {t \in Txs : st[t] \in {"committed", "over"} /\ ordinal[t] # 0}

(* What a look finds by a row: the claims it names, and all above its floor. *)
Found(r) == {t \in Committed \cap open : t \in r.held \/ ordinal[t] > r.floor}

TypeOK ==
  /\ drawn \in 0..MaxDrawn /\ begun \in 0..MaxBeats
  /\ st \in [Txs -> TxState] /\ ordinal \in [Txs -> 0..MaxDrawn] /\ open \subseteq Txs
  /\ row.floor \in 0..MaxDrawn /\ row.mark \in 0..MaxDrawn
  /\ row.held \subseteq Txs /\ row.marked \subseteq Txs
  /\ \A b \in Beats : beat[b].drawn \in 0..MaxDrawn /\ beat[b].working \cup beat[b].found \subseteq Txs

Init ==
  /\ drawn = 0 /\ begun = 0
  /\ st = [t \in Txs |-> "idle"] /\ ordinal = [t \in Txs |-> 0] /\ open = {}
  /\ row = NoRow /\ beat = [b \in Beats |-> NoBeat]

-----------------------------------------------------------------------------
(* Claims. *)

(* Lock: a step has the worker's lock, shared. Not in a trace: it is placed before its Claim. *)
Lock(t) ==
  /\ st[t] = "idle"
  /\ \A u \in Txs : u < t => st[u] # "idle"   \* inert: a bound; one is like another
  /\ st' = [st EXCEPT ![t] = "locked"]
  /\ UNCHANGED <<drawn, ordinal, open, row, beat, begun>>

(* Draw: the claim gets its ordinal, and is written. Shown by: Claim, with its ordinal. *)
Draw(t) ==
  /\ st[t] = "locked"
  /\ drawn < MaxDrawn
  /\ drawn' = drawn + 1
  /\ ordinal' = [ordinal EXCEPT ![t] = drawn + 1]
  /\ open' = open \cup {t}
  /\ st' = [st EXCEPT ![t] = "drawn"]
  /\ UNCHANGED <<row, beat, begun>>

(* DrawElsewhere: another worker's claim. Shown by: Claim, of another worker. *)
DrawElsewhere ==
  /\ drawn < MaxDrawn
  /\ drawn' = drawn + 1
  /\ UNCHANGED <<st, ordinal, open, row, beat, begun>>

(* Commit: the claim, if the step made one, is visible from now on. The lock is still held. *)
(* Not in a trace: it is placed by the transaction's last event.                            *)
Commit(t) ==
  /\ st[t] \in {"locked", "drawn"}
  /\ st' = [st EXCEPT ![t] = "committed"]
  /\ UNCHANGED <<drawn, ordinal, open, row, beat, begun>>

(* Unlock: the lock goes. Not in a trace: it is placed after the commit. *)
Unlock(t) ==
  /\ st[t] = "committed"         \* inert: without it, a commit and its unlock at once
  /\ st' = [st EXCEPT ![t] = "over"]
  /\ UNCHANGED <<drawn, ordinal, open, row, beat, begun>>

(* Rollback: there is no such claim. Not in a trace: it leaves no event. *)
Rollback(t) ==
  /\ st[t] = "drawn"
  /\ st' = [st EXCEPT ![t] = "over"]
  /\ ordinal' = [ordinal EXCEPT ![t] = 0]
  /\ open' = open \ {t}
  /\ UNCHANGED <<drawn, row, beat, begun>>

(* Close: the last entry of a claim has ended. Shown by: Complete or Rescue, whose part closes. *)
Close(t) ==
  /\ t \in Committed \cap open   \* inert: what is closed is overlooked by nobody
  /\ open' = open \ {t}
  /\ UNCHANGED <<drawn, st, ordinal, row, beat, begun>>

-----------------------------------------------------------------------------
(* A heartbeat, in its statements. Each is placed by the Heartbeat event of its transaction, *)
(* which carries all that was read and is written last.                                      *)

(* ReadRow: first of all the worker's row. Read after the locks, it may name transactions *)
(* that began after these were read, and that seem to be over.                            *)
ReadRow(b) ==
  /\ beat[b].at = "idle"
  /\ MaxBeats = 0 \/ begun < MaxBeats
  /\ begun' = IF MaxBeats = 0 THEN 0 ELSE begun + 1
  /\ beat' = [beat EXCEPT ![b] = [NoBeat EXCEPT !.at = "drawn", !.mark = row.mark, !.marked = row.marked]]
  /\ UNCHANGED <<drawn, st, ordinal, open, row>>

(* ReadDrawn: the mark to be. *)
ReadDrawn(b) ==
  /\ beat[b].at = "drawn"
  /\ beat' = [beat EXCEPT ![b].at = "locks", ![b].drawn = drawn]
  /\ UNCHANGED <<drawn, st, ordinal, open, row, begun>>

(* ReadLocks: who is at work, after the mark. Whoever drew up to the mark is among them or *)
(* is over.                                                                                *)
ReadLocks(b) ==
  /\ beat[b].at = "locks"
  /\ beat' = [beat EXCEPT ![b].at = "open", ![b].working = AtWork]
  /\ UNCHANGED <<drawn, st, ordinal, open, row, begun>>

(* LookForOpen: when all who were at work at the row's mark are over, what is open up to the *)
(* mark is visible now. The look goes by the row as it is.                                   *)
LookForOpen(b) ==
  /\ beat[b].at = "open"
  /\ beat[b].marked \cap beat[b].working = {}
  /\ beat' = [beat EXCEPT ![b].at = "write", ![b].marked = {}, ![b].found = Found(row)]
  /\ UNCHANGED <<drawn, st, ordinal, open, row, begun>>

(* Leave: one of them is still at work: the row stays as it is, but for the time. *)
Leave(b) ==
  /\ beat[b].at = "open"         \* inert: whom it read to be at work it knows only then
  /\ beat[b].marked \cap beat[b].working # {}
  /\ beat' = [beat EXCEPT ![b] = NoBeat]
  /\ UNCHANGED <<drawn, st, ordinal, open, row, begun>>

(* Write: the floor goes up to the row's mark, with a new mark for the next. *)
Write(b) ==
  /\ beat[b].at = "write"
  /\ row' = [floor |-> beat[b].mark, held |-> beat[b].found,
             mark |-> beat[b].drawn, marked |-> beat[b].working]
  /\ beat' = [beat EXCEPT ![b] = NoBeat]
  /\ UNCHANGED <<drawn, st, ordinal, open, begun>>

BeatStep(b) == ReadRow(b) \/ ReadDrawn(b) \/ ReadLocks(b) \/ LookForOpen(b) \/ Leave(b) \/ Write(b)

Next ==
  \/ DrawElsewhere
  \/ \E t \in Txs : Lock(t) \/ Draw(t) \/ Commit(t) \/ Unlock(t) \/ Rollback(t) \/ Close(t)
  \/ \E b \in Beats : BeatStep(b)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Invariants. *)

(* No open claim is overlooked: whoever looks by the row finds it. *)
NoneOverlooked == Committed \cap open \subseteq Found(row)

(* Who has drawn a number up to the mark and is at work stands beside the mark. *)
MarkKnowsAtWork == \A t \in Txs : st[t] = "drawn" /\ ordinal[t] <= row.mark => t \in row.marked

(* What the row names was claimed, and is not looked for above the floor alone. *)
HeldIsClaimed == row.held \subseteq Committed

-----------------------------------------------------------------------------
(* Liveness. Heartbeats go on, and every transaction ends; claims and their ends are as *)
(* they are.                                                                            *)
FairSpec ==
  /\ Spec
  /\ \A b \in Beats : WF_vars(BeatStep(b))
  /\ \A t \in Txs : WF_vars(Commit(t)) /\ WF_vars(Unlock(t))

(* A worker that claims no more comes to be found by what it holds, and by nothing else. *)
AtRest       == row.held = open /\ row.floor = drawn
ComesToRest  == <>[](AtRest \/ AtWork # {})
=============================================================================
