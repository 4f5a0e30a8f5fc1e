"""Shrink: the least of a life that still leads to the step that cannot be.

Owns: which steps of an illegal life may be left out.
Keeps: what is left is refused at its last step for the same reason, and everything before is legal.
Above: check. Below: judge, life, monitor.
"""

from dataclasses import replace

from awa.lab.judge import Verdict
from awa.lab.life import Life
from awa.lab.monitor import Monitor

__all__ = ["shrink"]

STEPS_MAX = 400
"""A longer life is told as it is: leaving steps out one by one takes a square of its length."""


def shrink(life: Life, verdict: Verdict, monitor: Monitor) -> list[int]:
    """Return the places of the steps that are enough, the illegal one at the end."""
    illegal = verdict.step
    assert illegal is not None, "a life that is refused where it starts has no steps to leave out"
    kept = list(range(illegal + 1))
    (wanted,) = monitor.judge([life])
    if len(kept) > STEPS_MAX:
        return kept
    for place in reversed(kept[:-1]):
        fewer = [one for one in kept if one != place]
        steps = tuple(life.steps[one] for one in fewer)
        (found,) = monitor.judge([replace(life, steps=steps, end=None)])
        if (found.step, found.reason) == (len(fewer) - 1, wanted.reason):
            kept = fewer
    return kept
