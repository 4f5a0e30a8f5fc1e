----------------------------- MODULE ReachBroken -----------------------------
(* Reach with one rule broken at a time. Each cfg beside this file puts one of *)
(* these in the place of a rule or a step (`IsLeft <- LeftAsDrawn`);           *)
(* suite.toml says which fact must then be refuted.                            *)
EXTENDS Reach

(* Nothing is left of what was drawn when the claim began. What was drawn since, written into the *)
(* segment, and closed with it, is not asked for.                                                 *)
LeftAsDrawn(s) == \A e \in Seqs : row[e] = s => e <= work.hi \/ e > work.upto

(* Is the first slot closed? By now it may have been emptied, and be another number's. *)
NextOfSlot(first) == IF IsClosed(first.slot) THEN NextAfter(Number(first.slot)) ELSE 0

(* The first is sealed, and so may be left: who chose it in time may write into it all the same. *)
NextOfSealed(first) ==
  IF Number(first.slot) = first.number /\ first.slot # Top THEN NextAfter(first.number) ELSE 0

(* Whether the first is closed is asked after the read. *)
AskedAfterRead(first) ==
  IF Number(first.slot) = first.number THEN NextAfter(first.number) ELSE 0
MoveAsAskedNow ==
  /\ work.at = "moved"
  /\ work' = [work EXCEPT !.at = AfterRead(work.fresh), !.next = 0, !.upto = 0, !.slots = {}, !.first = Nowhere,
                          !.from = IF IsClosed(work.first.slot) /\ IsLeft(work.first.slot) THEN work.next ELSE @]
  /\ UNCHANGED <<segment, written, claimed>>

(* The cursor takes over the next number though there was none to ask for. *)
MoveUnasked(n, settles) ==
  LET seen  == Found((work.hi + 1)..work.upto, work.slots)
      new   == Least(n, seen)
      hi    == IF new # {} THEN Max(new) ELSE work.hi
  IN /\ work.at = "read"
     /\ work' = [work EXCEPT !.at = "moved", !.took = @ \cup new, !.hi = hi, !.fresh = ((work.hi + 1)..hi) \ seen]
     /\ UNCHANGED <<segment, written, claimed>>

(* The oldest segment is read until it is closed, and the others after it. *)
FirstSlotOnly(n) == {FirstOf({s \in Used : Number(s) >= n})}

(* A page remembers the segment that was open when it was written. *)
PageFromOpen ==
  LET page == [seqs |-> work.fresh, fillers |-> work.now, from |-> Number(Top)]
  IN /\ work.at = "again"
     /\ work' = [work EXCEPT !.at = "commit", !.now = {}, !.fresh = {}, !.took = @ \cup Late(page),
                             !.pages = @ \cup Keep(page, work.now, Late(page))]
     /\ UNCHANGED <<segment, written, claimed>>

(* A filler is who has chosen a segment: who has drawn a number and not written yet is none. *)
FillersByShare == {w \in Seqs : tx[w].at = "chosen"}
ReadShares ==
  /\ work.at = "fillers"
  /\ work' = [work EXCEPT !.at = "again", !.now = FillersByShare]
  /\ UNCHANGED <<segment, written, claimed>>

(* A segment is pruned when the cursor is past it: a late entry in a hole is not asked for. *)
BacklogByCursor(s) == \E e \in Seqs : row[e] = s /\ e > cursor.hi
=============================================================================
