"""Lives written by hand, of the heart of the models and of a lamp.

Owns: the lives that the tests of the judge judge, and the model of the lamp.
Keeps: each life is as short as what it shows.
Above: the tests of the lab. Below: awa.lab.
"""

from dataclasses import replace
from pathlib import Path

from awa.lab.life import Life, State, Step
from awa.lab.tla.values import Function, Value

# Queue: a job that fails once, comes back, and is done.

JOB = (
    ("Jobs", frozenset({"j1"})),
    ("Workers", frozenset({"w1", "w2"})),
    ("MaxAttempts", 2),
    ("MaxDeaths", 2),
    ("MaxEntries", 3),
    ("MaxLost", 1),
    ("Places", frozenset({"intake", "main", "deferred"})),
)
ENQUEUE = Step("Enqueue", ("j1", "main"))
CLAIM = Step("Claim", ("w1", 1), (("attempt", ("j1",), 1), ("entries", (1, "worker"), "w1")))
RETRY = Step("Retry", ("w1", 1), (("entries", (1, "outcome"), "retried"),))
PROMOTE = Step("Promote", ("j1",), (("deferred", (), frozenset()),))
AGAIN = Step("Claim", ("w2", 2), (("lease", ("j1",), 2),))
COMPLETE = Step("Complete", ("w2", 2))
NEVER = Step("Complete", ("w2", 3))
"""No step of any state below: there is no third entry."""

WHOLE = Life("Queue", JOB, (ENQUEUE, CLAIM, RETRY, PROMOTE, AGAIN, COMPLETE))
SHORT = Life("Queue", JOB, (ENQUEUE, CLAIM))
ONE_ATTEMPT = tuple((name, 1 if name == "MaxAttempts" else value) for name, value in JOB)

_ENTRY = {"job": "j1", "lane": "main", "worker": "w1", "outcome": "none"}
AFTER_CLAIM: State = (
    ("enqueued", frozenset({"j1"})),
    ("entries", (Function(_ENTRY),)),
    ("deferred", frozenset()),
    ("held", Function({"j1": "none"})),
    ("attempt", Function({"j1": 1})),
    ("lease", Function({"j1": 1})),
    ("deaths", Function({"j1": 0})),
    ("lost", frozenset()),
    ("believes", Function({"w1": frozenset({1}), "w2": frozenset()})),
    ("claimCount", (1, 0, 0)),
    ("endCount", (0, 0, 0)),
)


def with_steps(*steps: Step, life: Life = WHOLE) -> Life:
    return replace(life, steps=steps)


def with_value(state: State, name: str, value: Value) -> State:
    return tuple((one, value if one == name else was) for one, was in state)


# A lamp, whose rules can be broken. Its variables are named as a careless judge would name its own.

LAMP = """\
---- MODULE Lamp ----
EXTENDS Integers
CONSTANT Most
VARIABLES
  l,     \\* how bright
  tid    \\* "on" or "off"
vars == <<l, tid>>
Init == l = 0 /\\ tid = "off"
Up(n)   == l' = l + n /\\ tid' = "on"
Down    == l > 0 /\\ l' = l - 1 /\\ UNCHANGED tid
Off     == tid' = "off" /\\ UNCHANGED l
Flicker == l' \\in {l, l + 1, l + Most} /\\ UNCHANGED tid
Next == (\\E n \\in 1..9 : Up(n)) \\/ Down \\/ Off \\/ Flicker
Spec == Init /\\ [][Next]_vars
TypeOK == tid \\in {"on", "off"}
Dim    == l <= Most
(* Of two lines, which are two facts only while they stand in one column. *)
OnStays == [][/\\ tid = "on" => tid' = "on"  \\* until somebody comes
              /\\ l' # 9]_vars
Grows == [][l' > l]_l
Bright == <>(l = Most)
====
"""
LAMP_CFG = """\
CONSTANT Most = 3
SPECIFICATION Spec
INVARIANTS TypeOK Dim
PROPERTIES OnStays Grows
PROPERTY Bright
"""
MOST = (("Most", 3),)


def up(n: int) -> Step:
    return Step("Up", (n,))


DOWN, OFF, FLICKER = Step("Down"), Step("Off"), Step("Flicker")


def lamp(*steps: Step, end: int | None = None) -> Life:
    return Life("Lamp", MOST, steps, end=None if end is None else (("l", end),))


def make_lamp(folder: Path) -> Path:
    """Write the lamp and its cfg into a folder of models."""
    (folder / "Lamp.tla").write_text(LAMP)
    (folder / "MCLamp.cfg").write_text(LAMP_CFG)
    return folder
