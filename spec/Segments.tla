------------------------------ MODULE Segments ------------------------------
(* The logs lie in segments: who writes where, and when one is emptied.        *)
(*                                                                             *)
(* A slot is a set of partitions, and is used again and again; each time it is *)
(* opened it gets a number, and numbers only grow. The sequence `open` says    *)
(* which one writers write into. It ignores snapshots, and no rollback takes   *)
(* it back. A writer reads it, locks that segment, and reads it once more; the *)
(* lock stays to the end of the writer's transaction. A rotation is three      *)
(* transactions: open, switch (and seal), close. A segment is closed when the  *)
(* last writer that chose it in time is gone; then it may be pruned.           *)
EXTENDS Integers, FiniteSets

CONSTANTS
  Slots,       \* 1..n: the partitions there may be
  Made,        \* 1..m: those that exist from the start; the others are made when none is free
  Writers,     \* set of strings: transactions that write one entry each
  Readers,     \* set of strings: backends that claim
  Pruners,     \* set of strings: backends that prune; a leader that lost its answer has two
  MaxNumber    \* bound of the model: segments ever opened

VARIABLES      \* what Postgres knows
  open,        \* Name                     the sequence: the segment that is written into
  segment,     \* [Slots -> Segment]       the table, as committed
  row,         \* [Writers -> Row]         the entry of each writer: where it lies, how far it is
               \* what a backend has read, chosen and locked
  write,       \* [Writers -> Writing]
  read,        \* [Readers -> SUBSET Slots]  the partitions it has read, locked to its commit
  takes,       \* [Readers -> SUBSET Writers]  what it is about to claim
  prune        \* [Pruners -> Pruning]

rotated == <<open, segment>>
vars    == <<rotated, row, write, read, takes, prune>>

None    == "none"
Numbers == 1..MaxNumber
Name    == [number: 0..MaxNumber, slot: {0} \cup Slots]
Nowhere == [number |-> 0, slot |-> 0]
Segment == [number: 0..MaxNumber, is: {"absent", "free", "open", "sealed", "closed"}]
Row     == [slot: {0} \cup Slots, is: {None, "written", "ready", "running", "ended"},
            by: {None} \cup Readers]
Writing == [at: {"idle", "begun", "looked", "locked", "chosen", "over"}, saw: Name,
            locks: SUBSET Slots, knows: SUBSET Slots]
Pruning == [at: {"idle", "judged", "locked"}, what: Name, here: Name]

Number(s)  == segment[s].number
Is(s, is)  == segment[s].is = is
Exist      == {s \in Slots : ~Is(s, "absent")}
Used       == {s \in Slots : Number(s) > 0}
Highest    == CHOOSE n \in 0..MaxNumber :
                (\E s \in Slots : Number(s) = n) /\ \A s \in Slots : Number(s) <= n
Vacant     == {s \in Slots : Number(s) = 0}
Writable(s) == Is(s, "open") \/ Is(s, "sealed")

(* Locks. A segment's own: shared by who may write into it. Its tables': shared by who has read *)
(* or written them, exclusive while one prunes them.                                            *)
Choosers(s)   == {w \in Writers : s \in write[w].locks} \cup {p \in Pruners : prune[p].here.slot = s}
InTables(s)   == {w \in Writers : row[w].slot = s /\ row[w].is = "written"}
                 \cup {r \in Readers : s \in read[r]}
IsEmptying(s) == \E p \in Pruners : prune[p].at = "locked" /\ prune[p].what.slot = s

TypeOK ==
  /\ open \in Name
  /\ \A s \in Slots : segment[s] \in Segment
  /\ \A w \in Writers : row[w] \in Row /\ write[w] \in Writing
  /\ \A r \in Readers : read[r] \subseteq Slots /\ takes[r] \subseteq Writers
  /\ \A p \in Pruners : prune[p] \in Pruning

NotBegun == [at |-> "idle", saw |-> Nowhere, locks |-> {}, knows |-> {}]
Resting  == [at |-> "idle", what |-> Nowhere, here |-> Nowhere]
Free     == [number |-> 0, is |-> "free"]

Init ==
  /\ open = [number |-> 1, slot |-> 1]
  /\ segment = [s \in Slots |-> IF s = 1 THEN [number |-> 1, is |-> "open"]
                                ELSE [number |-> 0, is |-> IF s \in Made THEN "free" ELSE "absent"]]
  /\ row = [w \in Writers |-> [slot |-> 0, is |-> None, by |-> None]]
  /\ write = [w \in Writers |-> NotBegun]
  /\ read = [r \in Readers |-> {}] /\ takes = [r \in Readers |-> {}]
  /\ prune = [p \in Pruners |-> Resting]

-----------------------------------------------------------------------------
(* Writers. *)

(* Begin: the transaction has touched the logs, and knows the partitions of this moment. A lock *)
(* that it holds already teaches it nothing more. Not in a trace; before LookAtOpen.            *)
Begin(w) ==
  /\ write[w].at = "idle"
  /\ write' = [write EXCEPT ![w].at = "begun", ![w].knows = Exist]
  /\ UNCHANGED <<rotated, row, read, takes, prune>>

(* LookAtOpen: read which segment is open. Not in a trace; right before LockSegment is late enough. *)
LookAtOpen(w) ==
  /\ write[w].at = "begun"
  /\ write' = [write EXCEPT ![w].at = "looked", ![w].saw = open]
  /\ UNCHANGED <<rotated, row, read, takes, prune>>

(* LockSegment: lock it, shared, until the transaction ends. An hour may have passed. Not in a *)
(* trace; placed by the number of its event, which is drawn after the lock is had.             *)
LockSegment(w) ==
  /\ write[w].at = "looked"
  /\ write' = [write EXCEPT ![w].at = "locked", ![w].locks = @ \cup {write[w].saw.slot}]
  /\ UNCHANGED <<rotated, row, read, takes, prune>>

(* LookAgain: is it still open? If not, once more from the start, and the lock stays. The function *)
(* that is asked takes a lock and gives it back, so the backend knows the partitions of now.       *)
(* Not in a trace; the segment in the event of the write says how it went.                         *)
LookAgain(w) ==
  /\ write[w].at = "locked"
  /\ write' = [write EXCEPT ![w].at = IF open = write[w].saw THEN "chosen" ELSE "looked",
                            ![w].saw = open, ![w].knows = Exist]
  /\ UNCHANGED <<rotated, row, read, takes, prune>>

