----------------------------- MODULE FinishBroken -----------------------------
(* Finish with one rule broken at a time, as QueueBroken is to Queue. *)
EXTENDS Finish

(* Who loses the number takes the next one, and does not read again. *)
BlindAppend(c) ==
  /\ work[c].at = "append"
  /\ Taken(work[c].segment, work[c].part)
  /\ work' = [work EXCEPT ![c].part = @ + 1]
  /\ UNCHANGED stored

(* Who finds the number taken by an open transaction goes past it, and does not wait. *)
PastTheOpen(c, n, ended) ==
  LET w   == work[c]
      row == [part |-> n, segment |-> w.segment, by |-> w.by, seqs |-> ended,
              failed |-> w.failed \cap ended, ended |-> w.before \cup ended]
  IN /\ w.at = "append"
     /\ ~Taken(w.segment, n)
     /\ n = IF InTheWay(c) THEN w.part + 1 ELSE w.part
     /\ ended # {} /\ ended = Left(c, w.before)
     /\ work' = [work EXCEPT ![c] = [Answered(w) EXCEPT !.wrote = Append(@, row)]]
     /\ UNCHANGED stored

(* A part as AppendPart writes it, but for one thing. *)
Writes(c, n, ended, row) ==
  /\ work[c].at = "append"
  /\ ~Taken(row.segment, n) /\ \A d \in Conns \ {c} : ~Wrote(d, row.segment, n)
  /\ n = work[c].part
  /\ ended # {}
  /\ work' = [work EXCEPT ![c] = [Answered(@) EXCEPT !.wrote = Append(@, row)]]
  /\ UNCHANGED stored

Row(c, n, ended) ==
  [part |-> n, segment |-> work[c].segment, by |-> work[c].by, seqs |-> ended,
   failed |-> work[c].failed \cap ended, ended |-> work[c].before \cup ended]

(* The part says what ended in it, and not what had ended by then. *)
NotCumulative(c, n, ended) ==
  /\ ended = Left(c, work[c].before)
  /\ Writes(c, n, ended, [Row(c, n, ended) EXCEPT !.ended = ended])

(* The part goes to the segment that is open now (the newest), not to its claim's. *)
ToTheOpenSegment(c, n, ended) ==
  /\ ended = Left(c, work[c].before)
  /\ Writes(c, n, ended, [Row(c, n, ended) EXCEPT !.segment = CHOOSE g \in Segments :
       \A h \in Segments : h <= g])

(* The verdicts of the batch are carried out, whether their entries ended here or not. *)
StaleVerdictActs(c, n, ended) ==
  /\ ended = Left(c, work[c].before)
  /\ Writes(c, n, ended, [Row(c, n, ended) EXCEPT !.failed = work[c].failed])

(* A finish asks whether the entry is in the claim, not whose claim it is. *)
NoWorkerCheck(c) == work[c].segment # 0

(* A finish asks what is over, not what is in the claim. *)
NotTheClaims(c, before) == IF MayEnd(c) THEN work[c].asks \ before ELSE {}

(* One stale entry, and the whole batch is refused. *)
RefuseAll(c) ==
  /\ work[c].at = "append"
  /\ Left(c, work[c].before) # work[c].asks
  /\ work' = [work EXCEPT ![c] = Answered(@)]
  /\ UNCHANGED stored

(* Who finds the number taken by an open transaction takes its entries for over. *)
RefuseUncommitted(c) ==
  /\ work[c].at = "append"
  /\ Left(c, work[c].before) = {} \/ InTheWay(c)
  /\ work' = [work EXCEPT ![c] = Answered(@)]
  /\ UNCHANGED stored

(* A finish that ended nothing leaves a part all the same. *)
RefuseWrites(c) ==
  LET w   == work[c]
      row == Row(c, w.part, {})
  IN /\ w.at = "append" /\ w.segment # 0
     /\ Left(c, w.before) = {}
     /\ ~Taken(w.segment, w.part) /\ ~InTheWay(c)
     /\ work' = [work EXCEPT ![c] = [Answered(w) EXCEPT !.wrote = Append(@, row)]]
     /\ UNCHANGED stored

(* `on conflict do update`: who finds the number taken adds to the part that is there. *)
Upsert(c) ==
  LET w == work[c]
      i == CHOOSE k \in DOMAIN parts : IsNumber(parts[k], w.segment, w.part)
  IN /\ w.at = "append"
     /\ Taken(w.segment, w.part)
     /\ parts' = [parts EXCEPT ![i].seqs = @ \cup Left(c, w.before),
                               ![i].ended = @ \cup Left(c, w.before)]
     /\ work' = [work EXCEPT ![c] = Answered(@)]
     /\ UNCHANGED <<holder, segment>>

(* REPEATABLE READ: who reads again reads what it read before. *)
OldSnapshot(c) ==
  /\ work[c].at = "append"
  /\ Taken(work[c].segment, work[c].part)
  /\ UNCHANGED vars

(* A sweep without a lock timeout. *)
Never(c) == FALSE /\ UNCHANGED vars

(* A carry that does not take its lock from who reads. *)
NobodyAsked == TRUE

(* The numbers are drawn from a sequence, which a rollback does not give back: here, the *)
(* first number is skipped.                                                              *)
FromSequence(c, w) ==
  LET newest == Newest(c, w.segment)
  IN [w EXCEPT !.at = "append", !.part = newest.part + (IF newest.part = 0 THEN 2 ELSE 1),
               !.before = newest.ended]
=============================================================================
