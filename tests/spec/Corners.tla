------------------------------ MODULE Corners ------------------------------
(* No model of anything: the corners of what an action may be, for two      *)
(* checkers to agree on. Each action has one, and says which.               *)
EXTENDS Integers, Sequences, FiniteSets

CONSTANT Size
VARIABLES n, set, log, grid
rest == <<set, <<log, grid>>>>

Pairs   == {1} \X {"a", "b"}
More    == n + 1
Fits(m) == m \in 0..Size
Twice(m) == m + m
Lazy(chosen, wrong) == IF chosen THEN 1 ELSE wrong

Init ==
  /\ n \in 0..1 /\ set = {}
  /\ log = <<>> \/ log = <<[tag |-> "first", at |-> <<0>>]>>
  /\ grid = [p \in Pairs |-> 0]

(* A LET is primed: what it stands for is computed anew, in the next state. Another speaks *)
(* of the next state before that is known.                                                 *)
PrimedLet ==
  LET more == n + 1
      after == n'
  IN /\ Fits(more + more) /\ n' = more /\ (more)' = more + 1
     /\ after = more /\ after > 0 /\ UNCHANGED rest

(* An operator is primed, and an argument is. *)
PrimedOperator(by) ==
  /\ n' = n + by
  /\ More' = More + by /\ Twice(n)' = Twice(n') /\ Fits(n')
  /\ UNCHANGED rest

(* A value is given once, and compared after that. *)
GivenTwice ==
  /\ n' = (n + 1) % 3 /\ n' \in {0, 2} /\ n' = (n + 1) % 3
  /\ UNCHANGED set /\ UNCHANGED <<set, log>> /\ UNCHANGED grid

(* Nothing may change, and something does: no step. *)
Never == n' = n + 1 /\ UNCHANGED <<n, set, log, grid>>

(* A condition that cannot be true: what comes after it need not be there. *)
Nobody == FALSE

(* One of a set, with another that depends on it. *)
OneOf ==
  /\ n' \in {m \in 0..Size : m # n}
  /\ set' = {<<n, n'>>} \cup {p \in set : p[1] = n'}
  /\ Cardinality(set') <= 2 /\ UNCHANGED <<log, grid>>

(* Several ways to make a condition true, which TLC counts. *)
Ways ==
  /\ n = 0 \/ n < 2
  /\ \E i, j \in {0, 1} : i + j = n
  /\ \/ set' = {} /\ n' = 0
     \/ \E p \in set : set' = set \ {p} /\ n' = p[2]
  /\ UNCHANGED <<log, grid>>

(* IF, CASE and LET around what changes; an argument without a value, which is not needed. *)
Branches(m) ==
  /\ IF m > n
     THEN CASE n = 0 -> log' = Append(log, [tag |-> "case", at |-> <<m, n>>])
            [] n > 0 /\ Len(log) > 0 ->
                 LET old == Head(log) IN log' = <<[old EXCEPT !.at[1] = @ + m]>>
            [] OTHER -> UNCHANGED log
     ELSE log' = Tail(SubSeq(log \o <<[tag |-> "end", at |-> <<>>]>>, 1, 1))
  /\ Lazy(n >= 0, Head(<<>>)) = 1
  /\ Len(log') <= 1 /\ \A i \in DOMAIN log' : \A a \in DOMAIN log'[i].at : log'[i].at[a] <= Size
  /\ UNCHANGED <<n, set, grid>>

(* Arguments that are tuples, and a change along a path; one place may be changed twice. *)
Paths ==
  \E <<i, s>> \in Pairs :
    /\ grid[i, s] = 0 /\ n = i
    /\ grid' = [grid EXCEPT ![i, s] = @ + n, ![<<1, "a">>] = IF @ > 1 THEN @ ELSE @ + 1]
    /\ UNCHANGED <<n, set, log>>

(* An action is made of another, and one is reached in two ways. *)
Base(m) == n = m /\ n' = 0
Built   == Base(Size) /\ UNCHANGED rest
Both(m) == Base(m) /\ UNCHANGED rest

Group == PrimedLet \/ (\E by \in {1, 2} : PrimedOperator(by)) \/ Built
Next ==
  \/ Group
  \/ GivenTwice \/ Never \/ Nobody \/ OneOf \/ Ways \/ Paths
  \/ \E m \in 0..Size : m > 0 /\ Branches(m)
  \/ Both(1) \/ \E m \in {1, 2} : Both(m)
Spec == Init /\ [][Next]_<<n, set, log, grid>>

Limits == n \in 0..Size /\ \A p \in Pairs : grid[p] <= 3
Steps  == [][n' > n + 1 => PrimedOperator(2) \/ OneOf \/ Ways]_n
=============================================================================
