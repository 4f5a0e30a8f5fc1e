----------------------------- MODULE LeaderBroken -----------------------------
(* Leader with one rule broken at a time. Each cfg beside this file puts one of *)
(* these in the place of the action it is named after (`Elect <- EqualEpochs`); *)
(* suite.toml says which fact must then be refuted.                             *)
EXTENDS Leader

-----------------------------------------------------------------------------
(* Elections. *)

(* An election without the lock: a verb of the leader before is still at work. *)
StandUnlocked(w) ==
  /\ vote[w] = "looked"
  /\ ~IsElecting
  /\ IsFree
  /\ vote' = [vote EXCEPT ![w] = "locked"]
  /\ UNCHANGED <<row, promoted, verb, believes, dead>>

(* The lock is taken shared, as verbs take it: two stand, and the second deposes the first. *)
StandShared(w) ==
  /\ vote[w] = "looked"
  /\ IsFree
  /\ vote' = [vote EXCEPT ![w] = "locked"]
  /\ UNCHANGED <<row, promoted, verb, believes, dead>>

(* The row is not read again under the lock: who was elected meanwhile is deposed at once. *)
StandAsSeen(w) ==
  /\ vote[w] = "looked"
  /\ ~IsElecting /\ ~IsActing
  /\ vote' = [vote EXCEPT ![w] = "locked"]
  /\ UNCHANGED <<row, promoted, verb, believes, dead>>

(* A lease is taken over as it is, and the epoch with it. *)
EqualEpochs(w) ==
  /\ vote[w] = "locked"
  /\ LET epoch == IF row.epoch = 0 THEN 1 ELSE row.epoch
     IN /\ row' = [epoch |-> epoch, leader |-> w, fresh |-> TRUE]
        /\ believes' = [believes EXCEPT ![w] = epoch]
  /\ vote' = [vote EXCEPT ![w] = "idle"]
  /\ UNCHANGED <<promoted, verb, dead>>

(* Only a lease that was given up is taken over: when a leader dies, nobody follows it. *)
LookForResigned(w) ==
  /\ w \notin dead
  /\ vote[w] = "idle"
  /\ row.leader = None
  /\ vote' = [vote EXCEPT ![w] = "looked"]
  /\ UNCHANGED <<row, promoted, verb, believes, dead>>

(* A resignation that does not ask whose the lease is by now. *)
ResignAny(w) ==
  /\ w \notin dead
  /\ ~IsElecting
  /\ believes[w] # 0
  /\ row' = [row EXCEPT !.leader = None, !.fresh = FALSE]
  /\ believes' = [believes EXCEPT ![w] = 0]
  /\ UNCHANGED <<promoted, vote, verb, dead>>

(* A resignation that clears the row: the next epoch is one that was. *)
ResignClears(w) ==
  /\ w \notin dead
  /\ ~IsElecting
  /\ believes[w] = row.epoch
  /\ row' = [epoch |-> 0, leader |-> None, fresh |-> FALSE]
  /\ believes' = [believes EXCEPT ![w] = 0]
  /\ UNCHANGED <<promoted, vote, verb, dead>>

-----------------------------------------------------------------------------
(* Verbs. *)

(* The epoch is asked, and the lock not had: an election comes between check and act. *)
(* `at` is "acts" for who has no lock.                                                *)
CheckThenAct(v, w) ==
  /\ w \notin dead
  /\ verb[v].at = "idle"
  /\ believes[w] # 0 /\ believes[w] = row.epoch
  /\ verb' = [verb EXCEPT ![v] = [at |-> "acts", worker |-> w, epoch |-> believes[w],
                                  due |-> {j \in Jobs : promoted[j] = {}}, did |-> {}]]
  /\ UNCHANGED <<row, promoted, vote, believes, dead>>
PromoteUnlocked(v, j) ==
  /\ verb[v].at = "acts"
  /\ j \in verb[v].due
  /\ promoted[j] = {}
  /\ \A u \in Verbs : j \notin verb[u].did
  /\ verb' = [verb EXCEPT ![v].did = @ \cup {j}]
  /\ UNCHANGED <<row, promoted, vote, believes, dead>>
CommitUnlocked(v) ==
  /\ verb[v].at = "acts"
  /\ promoted' = [j \in Jobs |->
       IF j \in verb[v].did THEN promoted[j] \cup {<<verb[v].epoch, v>>} ELSE promoted[j]]
  /\ verb' = [verb EXCEPT ![v] = NoVerb]
  /\ UNCHANGED <<row, vote, believes, dead>>

(* The epoch is never asked: whoever thinks that it leads acts. *)
ActUnasked(v, w) ==
  /\ w \notin dead
  /\ verb[v].at = "idle"
  /\ ~IsElecting
  /\ believes[w] # 0
  /\ verb' = [verb EXCEPT ![v] = [at |-> "read", worker |-> w, epoch |-> believes[w],
                                  due |-> {j \in Jobs : promoted[j] = {}}, did |-> {}]]
  /\ UNCHANGED <<row, promoted, vote, believes, dead>>

(* No key of its own: the lock is trusted, and two verbs of one epoch share it. *)
PromoteUnkeyed(v, j) ==
  /\ verb[v].at = "read"
  /\ j \in verb[v].due
  /\ verb' = [verb EXCEPT ![v].did = @ \cup {j}]
  /\ UNCHANGED <<row, promoted, vote, believes, dead>>

(* Any refusal, a broken connection too, is taken for the end of the epoch. *)
DeposeAny(w) ==
  /\ believes' = [believes EXCEPT ![w] = 0]
  /\ UNCHANGED <<row, promoted, vote, verb, dead>>

(* Whoever asks is named in the row, though the epoch stays: two lead in one. *)
RenewOther(w) ==
  /\ w \notin dead
  /\ vote[w] = "idle"
  /\ row.epoch # 0
  /\ row' = [row EXCEPT !.leader = w, !.fresh = TRUE]
  /\ believes' = [believes EXCEPT ![w] = row.epoch]
  /\ UNCHANGED <<promoted, vote, verb, dead>>
=============================================================================
