"""Step.tla walked on the engine: answers are lost, workers too, and what is open is asked for.

Owns: which bounds are walked, how much of them, and the bugs that a walk must find.
Keeps: what share of all kinds of steps was taken is asserted, so none is left out unseen.
Above: nobody. Below: step_paths, step_replay.

By day some walks of small bounds, by night all of them. What is not forced is said in step_paths.
"""

import pytest

from tests.generated.step_paths import Bounds, Engine
from tests.generated.step_replay import Stage
from tests.rig import Rig

ONE, AGAIN = Bounds(ids=1), Bounds(conns=1)
BOUNDS = {
    "a connection that breaks": (ONE, 800, 0.45),
    "a worker that is lost": (AGAIN, 800, 0.65),
}
"""By name: how many steps by day, and what share of all kinds of steps they must be."""


@pytest.mark.parametrize("name", BOUNDS)
async def test_interleavings_are_as_the_model_says(rig: Rig, name: str) -> None:
    bounds, steps_max, share = BOUNDS[name]
    stage = Stage(rig, Engine(bounds))
    await stage.open()
    kinds, _ = await stage.engine.paths().replay(stage.walk, steps_max)
    assert kinds >= share, f"only {kinds:.0%} of all kinds of steps were taken"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", BOUNDS)
async def test_all_interleavings_are_as_the_model_says(rig: Rig, name: str) -> None:
    stage = Stage(rig, Engine(BOUNDS[name][0]))
    await stage.open()
    assert await stage.engine.paths().replay(stage.walk, float("inf")) == (1, 1)


SOWN = {
    "what was sent before the question begins after it": (
        ONE,
        ("step", "if asked > step.connection then", "if false then"),
    ),
    "who asks is not told all": (
        ONE,
        (
            "open_entries",
            "from open_claims(open_entries.worker) o, unnest(o.seqs) r",
            "from open_claims(-1) o, unnest(o.seqs) r",
        ),
    ),
    "the lost are given something": (
        AGAIN,
        ("step", "if alive is not true then", "if false then"),
    ),
}


@pytest.mark.unjudged("a bug is sown")
@pytest.mark.parametrize("name", SOWN)
async def test_a_sown_bug_is_found(rig: Rig, name: str) -> None:
    bounds, bug = SOWN[name]
    stage = Stage(rig, Engine(bounds))
    await stage.open(bug)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await stage.engine.paths().replay(stage.walk, 800)
