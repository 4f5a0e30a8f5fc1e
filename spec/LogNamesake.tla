----------------------------- MODULE LogNamesake -----------------------------
(* Log over a restart of the server. Virtual names begin anew then, so a stranger  *)
(* may come to hold the lock under the name of a transaction that has ended, or    *)
(* has been prepared and is now called otherwise. A page takes it for its filler.  *)
(* Nothing is lost by that; but what is on the page may wait for the stranger, and *)
(* so a page should remember the start of the server that its names are from.      *)
EXTENDS Log

VARIABLE namesakes  \* SUBSET Txs   whose virtual name a stranger holds the lock under

InLockTable == locks \cup {Virtual(t) : t \in namesakes}

(* A stranger comes by the name of t, and goes. *)
Come(t) ==
  /\ st[t] \in {"prepared", "committed", "aborted"}
  /\ Virtual(t) \notin locks
  /\ namesakes' = namesakes \cup {t}
  /\ UNCHANGED vars
Go(t) ==
  /\ t \in namesakes
  /\ namesakes' = namesakes \ {t}
  /\ UNCHANGED vars

(* ReadLocks and ReadFillers, as they are: the lock table holds strangers, too. *)
ReadLocksAll(c) ==
  /\ work[c].at = "locks"
  /\ work' = [work EXCEPT ![c] = Looking([@ EXCEPT !.at = "look", !.now = InLockTable])]
  /\ UNCHANGED <<produced, claimed, aborts>>
ReadFillersAll(c) ==
  /\ work[c].at = "read"
  /\ work[c].fresh # {}
  /\ work' = [work EXCEPT ![c].at = "again", ![c].now = InLockTable]
  /\ UNCHANGED <<produced, claimed, aborts>>

NamesakeNext ==
  \/ Next /\ UNCHANGED namesakes
  \/ \E t \in Txs : Come(t) \/ Go(t)
FairNamesakeNext ==
  \/ FairNext /\ UNCHANGED namesakes
  \/ \E t \in Txs : Come(t) \/ Go(t)
NamesakeSpec == Init /\ namesakes = {} /\ [][NamesakeNext]_<<vars, namesakes>>
NamesakeFairSpec ==
  /\ Init /\ namesakes = {} /\ [][FairNamesakeNext]_<<vars, namesakes>>
  /\ \A c \in Claimers : WF_vars(Thorough(c) /\ UNCHANGED namesakes)
  /\ \A t \in Txs : WF_vars(Unlock(t) /\ UNCHANGED namesakes)
=============================================================================
