------------------------------- MODULE LogBusy -------------------------------
(* Log on a lane that is never idle: transactions that draw seqs far beyond the *)
(* model's come and go for ever, and one of them holds the lock at any moment.  *)
(* A hole must end all the same, when those are over that stood at its birth.   *)
(* The names of passers-by are used again, but only when none remembers them. *)
EXTENDS Log

Remembered(t) == \E p \in UNION ({claim.pages} \cup {work[c].pages : c \in Claimers}) :
  p.fillers \cap {Virtual(t), Prepared(t)} # {}
Read(t) == \E c \in Claimers : work[c].now \cap {Virtual(t), Prepared(t)} # {}

(* PassBy: a transaction takes the lock, and draws from beyond this model's seqs; *)
(* those of Preparers are prepared before anybody looks.                          *)
PassBy(t) ==
  /\ last = MaxSeq
  /\ st[t] = "idle"
  /\ IF t \in Preparers
     THEN st' = [st EXCEPT ![t] = "prepared"] /\ locks' = locks \cup {Prepared(t)}
     ELSE st' = [st EXCEPT ![t] = "open"] /\ locks' = locks \cup {Virtual(t)}
  /\ UNCHANGED <<last, seqs, claimed, work, aborts>>

(* Forget: it is over, and another takes its place. *)
Forget(t) ==
  /\ st[t] = "aborted" /\ seqs[t] = {}
  /\ locks \cap {Virtual(t), Prepared(t)} = {}
  /\ ~Remembered(t) /\ ~Read(t)
  /\ st' = [st EXCEPT ![t] = "idle"]
  /\ UNCHANGED <<last, seqs, locks, claimed, work, aborts>>

(* CommitClaim, with the claim's number left at 0: in a run without end it would grow *)
(* without end, and with one claimer no key is needed.                                *)
CommitUnnumbered(c) ==
  LET w == work[c]
  IN /\ IsDone(c)
     /\ Changes(c)
     /\ claim' = [number |-> 0, hi |-> w.hi, pages |-> w.pages]
     /\ taken' = [s \in Seqs |-> IF s \in w.took THEN Append(taken[s], c) ELSE taken[s]]
     /\ End(c, "committed")
     /\ UNCHANGED <<over, chain, aborts>>

BusyNext == FairNext \/ \E t \in Txs : PassBy(t) \/ Forget(t)
BusySpec ==
  /\ Init /\ [][BusyNext]_vars
  /\ \A c \in Claimers : WF_vars(Thorough(c))
  /\ \A t \in Txs : WF_vars(Commit(t) \/ Rollback(t) \/ Unlock(t))

(* Every transaction ends, and so every hole does. *)
HolesEnd == \A s \in Seqs : (s \in Holes) ~> (s \notin Holes)
=============================================================================
