---------------------------- MODULE LogBusyBroken ----------------------------
(* LogBusy with a page's fillers renewed from whoever holds the lock now. *)
EXTENDS LogBusy

(* All holders of the moment: on a busy lane there always are some. *)
FillersGrow(p, now) == now

(* The fillers that are left, and all prepared transactions of the moment. *)
PreparedGrow(p, now) == (p.fillers \cap now) \cup {h \in now : h[1] = "prepared"}
=============================================================================
