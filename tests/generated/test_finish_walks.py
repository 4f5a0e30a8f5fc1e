"""Finish.tla walked on the engine: who ends an entry, in each order and each wait.

Owns: which bounds are walked, how much of them, and the bugs that a walk must find.
Keeps: what share of all kinds of steps was taken is asserted, so none is left out unseen.
Above: nobody. Below: finish_paths, finish_replay.

By day some walks of small bounds, by night all of them and of a larger one. What cannot be forced
is said in finish_paths.
"""

import pytest

from tests.generated.finish_paths import Bounds, Engine
from tests.generated.finish_replay import Stage
from tests.rig import Rig

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


@pytest.mark.parametrize("name", BOUNDS)
async def test_interleavings_are_as_the_model_says(rig: Rig, name: str) -> None:
    bounds, steps_max, share = BOUNDS[name]
    stage = Stage(rig, Engine(bounds))
    await stage.open()
    kinds, _ = await stage.engine.paths().replay(stage.walk, steps_max)
    assert kinds >= share, f"only {kinds:.0%} of all kinds of steps were taken"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [*BOUNDS, *LARGE])
async def test_all_interleavings_are_as_the_model_says(rig: Rig, name: str) -> None:
    bounds = LARGE[name] if name in LARGE else BOUNDS[name][0]
    stage = Stage(rig, Engine(bounds))
    await stage.open()
    assert await stage.engine.paths().replay(stage.walk, float("inf")) == (1, 1)


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


@pytest.mark.unjudged("a bug is sown")
@pytest.mark.parametrize("name", SOWN)
async def test_a_sown_bug_is_found(rig: Rig, name: str) -> None:
    bounds, bug = SOWN[name]
    stage = Stage(rig, Engine(bounds))
    await stage.open(bug)
    with pytest.raises(AssertionError):
        await stage.engine.paths().replay(stage.walk, 850)
