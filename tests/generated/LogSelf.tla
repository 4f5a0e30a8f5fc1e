-------------------------------- MODULE LogSelf --------------------------------
(* Log, where a claim holds the sequence's lock itself: it has asked for the last     *)
(* value. So it is a filler of each page that it makes, and is gone by the next claim, *)
(* as nobody is.                                                                       *)
EXTENDS Log

ReadFillersAndSelf(c) ==
  /\ work[c].at = "read"
  /\ work[c].fresh # {}
  /\ work' = [work EXCEPT ![c].at = "again", ![c].now = locks \cup {Unread}]
  /\ UNCHANGED <<produced, claimed, aborts>>
===============================================================================
