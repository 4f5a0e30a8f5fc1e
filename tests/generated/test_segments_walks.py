"""Segments.tla walked on the engine: who writes where, while the leader rotates and prunes.

Owns: which bounds are walked, how much of them, and the bugs that a walk must find.
Keeps: what share of all kinds of steps was taken is asserted, so none is left out unseen.
Above: nobody. Below: segments_paths, segments_replay.

By day some walks of small bounds, by night all of them and of a larger one. What is not forced is
said in segments_paths.
"""

import pytest

from tests.generated.segments_paths import Bounds, Engine
from tests.generated.segments_replay import Stage
from tests.rig import Rig

ONE, TWO = Bounds(writers=("p1",)), Bounds()
BOUNDS = {
    "one writer": (ONE, 500, 0.7),
    "two writers": (TWO, 300, 0.04),
}
"""By name: how many steps by day, and what share of all kinds of steps they must be."""

LARGE = {"three slots": Bounds(writers=("p1",), slots=3, numbers=4)}


@pytest.mark.parametrize("name", BOUNDS)
async def test_interleavings_are_as_the_model_says(rig: Rig, name: str) -> None:
    bounds, steps_max, share = BOUNDS[name]
    stage = Stage(rig, Engine(bounds))
    await stage.open()
    kinds, _ = await stage.engine.paths().replay(stage.walk, steps_max)
    assert kinds >= share, f"only {kinds:.0%} of all kinds of steps were taken"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", ["one writer", *LARGE])
async def test_all_interleavings_are_as_the_model_says(rig: Rig, name: str) -> None:
    bounds = LARGE[name] if name in LARGE else BOUNDS[name][0]
    stage = Stage(rig, Engine(bounds))
    await stage.open()
    assert await stage.engine.paths().replay(stage.walk, float("inf")) == (1, 1)


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


@pytest.mark.unjudged("a bug is sown")
@pytest.mark.parametrize("name", SOWN)
async def test_a_sown_bug_is_found(rig: Rig, name: str) -> None:
    stage = Stage(rig, Engine(ONE))
    await stage.open(SOWN[name])
    with pytest.raises(AssertionError):
        await stage.engine.paths().replay(stage.walk, 800)
