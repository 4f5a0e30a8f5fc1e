"""The models walked on the engine: each interleaving is forced, and not waited for.

Owns: that the walks of each model are taken, by day some of them and by night all.
Keeps: what share of all kinds of steps was taken is asserted, so none is left out unseen.
Above: nobody. Below: finish_walks, log_walks, segments_walks, stage, step_walks.
"""

from collections.abc import Callable, Iterable

import pytest

from tests.generated.finish_walks import FINISH
from tests.generated.log_walks import LOG
from tests.generated.segments_walks import SEGMENTS
from tests.generated.stage import Walked
from tests.generated.step_walks import STEP
from tests.rig import Rig

MODELS = {"Finish": FINISH, "Log": LOG, "Segments": SEGMENTS, "Step": STEP}


def cases(names: Callable[[Walked], Iterable[str]]) -> pytest.MarkDecorator:
    """Take all models, and of each what has these names."""
    pairs = [(model, name) for model, walked in MODELS.items() for name in names(walked)]
    return pytest.mark.parametrize(("model", "name"), pairs)


@cases(lambda walked: walked.by_day)
async def test_interleavings_are_as_the_model_says(rig: Rig, model: str, name: str) -> None:
    walked = MODELS[model]
    bounds, steps_max, share = walked.by_day[name]
    stage = walked.on(rig, bounds)
    await stage.open()
    kinds, _ = await stage.replay(steps_max)
    assert kinds >= share, f"only {kinds:.0%} of all kinds of steps were taken"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@cases(lambda walked: walked.whole)
async def test_all_interleavings_are_as_the_model_says(rig: Rig, model: str, name: str) -> None:
    stage = MODELS[model].on(rig, MODELS[model].whole[name])
    await stage.open()
    assert await stage.replay(float("inf")) == (1, 1)


@pytest.mark.unjudged("a bug is sown")
@cases(lambda walked: walked.sown)
async def test_a_sown_bug_is_found(rig: Rig, model: str, name: str) -> None:
    walked = MODELS[model]
    bounds, bug = walked.sown[name]
    stage = walked.on(rig, bounds)
    await stage.open(bug)
    with pytest.raises(walked.found):
        await stage.replay(walked.sown_steps)
