------------------------------- MODULE Leader -------------------------------
(* Who does the maintenance, and why it does not matter if two think so.     *)
(*                                                                           *)
(* The leader's row names the leader and its epoch, which only grows. An     *)
(* election takes the leadership's lock exclusively; every verb of a leader  *)
(* takes it shared, and asks for its epoch under it, so that no verb of an   *)
(* epoch before is at work when another begins. To stay the leader takes no  *)
(* lock at all. A client may sleep for an hour between what it believes and  *)
(* what it does, and its verb between what it reads and what it writes; a    *)
(* verb whose connection broke may still be at work when it is called again. *)
EXTENDS Integers, FiniteSets

CONSTANTS
  Workers,    \* set of worker ids, strings
  Verbs,      \* set of strings: backends on which maintenance verbs run
  Jobs,       \* set of jobs that are due
  MaxEpoch    \* bound of the model: elections ever won

VARIABLES     \* what the database knows
  row,        \* Row                       the leader's row
  promoted,   \* [Jobs -> SUBSET Pairs]    ghost: in which epochs, and by which verbs, a job was promoted
              \* transactions at work
  vote,       \* [Workers -> Vote]         how far its election is
  verb,       \* [Verbs -> Verb]           a sweep of a leader, in two phases
              \* what workers know
  believes,   \* [Workers -> 0..MaxEpoch]  the epoch in which it thinks it leads; 0: none
  dead        \* SUBSET Workers            their processes have ended

vars == <<row, promoted, vote, verb, believes, dead>>

None   == "none"
Epochs == 0..MaxEpoch
Row    == [epoch: Epochs, leader: Workers \cup {None}, fresh: BOOLEAN]
Vote   == {"idle", "looked", "locked"}
Verb   == [at: {"idle", "read"}, worker: Workers \cup {None}, epoch: Epochs, due: SUBSET Jobs,
           did: SUBSET Jobs]
NoVerb == [at |-> "idle", worker |-> None, epoch |-> 0, due |-> {}, did |-> {}]

(* The leadership's lock: shared by verbs, or one election's. *)
IsElecting == \E w \in Workers : vote[w] = "locked"
IsActing   == \E v \in Verbs : verb[v].at = "read"

(* Nobody else leads: there is no leader, its lease has run out, or it was declared lost. *)
IsFree     == row.leader = None \/ ~row.fresh

TypeOK ==
  /\ row \in Row
  /\ \A j \in Jobs : promoted[j] \subseteq Epochs \X Verbs
  /\ vote \in [Workers -> Vote] /\ verb \in [Verbs -> Verb]
  /\ believes \in [Workers -> Epochs] /\ dead \subseteq Workers

Init ==
  /\ row = [epoch |-> 0, leader |-> None, fresh |-> FALSE]
  /\ promoted = [j \in Jobs |-> {}]
  /\ vote = [w \in Workers |-> "idle"] /\ verb = [v \in Verbs |-> NoVerb]
  /\ believes = [w \in Workers |-> 0] /\ dead = {}

-----------------------------------------------------------------------------
(* Elections. *)

(* Lapse: the lease runs out, or the leader is declared lost. Not in a trace: it is placed *)
(* before the Elect that follows from it.                                                  *)
Lapse ==
  /\ row.fresh                     \* inert: without it, a step that changes nothing
  /\ row' = [row EXCEPT !.fresh = FALSE]
  /\ UNCHANGED <<promoted, vote, verb, believes, dead>>

(* Renew: whom the row names stays the leader, without a lock, whether or not its lease *)
(* has run out. Not in a trace.                                                         *)
Renew(w) ==
  /\ w \notin dead
  /\ row.leader = w
  /\ vote[w] = "idle"              \* inert: two elections of one worker do no harm
  /\ row' = [row EXCEPT !.fresh = TRUE]
  /\ believes' = [believes EXCEPT ![w] = row.epoch]
  /\ UNCHANGED <<promoted, vote, verb, dead>>

(* Look: without the lock, nobody seems to lead. Not in a trace: placed before Elect. *)
Look(w) ==
  /\ w \notin dead                 \* inert: whom the dead elect is replaced
  /\ vote[w] = "idle"
  /\ row.leader # w                \* inert: to be elected anew does no harm
  /\ IsFree                        \* inert: it is asked again under the lock
  /\ vote' = [vote EXCEPT ![w] = "looked"]
  /\ UNCHANGED <<row, promoted, verb, believes, dead>>

(* Stand: the lock is had, and in the next statement nobody leads still. Not in a trace: *)
(* placed before Elect.                                                                  *)
Stand(w) ==
  /\ vote[w] = "looked"            \* inert: a look only spares the wait for the lock
  /\ ~IsElecting
  /\ ~IsActing
  /\ IsFree
  /\ vote' = [vote EXCEPT ![w] = "locked"]
  /\ UNCHANGED <<row, promoted, verb, believes, dead>>

(* Yield: the lock is had, and somebody was elected meanwhile. Not in a trace. *)
Yield(w) ==
  /\ vote[w] = "looked"
  /\ ~IsElecting                   \* inert: who waits for the lock may as well be told early
  /\ ~IsActing                     \* inert: likewise
  /\ ~IsFree
  /\ vote' = [vote EXCEPT ![w] = "idle"]
  /\ believes' = [believes EXCEPT ![w] = 0]
  /\ UNCHANGED <<row, promoted, verb, dead>>

(* Elect: the next epoch begins, and another leads. (The leader before may have renewed *)
(* its lease a moment ago; it finds out.) Shown by: Elect.                              *)
Elect(w) ==
  /\ vote[w] = "locked"
  /\ row.epoch < MaxEpoch
  /\ row' = [epoch |-> row.epoch + 1, leader |-> w, fresh |-> TRUE]
  /\ vote' = [vote EXCEPT ![w] = "idle"]
  /\ believes' = [believes EXCEPT ![w] = row.epoch + 1]
  /\ UNCHANGED <<promoted, verb, dead>>

(* Resign: a leader that stops gives up its lease, if it still is the leader. Not in a trace: *)
(* placed before an Elect of the same worker; another's may as well follow from a Lapse.      *)
Resign(w) ==
  /\ w \notin dead                 \* inert: a resignation that was sent is carried out
  /\ ~IsElecting                   \* inert: the election that has the lock does the same
  /\ believes[w] = row.epoch
  /\ row' = [row EXCEPT !.leader = None, !.fresh = FALSE]
  /\ believes' = [believes EXCEPT ![w] = 0]
  /\ UNCHANGED <<promoted, vote, verb, dead>>

(* Die: a worker's process ends, and another lives; what it sent goes on in the server. *)
(* Not in a trace.                                                                      *)
Die(w) ==
  /\ Workers \ dead # {w}
  /\ dead' = dead \cup {w}
  /\ UNCHANGED <<row, promoted, vote, verb, believes>>

-----------------------------------------------------------------------------
(* Verbs. *)

(* Act: a leader's verb has the lock, its epoch is the present one, and it reads what is *)
(* due. Not in a trace: it is placed before the first event of its transaction, which    *)
(* says its epoch.                                                                       *)
Act(v, w) ==
  /\ w \notin dead
  /\ verb[v].at = "idle"           \* inert: what it had not committed is gone
  /\ ~IsElecting
  /\ believes[w] # 0 /\ believes[w] = row.epoch
  /\ verb' = [verb EXCEPT ![v] = [at |-> "read", worker |-> w, epoch |-> believes[w],
                                  due |-> {j \in Jobs : promoted[j] = {}}, did |-> {}]]
  /\ UNCHANGED <<row, promoted, vote, believes, dead>>

(* Depose: the epoch is over: a verb was refused, or an election named another, and the *)
(* worker thinks no more that it leads. Not in a trace.                                 *)
Depose(w) ==
  /\ believes[w] # row.epoch
  /\ believes' = [believes EXCEPT ![w] = 0]
  /\ UNCHANGED <<row, promoted, vote, verb, dead>>

(* Promote: the verb writes one of those that it has read, whose key is free; for a key that *)
(* another has taken and not committed it would wait. Shown by: Promote, with its epoch.     *)
Promote(v, j) ==
  /\ j \in verb[v].due             \* inert: the key keeps the rest
  /\ promoted[j] = {}
  /\ \A u \in Verbs : j \notin verb[u].did
  /\ verb' = [verb EXCEPT ![v].did = @ \cup {j}]
  /\ UNCHANGED <<row, promoted, vote, believes, dead>>

(* Commit: what the verb did is there, and the lock goes. Not in a trace: it is placed *)
(* after the last event of its transaction.                                            *)
Commit(v) ==
  /\ verb[v].at = "read"           \* inert: without it, a step that changes nothing
  /\ promoted' = [j \in Jobs |->
       IF j \in verb[v].did THEN promoted[j] \cup {<<verb[v].epoch, v>>} ELSE promoted[j]]
  /\ verb' = [verb EXCEPT ![v] = NoVerb]
  /\ UNCHANGED <<row, vote, believes, dead>>

(* Break: the verb's transaction is rolled back. Not in a trace: it leaves no event. *)
Break(v) ==
  /\ verb[v].at = "read"           \* inert: without it, a step that changes nothing
  /\ verb' = [verb EXCEPT ![v] = NoVerb]
  /\ UNCHANGED <<row, promoted, vote, believes, dead>>

VoteStep(w) == Renew(w) \/ Look(w) \/ Stand(w) \/ Yield(w) \/ Elect(w)

Next ==
  \/ Lapse
  \/ \E w \in Workers : VoteStep(w) \/ Resign(w) \/ Depose(w) \/ Die(w)
  \/ \E v \in Verbs, w \in Workers : Act(v, w)
  \/ \E v \in Verbs, j \in Jobs : Promote(v, j)
  \/ \E v \in Verbs : Commit(v) \/ Break(v)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Invariants. *)

(* While a verb is at work its epoch is not over. *)
ActsInItsEpoch == \A v \in Verbs : verb[v].at = "read" => verb[v].epoch = row.epoch

(* No two stand for election at the same time, for the second would depose the first. *)
OneStands == \A w, x \in Workers : vote[w] = "locked" /\ vote[x] = "locked" => w = x

(* No two think that they lead in the same epoch. *)
OneAnEpoch == \A w, x \in Workers : believes[w] # 0 /\ believes[w] = believes[x] => w = x

(* What is promoted is promoted once. *)
PromotedOnce == \A j \in Jobs : Cardinality(promoted[j]) <= 1

-----------------------------------------------------------------------------
(* Step properties. *)

(* The epoch grows by one with each election, and by nothing else. *)
EpochGrows == [][row'.epoch # row.epoch => row'.epoch = row.epoch + 1 /\ row'.leader # None]_vars

(* Nobody leads in another's epoch. *)
LeaderIsElected == [][row'.leader # row.leader =>
  row'.leader = None \/ row'.epoch # row.epoch]_vars

(* What an epoch has read and what it writes takes effect in it, or not at all. *)
OldEpochDoesNothing == [][\A j \in Jobs : \A p \in promoted'[j] \ promoted[j] : p[1] = row.epoch]_vars

(* Nobody stands for election while another's lease lasts, as it is read under the lock. *)
OnlyFreeIsTaken == [][\A w \in Workers : vote[w] # "locked" /\ vote'[w] = "locked" => IsFree]_vars

(* Whose epoch is not over is not told so. *)
LeaderIsNotDenied == [][\A w \in Workers : believes[w] # 0 /\ believes'[w] = 0 =>
  believes[w] # row.epoch \/ row'.leader = None]_vars

(* Only the leader itself gives up its lease. *)
ResignsItself == [][row.leader # None /\ row'.leader = None =>
  believes[row.leader] = row.epoch /\ believes'[row.leader] = 0]_vars

-----------------------------------------------------------------------------
(* Witnesses, each told as what is not so: some state refutes it here, and some real run has. *)

NoSecondReign      == row.epoch < 2
NobodyIsLeftBehind == \A w \in Workers : believes[w] \in {0, row.epoch}

-----------------------------------------------------------------------------
(* Liveness. The leases of the dead run out, the living go on voting, and what is at work *)
(* in the server comes to an end.                                                         *)
FairSpec ==
  /\ Spec
  /\ WF_vars(row.leader \in dead /\ Lapse)
  /\ \A w \in Workers : WF_vars(VoteStep(w))
  /\ \A v \in Verbs : WF_vars(Commit(v) \/ Break(v))

(* When the leader is dead, or there is none, somebody who lives is elected. *)
Leads         == row.leader # None /\ row.leader \notin dead
SomebodyLeads == ~Leads ~> (Leads \/ row.epoch = MaxEpoch)
=============================================================================
