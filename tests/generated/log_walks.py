"""How Log.tla is walked on the engine: claims, statement by statement, between producers.

Owns: which bounds are walked, how much of them, and the bugs that a walk must find.
Keeps: a bug is a piece of a verb's own text, put differently.
Above: test_walks. Below: log_paths, log_replay, stage.

By day some walks of small bounds, by night all of them and of larger ones. What cannot be forced is
said in log_paths.
"""

from tests.generated.log_paths import Bounds, Engine
from tests.generated.log_replay import Stage
from tests.generated.stage import Walked

BOUNDS = {
    "two producers": (Bounds(modes=("t",)), 1_000, 1.0),
    "two producers, and ends are settled": (Bounds(modes=("s",)), 800, 0.45),
    "a producer, and ends are settled": (Bounds(txs=1, void=1, modes=("s",)), 600, 0.7),
    "prepared, and cancelled": (Bounds(txs=1, over=1, preparers=(1,), modes=("s",)), 400, 0.5),
    "two claimers that break off": (
        Bounds(txs=1, claimers=("c1", "c2"), aborts=1, modes=("t",)),
        400,
        1.0,
    ),
    "room for more, and for none": (Bounds(txs=1, rooms=(0, 1, 2)), 400, 0.5),
}
"""By name: how many steps by day, and what share of all kinds of steps they must be."""

LARGE = {
    "both": Bounds(),
    "numbers that nobody keeps": Bounds(txs=1, void=1),
    "prepared, cancelled": Bounds(txs=1, over=1, preparers=(1,)),
    "two claimers": Bounds(claimers=("c1", "c2"), aborts=1, modes=("t",)),
    "three numbers": Bounds(txs=1, seqs=3, rooms=(1, 2), modes=("s",)),
}


SETTLED = Bounds(modes=("s",))
SOWN = {
    "nobody is known to fill a hole": (
        SETTLED,
        ("fillers", "l.mode = 'RowExclusiveLock'", "false"),
    ),
    "a page is forgotten when a filler is gone": (
        SETTLED,
        ("examine", "if left_over <> '{}' and not isempty(p.seqs) then", "if false then"),
    ),
    "late ones without room are forgotten": (
        Bounds(txs=1, rooms=(0, 1, 2)),
        ("examine", "if not isempty(r.beyond) then", "if false then"),
    ),
    "what was cancelled is given out": (
        Bounds(txs=1, over=1),
        (
            "next_entries",
            "exists (select from ending x where x.segment = e.segment and x.seq = e.seq)",
            "false",
        ),
    ),
}

LOG = Walked(
    stage=Stage,
    portions=Engine,
    by_day=BOUNDS,
    whole={name: bounds for name, (bounds, *_) in BOUNDS.items()} | LARGE,
    sown=SOWN,
    sown_steps=1000,
)