(* Enqueue: the entry is written into the chosen segment. Trace: Enqueue, Promote, Release, Redrive, *)
(* Divert with the segment of each row.                                                              *)
Enqueue(w) ==
  /\ write[w].at = "chosen"
  /\ row[w].is = None                 \* inert: it would write the same once more
  /\ ~IsEmptying(write[w].saw.slot)   \* inert: what may be written into is not pruned
  /\ row' = [row EXCEPT ![w].slot = write[w].saw.slot, ![w].is = "written"]
  /\ UNCHANGED <<rotated, write, read, takes, prune>>

(* End of a writer's transaction: its locks go. Trace: the xid of its event is seen, or is not. *)
Over(w)   == [NotBegun EXCEPT !.at = "over"]
Commit(w) ==
  /\ row[w].is = "written"
  /\ row' = [row EXCEPT ![w].is = "ready"]
  /\ write' = [write EXCEPT ![w] = Over(w)]
  /\ UNCHANGED <<rotated, read, takes, prune>>
Rollback(w) ==
  /\ write[w].at \notin {"idle", "over"}
  /\ row' = [row EXCEPT ![w].slot = 0, ![w].is = None]
  /\ write' = [write EXCEPT ![w] = Over(w)]
  /\ UNCHANGED <<rotated, read, takes, prune>>

-----------------------------------------------------------------------------
(* The leader rotates. *)

(* Open: another segment gets a number, and partitions if there are no vacant ones. *)
(* Trace: Open with number and slot.                                                *)
IsWaiting == \E s \in Used : Number(s) > open.number
Open(s) ==
  /\ ~IsWaiting                  \* inert: two might wait, for a switch only goes on
  /\ Highest < MaxNumber
  /\ s \in Vacant
  /\ \A v \in Vacant : s <= v    \* inert: any vacant one would do
  /\ segment' = [segment EXCEPT ![s] = [number |-> Highest + 1, is |-> "open"]]
  /\ UNCHANGED <<open, row, write, read, takes, prune>>

(* Switch: writers go on in the segment that was opened. It takes effect at once, and a rollback *)
(* leaves it so. Trace: Switch, written after it took effect by a transaction that may be lost:  *)
(* placed before the first Seal, or Prune, that has seen it.                                     *)
Switch(s) ==
  /\ Number(s) > open.number
  /\ open' = [number |-> Number(s), slot |-> s]
  /\ UNCHANGED <<segment, row, write, read, takes, prune>>

(* Seal: who is not open any more is noted as sealed: by the switch, or by the call after one that *)
(* was rolled back. Trace: Seal.                                                                   *)
Seal(s) ==
  /\ Is(s, "open")
  /\ Number(s) < open.number
  /\ segment' = [segment EXCEPT ![s].is = "sealed"]
  /\ UNCHANGED <<open, row, write, read, takes, prune>>

(* Close: nobody who chose it in time is left; its lock could be had at once. Trace: Close. *)
Close(s) ==
  /\ Is(s, "sealed")
  /\ Choosers(s) = {}
  /\ segment' = [segment EXCEPT ![s].is = "closed"]
  /\ UNCHANGED <<open, row, write, read, takes, prune>>

-----------------------------------------------------------------------------
(* Claims and finishes: how far an entry is. Both read the tables, and wait while they are emptied. *)

(* Read: a claim has read a segment and is to take entries of it. The tables stay locked, shared, *)
(* until it commits. Not in a trace; placed by the snapshot of the Claim.                         *)
Read(r, s, es) ==
  /\ read[r] = {}               \* inert: as if it had read something else
  /\ ~IsEmptying(s)             \* inert: what holds a ready entry is not emptied
  /\ es # {} /\ \A w \in es : row[w].slot = s /\ row[w].is = "ready"   \* inert: Claim asks again
  /\ read' = [read EXCEPT ![r] = {s}] /\ takes' = [takes EXCEPT ![r] = es]
  /\ UNCHANGED <<rotated, row, write, prune>>

(* Claim: the claim commits. (That two do not take the same is Log's concern.) Trace: Claim. *)
Claim(r) ==
  /\ read[r] # {}               \* inert: who has read nothing takes nothing
  /\ \A w \in takes[r] : row[w].is = "ready"
  /\ row' = [w \in Writers |-> IF w \in takes[r] THEN [row[w] EXCEPT !.is = "running", !.by = r]
                               ELSE row[w]]
  /\ read' = [read EXCEPT ![r] = {}] /\ takes' = [takes EXCEPT ![r] = {}]
  /\ UNCHANGED <<rotated, write, prune>>

(* GoAway: the reader takes nothing, or is cut off. Not in a trace. *)
GoAway(r) ==
  /\ read[r] # {}               \* inert: without it, a step that changes nothing
  /\ read' = [read EXCEPT ![r] = {}] /\ takes' = [takes EXCEPT ![r] = {}]
  /\ UNCHANGED <<rotated, row, write, prune>>

(* Complete: a running entry ends, wherever it lies now. Trace: Complete. *)
Complete(w) ==
  /\ row[w].is = "running"
  /\ ~IsEmptying(row[w].slot)   \* inert here: how a finish meets a prune is in Carry
  /\ row' = [row EXCEPT ![w].is = "ended"]
  /\ UNCHANGED <<rotated, write, read, takes, prune>>

-----------------------------------------------------------------------------
(* The leader prunes. *)

(* Backlog, of what is committed. (Who runs is carried.) *)
Backlog(s)   == \E w \in Writers : row[w].slot = s /\ row[w].is = "ready"
Prunable(n)  == Number(n.slot) = n.number /\ Is(n.slot, "closed") /\ ~Backlog(n.slot)

(* Judge: a segment is over, as it seems; and what lives in it can go on in the segment that is open, *)
(* which is locked, shared, as any writer does (its two looks are one step here). Not in a trace:     *)
(* placed before its Prune, and before the Switch away from where that has carried to.                *)
Judge(p, s) ==
  /\ prune[p].at = "idle"       \* inert: who judges anew begins anew
  /\ Prunable([number |-> Number(s), slot |-> s])   \* inert: Prune asks again, under the lock
  /\ prune' = [prune EXCEPT ![p] = [at |-> "judged", here |-> open,
                                    what |-> [number |-> Number(s), slot |-> s]]]
  /\ UNCHANGED <<rotated, row, write, read, takes>>

