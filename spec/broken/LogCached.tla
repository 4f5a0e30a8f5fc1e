------------------------------ MODULE LogCached ------------------------------
(* Log with a sequence that has a cache: a session draws two numbers at once, *)
(* and uses the second in a later transaction. In between nobody holds the    *)
(* lock on behalf of it.                                                      *)
EXTENDS Log

VARIABLE cached  \* SUBSET Seqs   drawn by a session for its next transaction

(* Draw a block: the first number is used by t, the second is left in the cache. *)
DrawBlock(t) ==
  /\ st[t] = "idle"
  /\ \A u \in Txs : u < t => st[u] # "idle"
  /\ last + 1 < MaxSeq
  /\ last' = last + 2
  /\ st' = [st EXCEPT ![t] = "open"]
  /\ seqs' = [seqs EXCEPT ![t] = {last + 1}]
  /\ locks' = locks \cup {Virtual(t)}
  /\ cached' = cached \cup {last + 2}
  /\ UNCHANGED <<claimed, work, aborts>>

(* The next transaction of the session takes the lock, and a number from the cache. *)
DrawCached(t) ==
  /\ st[t] = "idle"
  /\ \A u \in Txs : u < t => st[u] # "idle"
  /\ \E s \in cached :
       /\ seqs' = [seqs EXCEPT ![t] = {s}]
       /\ cached' = cached \ {s}
  /\ st' = [st EXCEPT ![t] = "open"]
  /\ locks' = locks \cup {Virtual(t)}
  /\ UNCHANGED <<last, claimed, work, aborts>>

CachedNext ==
  \/ Next /\ UNCHANGED cached
  \/ \E t \in Txs : DrawBlock(t) \/ DrawCached(t)
CachedSpec == Init /\ cached = {} /\ [][CachedNext]_<<vars, cached>>
=============================================================================
