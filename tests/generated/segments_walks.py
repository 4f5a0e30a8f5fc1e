"""How Segments.tla is walked on the engine: who writes where, while the leader rotates and prunes.

Owns: which bounds are walked, how much of them, and the bugs that a walk must find.
Keeps: a bug is a piece of a verb's own text, put differently.
Above: test_walks. Below: segments_paths, segments_replay, stage.

By day some walks of small bounds, by night all of them and of a larger one. What is not forced is
said in segments_paths.
"""

from tests.generated.segments_paths import Bounds, Engine
from tests.generated.segments_replay import Stage
from tests.generated.stage import Walked

ONE, TWO = Bounds(writers=("p1",)), Bounds()
BOUNDS = {
    "one writer": (ONE, 500, 0.7),
    "two writers": (TWO, 300, 0.04),
}
"""By name: how many steps by day, and what share of all kinds of steps they must be."""

LARGE = {"three slots": Bounds(writers=("p1",), slots=3, numbers=4)}


SOWN = {
    "a writer looks once": ("writable_segment", "exit when open_segment() = present;", "exit;"),
    "a sealed segment is closed though somebody may write": (
        "rotate",
        "and pg_try_advisory_xact_lock('segment'::regclass::oid::int, s.segment)",
        "",
    ),
    "what is running is not carried": (
        "carry",
        "e.segment = carry.segment and e.seq = any(live.entries)",
        "false",
    ),
    "a switch that was broken off is not made up for": (
        "rotate",
        "perform seal(present / 1000);",
        "",
    ),
}

SEGMENTS = Walked(
    stage=Stage,
    portions=Engine,
    by_day=BOUNDS,
    whole={"one writer": ONE} | LARGE,
    sown={name: (ONE, bug) for name, bug in SOWN.items()},
    sown_steps=800,
)