(* LockTables: nobody is in its tables, and from now on nobody will be. Not in a trace: placed *)
(* right before its Prune.                                                                     *)
LockTables(p) ==
  /\ prune[p].at = "judged"
  /\ InTables(prune[p].what.slot) = {}   \* inert here: who has read leaves backlog; finishes are in Carry
  /\ ~IsEmptying(prune[p].what.slot)     \* inert: the second judges again
  /\ prune' = [prune EXCEPT ![p].at = "locked"]
  /\ UNCHANGED <<rotated, row, write, read, takes>>

(* GiveUp: the lock was not to be had, or what was judged is so no more. Not in a trace. *)
GiveUp(p) ==
  /\ prune[p].at # "idle"       \* inert: without it, a step that changes nothing
  /\ prune' = [prune EXCEPT ![p] = Resting]
  /\ UNCHANGED <<rotated, row, write, read, takes>>

(* Prune: judged again under the lock; what runs is carried, the rest is gone, the slot is vacant. *)
(* Trace: Prune with number and slot, after Carry with what was carried, from where to where.      *)
Carried(w, p) == row[w].slot = prune[p].what.slot /\ row[w].is = "running"
Prune(p) ==
  LET what == prune[p].what
  IN /\ prune[p].at = "locked"
     /\ Prunable(what)
     /\ row' = [w \in Writers |-> IF Carried(w, p) THEN [row[w] EXCEPT !.slot = prune[p].here.slot]
                                  ELSE IF row[w].slot = what.slot THEN [row[w] EXCEPT !.slot = 0]
                                  ELSE row[w]]
     /\ segment' = [segment EXCEPT ![what.slot] = Free]
     /\ prune' = [prune EXCEPT ![p] = Resting]
     /\ UNCHANGED <<open, write, read, takes>>

