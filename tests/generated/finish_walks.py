"""How Finish.tla is walked on the engine: who ends an entry, in each order and each wait.

Owns: which bounds are walked, how much of them, and the bugs that a walk must find.
Keeps: a bug is a piece of a verb's own text, put differently.
Above: test_walks. Below: finish_paths, finish_replay, stage.

By day some walks of small bounds, by night all of them and of a larger one. What cannot be forced
is said in finish_paths.
"""

from tests.generated.finish_paths import Bounds, Engine
from tests.generated.finish_replay import Stage
from tests.generated.stage import Walked

BOTH = frozenset({1, 2})
TWO = Bounds(seqs=(1, 2), batches=(BOTH,), outside=())
LATE = Bounds(workers=("w1",), seqs=(1, 2), batches=(BOTH,))
OVERLAP = Bounds(workers=("w1",), outside=(), batches=(BOTH, frozenset({2, 3})))
BOUNDS = {
    "a worker, and a stranger": (TWO, 1_000, 0.8),
    "a worker, and a leader that finds it late": (LATE, 850, 1.0),
    "batches that overlap": (OVERLAP, 900, 0.85),
}
"""By name: how many steps by day, and what share of all kinds of steps they must be."""

LARGE = {
    "parts of the claim": Bounds(workers=("w1",), seqs=(1, 2), batches=(frozenset({1}), BOTH)),
}


SOWN = {
    "a stranger ends it": (TWO, ("append_part", "worker <> c.worker or ", "")),
    "what had ended ends again": (
        OVERLAP,
        (
            "append_part",
            "ended := append_part.seqs * c.seqs - before;",
            "ended := append_part.seqs * c.seqs;",
        ),
    ),
    "a part forgets those before it": (
        OVERLAP,
        (
            "append_part",
            "append_part.ended, before + append_part.ended,",
            "append_part.ended, append_part.ended,",
        ),
    ),
    "a loser does not read again": (LATE, ("append_part", "exit when found;", "exit;")),
    "a stale verdict is carried out": (
        LATE,
        ("finish", "where ended @> (e ->> 'seq')::bigint", ""),
    ),
}

FINISH = Walked(
    stage=Stage,
    portions=Engine,
    by_day=BOUNDS,
    whole={name: bounds for name, (bounds, *_) in BOUNDS.items()} | LARGE,
    sown=SOWN,
    sown_steps=850,
)
