"""Log.tla walked on the engine: each interleaving of the model is forced, and not waited for.

Owns: which bounds are walked, how much of them, and the bugs that a walk must find.
Keeps: what share of all kinds of steps was taken is asserted, so none is left out unseen.
Above: nobody. Below: log_paths, log_replay.

By day some walks of small bounds, by night all of them and of larger ones. What cannot be forced is
said in log_paths.
"""

import pytest

from tests.generated.log_paths import Bounds, Engine
from tests.generated.log_replay import Stage
from tests.rig import Rig

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


@pytest.mark.unjudged("a bug is sown")
@pytest.mark.parametrize("name", SOWN)
async def test_a_sown_bug_is_found(rig: Rig, name: str) -> None:
    bounds, bug = SOWN[name]
    stage = Stage(rig, Engine(bounds))
    await stage.open(bug)
    with pytest.raises(AssertionError):
        await stage.engine.paths().replay(stage.walk, 1_000)