WriterStep(w) ==
  Begin(w) \/ LookAtOpen(w) \/ LockSegment(w) \/ LookAgain(w) \/ Enqueue(w) \/ Commit(w) \/ Rollback(w)
  \/ Complete(w)
ReaderStep(r) ==
  \/ \E s \in Slots, es \in SUBSET Writers : Read(r, s, es)
  \/ Claim(r) \/ GoAway(r)
LeaderStep == \E s \in Slots : Open(s) \/ Switch(s) \/ Seal(s) \/ Close(s)
PrunerStep(p) == (\E s \in Slots : Judge(p, s)) \/ LockTables(p) \/ GiveUp(p) \/ Prune(p)

Next ==
  \/ LeaderStep
  \/ \E w \in Writers : WriterStep(w)
  \/ \E r \in Readers : ReaderStep(r)
  \/ \E p \in Pruners : PrunerStep(p)
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Invariants. *)

(* What the sequence names is a segment that is there, and open. *)
OpenIsThere == Number(open.slot) = open.number /\ Is(open.slot, "open")

(* Nobody is left who may still write into a closed segment, or one that was emptied. *)
ClosedIsClosed == \A w \in Writers :
  write[w].at = "chosen" => Number(write[w].saw.slot) = write[w].saw.number /\ Writable(write[w].saw.slot)

(* A backend that is to write knows the partitions it writes into. *)
FindsPartition == \A w \in Writers : write[w].at = "chosen" => write[w].saw.slot \in write[w].knows

(* A number names one segment. *)
NumberedOnce == \A s, v \in Used : Number(s) = Number(v) => s = v

-----------------------------------------------------------------------------
(* Step properties. *)

(* The open segment only moves on. *)
OpenGrows == [][open'.number >= open.number]_vars

(* What lies in a segment goes when it has ended, and for nothing else but a rollback. *)
Gone(w) == row[w].slot # 0 /\ row'[w].slot = 0
NothingUnendedIsTruncated == [][\A w \in Writers :
  Gone(w) => row[w].is = "ended" \/ (row[w].is = "written" /\ row'[w].is = None)]_vars

(* Nothing comes to lie in a segment that is closed, or vacant. *)
NothingLandsInClosed == [][\A w \in Writers :
  row'[w].slot \notin {0, row[w].slot} => Writable(row'[w].slot)]_vars

(* Only closed segments are emptied, and never the open one. *)
OnlyClosedIsEmptied == [][\A s \in Used : segment'[s].number = 0 => Is(s, "closed")]_vars

(* A segment is opened, sealed, closed, emptied, and made before all that, in this order. *)
Life == {<<"absent", "open">>, <<"free", "open">>, <<"open", "sealed">>, <<"sealed", "closed">>,
         <<"closed", "free">>}
LifeGoesOn == [][\A s \in Slots :
  segment'[s] # segment[s] => <<segment[s].is, segment'[s].is>> \in Life]_vars

(* To be carried changes nothing but the place. *)
CarryKeeps == [][\A w \in Writers :
  row[w].slot # 0 /\ row'[w].slot \notin {0, row[w].slot} => row'[w] = [row[w] EXCEPT !.slot = row'[w].slot]]_vars

-----------------------------------------------------------------------------
(* A witness, told as what is not so: some state refutes it here, and some real run has. *)

NoSlotIsUsedAgain == \A s, v \in Used : s < v => Number(s) < Number(v)

-----------------------------------------------------------------------------
(* Liveness. A prune goes on to its end or gives up; no writer is fair, and no reader that holds on *)
(* to what it has read.                                                                            *)
FairSpec == Spec /\ \A p \in Pruners : WF_vars(GiveUp(p) \/ Prune(p))

(* A prune keeps others out of the tables for a moment only, though a reader stays in them for ever. *)
PruneNeverWaits == \A s \in Slots : IsEmptying(s) ~> ~IsEmptying(s)
=============================================================================
