"""Coverage: how much of the models real runs have shown.

Owns: what is counted: the actions of each model, the ways of a job from place to place, and the
    witnesses, which are facts that some run has to refute.
Keeps: only steps that a judge has walked count. What is allowed and was never shown is named.
Above: spec/coverage.py, the tests. Below: monitor, tla.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from awa.lab.monitor import Monitor
from awa.lab.tla import Model, explore

__all__ = ["JOB", "Coverage", "Way", "ways_of"]

JOB = "Queue"
"""The model that says which ways a job may go."""

Way = tuple[str, str, str]
"""From where a job goes, by which action, to where."""


@dataclass(slots=True)
class Coverage:
    """What was walked: the actions and witnesses of each model, and the ways of a job."""

    actions: dict[str, set[str]] = field(default_factory=dict)
    witnesses: dict[str, set[str]] = field(default_factory=dict)
    ways: set[Way] = field(default_factory=set)

    @classmethod
    def of(cls, monitor: Monitor, wanted: Mapping[str, Sequence[str]]) -> "Coverage":
        """Return what a monitor has walked; `wanted` are the witnesses of each model."""
        made = cls()
        for name, state, step, found, model in monitor.walked():
            made.actions.setdefault(name, set()).add(step.action)
            seen = made.witnesses.setdefault(name, set())
            left = [one for one in wanted.get(name, ()) if one not in seen]
            seen |= {one for one in left if not all(model.holds(one, after) for after in found)}
            if name == JOB:
                here = model.value('Where("j")', state)
                ways = ((here, step.action, model.value('Where("j")', one)) for one in found)
                made.ways |= {way for way in ways if _goes(way)}
        return made

    def add(self, other: "Coverage") -> None:
        """Take in what another has walked."""
        for mine, theirs in ((self.actions, other.actions), (self.witnesses, other.witnesses)):
            for model, names in theirs.items():
                mine.setdefault(model, set()).update(names)
        self.ways |= other.ways

    def dump(self) -> bytes:
        """Return it as JSON."""
        data = {
            "actions": {model: sorted(names) for model, names in self.actions.items()},
            "witnesses": {model: sorted(names) for model, names in self.witnesses.items()},
            "ways": sorted(self.ways),
        }
        return orjson.dumps(data, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)

    @classmethod
    def load(cls, text: bytes) -> "Coverage":
        """Read what was dumped."""
        data: Mapping[str, Any] = orjson.loads(text)
        return cls(
            {model: set(names) for model, names in data["actions"].items()},
            {model: set(names) for model, names in data["witnesses"].items()},
            {(one, by, two) for one, by, two in data["ways"]},
        )


def ways_of(models: Iterable[Model]) -> set[Way]:
    """Return every way of a job that is allowed in models of one job, j1."""
    ways: set[Way] = set()
    for model in models:
        graph = explore(model)
        places = [model.value('Where("j1")', state) for state in graph.states]
        found = ((places[edge.source], edge.action, places[edge.target]) for edge in graph.edges)
        ways |= {way for way in found if _goes(way)}
    return ways


def _goes(way: Way) -> bool:
    """Return whether this is a way of the job: that some worker is lost is none."""
    here, action, there = way
    return action != "Lose" or here != there
