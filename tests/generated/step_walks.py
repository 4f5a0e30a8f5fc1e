"""How Step.tla is walked on the engine: answers and workers are lost, and what is open is asked.

Owns: which bounds are walked, how much of them, and the bugs that a walk must find.
Keeps: a bug is a piece of a verb's own text, put differently.
Above: test_walks. Below: step_paths, step_replay, stage.

By day some walks of small bounds, by night all of them. What is not forced is said in step_paths.
"""

import pytest

from tests.generated.stage import Walked
from tests.generated.step_paths import Bounds, Engine
from tests.generated.step_replay import Stage

ONE, AGAIN = Bounds(ids=1), Bounds(conns=1)
BOUNDS = {
    "a connection that breaks": (ONE, 800, 0.45),
    "a worker that is lost": (AGAIN, 800, 0.65),
}
"""By name: how many steps by day, and what share of all kinds of steps they must be."""


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

STEP = Walked(
    stage=Stage,
    portions=Engine,
    by_day=BOUNDS,
    whole={name: bounds for name, (bounds, *_) in BOUNDS.items()},
    sown=SOWN,
    sown_steps=800,
    found=(AssertionError, pytest.fail.Exception),
)
