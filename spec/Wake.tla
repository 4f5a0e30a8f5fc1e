-------------------------------- MODULE Wake --------------------------------
(* Who tells a sleeper that there is something to claim.                        *)
(*                                                                              *)
(* A worker that wants to be woken says so with a claim: it is named in the     *)
(* newest claim of the queue, and the queue's bell says that somebody sleeps.   *)
(* Then it looks once more. A producer draws its number, asks the bell, commits,*)
(* and then notifies, if somebody slept. The bell is a sequence: it shows the   *)
(* present, and no rollback takes it back. A notification is a hint, and may be *)
(* lost. A producer that asked before anybody slept notifies nobody: but then   *)
(* the sleeper sees its number drawn, and looks often for as long as it is      *)
(* young.                                                                       *)
EXTENDS Integers, FiniteSets

CONSTANTS
  Workers,     \* set of strings: they serve the queue
  Producers,   \* set of strings: transactions that enqueue one job each
  Slow,        \* SUBSET Producers: those that may stay open for longer than a number counts as young
  MaxLost,     \* bound of the model: notifications that do not arrive
  MaxAborts,   \* bound of the model: claims that are rolled back
  MaxDeaths    \* bound of the model: workers that die

VARIABLES      \* what Postgres knows
  bell,        \* BOOLEAN                  the queue's bell: somebody sleeps
  sleepers,    \* SUBSET Workers           named in the newest claim
  job,         \* [Producers -> Job]       how far each one's transaction is, and what it was told
  taken,       \* SUBSET Producers         whose job was claimed
  queueLock,   \* Workers \cup {"none"}    who holds the queue's lock
  told,        \* SUBSET Workers           notifications on their way
               \* what a worker is doing
  worker,      \* [Workers -> Worker]
  faults       \* Faults                   ghost: what has gone wrong so far

produced == <<job, told>>
vars     == <<bell, sleepers, produced, taken, queueLock, worker, faults>>

None   == "none"
Job    == [at: {"idle", "drawn", "asked", "committed", "over", "gone"}, rings: BOOLEAN, young: BOOLEAN]
Faults == [lost: 0..MaxLost, aborts: 0..MaxAborts, deaths: 0..MaxDeaths]

(* awake: it looks at once. locked, looked, rung: a look under way. asleep: it waits for a notification, *)
(* for the next look at what is young (if `soon`), or for the poll. full: it has no room, and asks       *)
(* nothing until it has.                                                                                 *)
Worker == [at: {"awake", "locked", "looked", "rung", "asleep", "full", "dead"},
           asks: BOOLEAN,        \* the look under way names it as a sleeper
           saw: SUBSET Producers, soon: BOOLEAN,
           announced: BOOLEAN,   \* a look that was carried out has named it as a sleeper
           heard: BOOLEAN]       \* a notification came while it could not look

Committed == {p \in Producers : job[p].at \in {"committed", "over"}}
Waiting   == Committed \ taken
Drawn     == {p \in Producers : job[p].at \in {"drawn", "asked"}}
Alive     == {w \in Workers : worker[w].at # "dead"}
Looking   == {"locked", "looked", "rung"}

TypeOK ==
  /\ bell \in BOOLEAN /\ sleepers \subseteq Workers /\ told \subseteq Workers
  /\ \A p \in Producers : job[p] \in Job
  /\ taken \subseteq Producers /\ queueLock \in Workers \cup {None}
  /\ \A w \in Workers : worker[w] \in Worker
  /\ faults \in Faults

Awake == [at |-> "awake", asks |-> FALSE, saw |-> {}, soon |-> FALSE, announced |-> FALSE, heard |-> FALSE]

Init ==
  /\ bell = FALSE /\ sleepers = {} /\ told = {} /\ taken = {} /\ queueLock = None
  /\ job = [p \in Producers |-> [at |-> "idle", rings |-> FALSE, young |-> FALSE]]
  /\ worker = [w \in Workers |-> Awake]
  /\ faults = [lost |-> 0, aborts |-> 0, deaths |-> 0]

Unproduced == UNCHANGED <<bell, sleepers, taken, queueLock, worker, faults>>

-----------------------------------------------------------------------------
(* Producers. *)

(* Draw: the job's number, which every look sees from now on. Not in a trace; Enqueue names it. *)
Draw(p) ==
  /\ job[p].at = "idle"
  /\ job' = [job EXCEPT ![p].at = "drawn", ![p].young = TRUE]
  /\ UNCHANGED told
  /\ Unproduced

(* Ask: does somebody sleep? Trace: Enqueue, with the answer. *)
Ask(p) ==
  /\ job[p].at = "drawn"
  /\ job' = [job EXCEPT ![p].at = "asked", ![p].rings = bell]
  /\ UNCHANGED told
  /\ Unproduced

(* Age: a number counts as young for a second; then nobody looks often for it any more. *)
(* Not in a trace; placed by its time.                                                  *)
Age(p) ==
  /\ p \in Slow           \* inert: a bound
  /\ job[p].at = "asked"   \* inert: who is slow before it asks notifies in any case
  /\ job' = [job EXCEPT ![p].young = FALSE]
  /\ UNCHANGED told
  /\ Unproduced

(* Commit: the job is there. A producer that was open for long notifies whatever it was told. *)
(* Rollback: it never will be there. Trace: the xid of Enqueue is seen, or is not.            *)
Rings(p) == job[p].rings \/ ~job[p].young
Commit(p) ==
  /\ job[p].at = "asked"
  /\ job' = [job EXCEPT ![p] = [at |-> IF Rings(p) THEN "committed" ELSE "over", rings |-> FALSE, young |-> FALSE]]
  /\ UNCHANGED told
  /\ Unproduced
Rollback(p) ==
  /\ p \in Drawn
  /\ job' = [job EXCEPT ![p] = [at |-> "gone", rings |-> FALSE, young |-> FALSE]]
  /\ UNCHANGED told
  /\ Unproduced

(* Wake: after its commit, a producer notifies everybody who listens. Trace: Wake with the queues. *)
Wake(p) ==
  /\ job[p].at = "committed"
  /\ job' = [job EXCEPT ![p].at = "over"]
  /\ told' = told \cup Alive
  /\ Unproduced

(* Lose: notifications are lost: the producer dies after its commit, or nobody's LISTEN is up. *)
(* Not in a trace: a Wake is missing.                                                          *)
Lose(p) ==
  /\ job[p].at = "committed"
  /\ faults.lost < MaxLost
  /\ faults' = [faults EXCEPT !.lost = @ + 1]
  /\ job' = [job EXCEPT ![p].at = "over"]
  /\ UNCHANGED <<bell, sleepers, taken, queueLock, told, worker>>

-----------------------------------------------------------------------------
(* A worker's look into the queue: a claim, whatever it finds. *)

(* Lock: a look begins, with the queue's lock. Whoever was given as much as it had room for asks not to *)
(* be woken for a while, and looks again by itself. Not in a trace.                                     *)
Lock(w, asks) ==
  /\ worker[w].at = "awake"
  /\ queueLock = None
  /\ queueLock' = w
  /\ worker' = [worker EXCEPT ![w].at = "locked", ![w].asks = asks, ![w].soon = FALSE]
  /\ UNCHANGED <<bell, sleepers, produced, taken, faults>>

(* Look: what is visible is taken. A number that is drawn and not visible yet is young for a while. *)
(* Trace: Claim, a row of its reads; a look that changes nothing leaves none.                       *)
Look(w) ==
  /\ worker[w].at = "locked"
  /\ worker' = [worker EXCEPT ![w].at = "looked", ![w].saw = Waiting,
                              ![w].soon = \E p \in Drawn : job[p].young]
  /\ UNCHANGED <<bell, sleepers, produced, taken, queueLock, faults>>

(* SetBell: it takes effect at once, before the claim commits, and stays if it does not. Not in a trace; *)
(* placed between the look and the end of the Claim.                                                     *)
Named(w) == IF worker[w].asks THEN sleepers \cup {w} ELSE sleepers \ {w}
SetBell(w) ==
  /\ worker[w].at = "looked"
  /\ bell' = (Named(w) # {})
  /\ worker' = [worker EXCEPT ![w].at = "rung"]
  /\ UNCHANGED <<sleepers, produced, taken, queueLock, faults>>

(* Claim: the look commits, and the worker takes in what it says. If it has announced its sleep only by *)
(* this one, it looks once more at once; so it does if a notification came meanwhile. Otherwise it      *)
(* sleeps, but not for long if something is young, or if it has asked not to be woken. What it was given *)
(* may fill it.                                                                                          *)
(* Trace: Claim with `asleep`, sleepers after, and bell.                                                *)
After(w) ==
  LET news == /\ worker[w].asks   \* inert: to look once more does no harm
              /\ ~worker[w].announced
  IN [Awake EXCEPT !.at = IF news \/ worker[w].heard THEN "awake" ELSE "asleep",
                   !.soon = worker[w].soon \/ ~worker[w].asks, !.announced = worker[w].asks]
Claim(w, fills) ==
  /\ worker[w].at = "rung"
  /\ fills => worker[w].saw # {}   \* inert: it may have been filled before
  /\ taken' = taken \cup worker[w].saw
  /\ sleepers' = Named(w)
  /\ queueLock' = None
  /\ worker' = [worker EXCEPT ![w] = IF fills THEN [After(w) EXCEPT !.at = "full", !.heard = After(w).at = "awake"]
                                     ELSE After(w)]
  /\ UNCHANGED <<bell, produced, faults>>

(* Refuse: another claim is at work (or the queue is paused). Nothing was done, and so nothing announced; *)
(* the worker looks again. Not in a trace.                                                                *)
Refuse(w, asks) ==
  /\ worker[w].at = "awake"
  /\ queueLock # None       \* inert: without it, a step that changes nothing
  /\ worker' = [worker EXCEPT ![w].heard = FALSE]
  /\ UNCHANGED <<bell, sleepers, produced, taken, queueLock, faults>>

(* BreakOff: the look is rolled back; the worker trusts nothing that it knew. Not in a trace. *)
BreakOff(w) ==
  /\ worker[w].at \in Looking
  /\ faults.aborts < MaxAborts
  /\ faults' = [faults EXCEPT !.aborts = @ + 1]
  /\ queueLock' = None
  /\ worker' = [worker EXCEPT ![w] = Awake]
  /\ UNCHANGED <<bell, sleepers, produced, taken>>

-----------------------------------------------------------------------------
(* What ends a sleep. *)

(* Hear: a notification arrives. While a look is under way it is kept in mind: the job may have come *)
(* after what that look has seen. Process event: Awake, with the cause.                              *)
Hear(w) ==
  /\ w \in told             \* inert: a false notification is a needless look
  /\ told' = told \ {w}
  /\ worker' = [worker EXCEPT ![w].at = IF @ = "asleep" THEN "awake" ELSE @,
                              ![w].heard = worker[w].at \in Looking \cup {"full"}]
  /\ UNCHANGED <<bell, sleepers, job, taken, queueLock, faults>>

(* Free: a handler has ended, and the worker has room. Process event: HandlerEnd. *)
Free(w) ==
  /\ worker[w].at = "full"
  /\ worker' = [worker EXCEPT ![w].at = IF worker[w].heard THEN "awake" ELSE "asleep", ![w].heard = FALSE]
  /\ UNCHANGED <<bell, sleepers, produced, taken, queueLock, faults>>

(* LookSoon: a few milliseconds have passed, and something is young; or the busy time is over. *)
(* Poll: the slow poll, which is always enough. Process event: Awake, with the cause.          *)
LookSoon(w) ==
  /\ worker[w].at = "asleep"
  /\ worker[w].soon         \* inert: without it, a Poll
  /\ worker' = [worker EXCEPT ![w].at = "awake"]
  /\ UNCHANGED <<bell, sleepers, produced, taken, queueLock, faults>>
Poll(w) ==
  /\ worker[w].at = "asleep"
  /\ worker' = [worker EXCEPT ![w].at = "awake"]
  /\ UNCHANGED <<bell, sleepers, produced, taken, queueLock, faults>>

(* Die: a worker is killed; its look, if any, is rolled back. Chaos event: Killed. *)
Die(w) ==
  /\ worker[w].at # "dead"   \* inert: it dies once more
  /\ faults.deaths < MaxDeaths
  /\ faults' = [faults EXCEPT !.deaths = @ + 1]
  /\ queueLock' = IF queueLock = w THEN None ELSE queueLock
  /\ worker' = [worker EXCEPT ![w] = [Awake EXCEPT !.at = "dead"]]
  /\ told' = told \ {w}
  /\ UNCHANGED <<bell, sleepers, job, taken>>

(* Forget: the leader has found out, and names the dead no more: a claim that takes nothing. *)
(* Trace: Claim by the leader, or by who retires.                                            *)
Forget(w) ==
  /\ worker[w].at = "dead"
  /\ w \in sleepers         \* inert: without it, the bell says what it should
  /\ queueLock = None
  /\ sleepers' = sleepers \ {w}
  /\ bell' = (sleepers \ {w} # {})
  /\ UNCHANGED <<produced, taken, queueLock, worker, faults>>

WorkerStep(w) ==
  \/ \E asks \in BOOLEAN : Lock(w, asks) \/ Refuse(w, asks)
  \/ Look(w) \/ SetBell(w) \/ (\E fills \in BOOLEAN : Claim(w, fills)) \/ BreakOff(w)
  \/ Hear(w) \/ Free(w) \/ LookSoon(w) \/ Poll(w) \/ Die(w) \/ Forget(w)
ProducerStep(p) == Draw(p) \/ Ask(p) \/ Age(p) \/ Commit(p) \/ Rollback(p) \/ Wake(p) \/ Lose(p)

Next == (\E p \in Producers : ProducerStep(p)) \/ (\E w \in Workers : WorkerStep(w))
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Invariants. *)

(* Who sleeps is heard of: the bell says so to whoever asks. *)
SleeperIsKnown == \A w \in Workers :
  worker[w].at = "asleep" /\ worker[w].announced => w \in sleepers /\ bell

(* A job that waits while somebody idles is looked for, or somebody is about to be told of it: as long *)
(* as no notification is lost, it never waits for the poll.                                             *)
WillLook(w) ==
  \/ worker[w].at \in {"awake", "locked"} \/ (worker[w].at = "asleep" /\ (worker[w].soon \/ w \in told))
  \/ /\ worker[w].at \in Looking
     /\ worker[w].soon \/ ~worker[w].asks \/ ~worker[w].announced \/ worker[w].heard \/ w \in told
IsFound(p)  == job[p].at = "committed" \/ \E w \in Workers : p \in worker[w].saw \/ WillLook(w)
Idles       == \E w \in Workers : worker[w].at = "asleep"
NoWakeUpIsLost == faults.lost = 0 /\ Idles => \A p \in Waiting : IsFound(p)

(* The queue's lock is held by who is at work in it, and by nobody else. *)
LockIsHeldAtWork == \A w \in Workers : queueLock = w <=> worker[w].at \in Looking

-----------------------------------------------------------------------------
(* Step properties. *)

(* A job is drawn, asked for, committed, told of, in this order, or is gone before it is committed. *)
JobLife == {<<"idle", "drawn">>, <<"drawn", "asked">>, <<"asked", "committed">>, <<"asked", "over">>,
            <<"committed", "over">>, <<"drawn", "gone">>, <<"asked", "gone">>}
JobGoesOn == [][\A p \in Producers :
  job'[p].at # job[p].at => <<job[p].at, job'[p].at>> \in JobLife]_vars

(* A look goes from step to step, and is begun by who is awake; who is dead does nothing. *)
LookLife == {<<"awake", "locked">>, <<"locked", "looked">>, <<"looked", "rung">>}
LookGoesOn == [][\A w \in Workers : LET is == worker'[w].at IN
  /\ is # worker[w].at /\ is \in Looking => <<worker[w].at, is>> \in LookLife
  /\ worker[w].at = "dead" => is = "dead"]_vars

-----------------------------------------------------------------------------
(* Liveness. A look goes on; a notification that was sent arrives; a producer that has committed and was *)
(* told to notifies; what is young is looked for. No producer commits because it must.                   *)
Fair == /\ \A p \in Producers : WF_vars(Wake(p) \/ Lose(p))
        /\ \A w \in Workers : WF_vars(Look(w) \/ SetBell(w) \/ Claim(w, FALSE) \/ BreakOff(w))
        /\ \A w \in Workers : WF_vars(Hear(w)) /\ WF_vars(LookSoon(w)) /\ SF_vars(Forget(w))
        /\ \A w \in Workers : SF_vars(\E asks \in BOOLEAN : Lock(w, asks))
FairSpec  == Spec /\ Fair                                          \* without the poll
PollsSpec == Spec /\ Fair /\ \A w \in Workers : WF_vars(Poll(w))   \* with it

IsClaimed(p) == p \in taken \/ \A w \in Workers : worker[w].at \in {"dead", "full"}
WaitingIsClaimed == \A p \in Producers : (p \in Waiting) ~> IsClaimed(p)

(* When nobody alive sleeps for the queue, the bell is silent in the end. *)
DeadAreForgotten == \A w \in Workers : (worker[w].at = "dead") ~> (w \notin sleepers)
=============================================================================
