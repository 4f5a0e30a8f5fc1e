"""Coverage: how much of the models real runs have shown.

Owns: what is counted: the actions of each model, and the ways of a job from place to place.
Keeps: only steps that a judge has walked count. What is allowed and was never shown is named.
Above: spec/coverage.py, the tests. Below: life, monitor, tla, tlc.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from awa.lab.monitor import Monitor
from awa.lab.tla import explore, load_cfg

__all__ = ["Coverage", "ways_of"]

JOB_CONFIGS = ("MCQueueLife", "MCQueueIntake")
"""Configurations of one job: together they allow every way that it can go."""

Way = tuple[str, str, str]
"""From where a job goes, by which action, to where."""


@dataclass(slots=True)
class Coverage:
    """What was walked: how often each action of a model was taken, and each way of a job."""

    actions: dict[str, dict[str, int]] = field(default_factory=dict)
    ways: set[Way] = field(default_factory=set)

    @classmethod
    def of(cls, monitor: Monitor) -> "Coverage":
        """Return what a monitor has walked."""
        made = cls()
        for name, state, step, found, court in monitor.walked():
            taken = made.actions.setdefault(name, {})
            taken[step.action] = taken.get(step.action, 0) + 1
            if name == "Queue":
                here = court.value('Where("j")', state)
                made.ways |= {
                    way
                    for one in found
                    if _goes(way := (here, step.action, court.value('Where("j")', one)))
                }
        return made

    def add(self, other: "Coverage") -> None:
        """Take in what another has walked."""
        for model, taken in other.actions.items():
            mine = self.actions.setdefault(model, {})
            for action, count in taken.items():
                mine[action] = mine.get(action, 0) + count
        self.ways |= other.ways

    def dump(self) -> bytes:
        """Return it as JSON."""
        data = {"actions": self.actions, "ways": sorted(self.ways)}
        return orjson.dumps(data, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)

    @classmethod
    def load(cls, text: bytes) -> "Coverage":
        """Read what was dumped."""
        data: Mapping[str, Any] = orjson.loads(text)
        return cls(data["actions"], {(one, by, two) for one, by, two in data["ways"]})


def ways_of(folder: Path, configs: Iterable[str] = JOB_CONFIGS) -> set[Way]:
    """Return every way of a job that the model allows within these bounds."""
    ways: set[Way] = set()
    for config in configs:
        model = load_cfg(folder / "Queue.tla", folder / f"{config}.cfg")
        graph = explore(model)
        places = [model.value('Where("j1")', state) for state in graph.states]
        found = ((places[edge.source], edge.action, places[edge.target]) for edge in graph.edges)
        ways |= {way for way in found if _goes(way)}
    return ways


def _goes(way: Way) -> bool:
    """Return whether this is a way of the job: that some worker is lost is none."""
    here, action, there = way
    return action != "Lose" or here != there
