"""How much of each model the engine's walks are: no model shrinks to what is easy to force.

Owns: the share of a model's steps, within small bounds, that the portions of the engine hold.
Keeps: the share is the one that is written here, so a step that is left out is noticed.
Above: nobody. Below: finish_paths, log_paths, segments_paths, step_paths, walks; awa.lab.

What is missing of Log: what comes between the end of a transaction and the release of its lock, and
claims that read less than they could. Of Segments: a claim and a prune that break off or stop in
their middle. Of Step: who has left is lost no more, and a step takes all that it may.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from awa.lab import tla
from tests.generated import finish_paths, log_paths, segments_paths, step_paths
from tests.generated.finish_walks import LATE, TWO
from tests.generated.segments_walks import ONE
from tests.generated.step_walks import AGAIN
from tests.generated.walks import Paths

Taken = tuple[tla.State, str, tuple[Any, ...]]
Plain = Callable[[tla.State], tla.State]

ROOMS = log_paths.Bounds(txs=1, rooms=(0, 1, 2))
CASES: dict[str, tuple[Any, Any, float]] = {
    "Finish, two workers": (finish_paths, TWO, 1.0),
    "Finish, and the leader": (finish_paths, LATE, 1.0),
    "Log": (log_paths, ROOMS, 0.54),
    "Segments": (segments_paths, ONE, 0.71),
    "Step": (step_paths, AGAIN, 0.98),
}


def of_model(model: tla.Model, plain: Plain) -> set[Taken]:
    """Return all steps of a model."""
    first = [plain(state) for state in model.initial()]
    known, left, steps = set(first), deque(first), set()
    while left:
        state = left.popleft()
        for action, args, after in model.successors(state):
            steps.add((state, action, args))
            if (then := plain(after)) not in known:
                known.add(then)
                left.append(then)
    return steps


def of_engine(model: tla.Model, plain: Plain, paths: Paths[Any]) -> set[Taken]:
    """Return all steps of a model that portions of the engine are made of."""
    steps = set()
    for node, some in paths.steps.items():
        for step in some:
            # A node is a state, or a pair of a state and how far the engine is.
            state = node[0] if len(node) == 2 else node
            for action, args in step.taken:
                steps.add((state, action, args))
                (after,) = model.step(action, args, state)
                state = plain(after)
    return steps


@pytest.mark.parametrize("name", CASES)
def test_so_much_of_the_model_is_in_the_walks(name: str) -> None:
    module, bounds, share = CASES[name]
    engine = module.Engine(bounds)
    plain: Plain = getattr(engine, "plain", lambda state: state)
    steps = of_model(engine.model, plain)
    taken = of_engine(engine.model, plain, engine.paths())
    assert taken <= steps, "the engine does what the model does not"
    assert round(len(taken) / len(steps), 2) == share
