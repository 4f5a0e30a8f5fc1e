"""A story: the life of one thing, with the events that its steps come from.

Owns: the form in which projections hand lives on, and the names that make like ones equal.
Keeps: a step knows its event, so that what is wrong with a life can be told of a trace.
Above: the projections, check. Below: life, trace, tla.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cache, lru_cache

from awa.lab.life import Claims, Life, State, Step
from awa.lab.tla.values import Value
from awa.lab.trace import Event

__all__ = ["Hands", "Names", "Story", "Telling", "rounded", "span"]


@dataclass(frozen=True, slots=True)
class Story:
    """One life, of what, and the event of each of its steps."""

    life: Life
    of: str
    events: tuple[Event, ...]


@dataclass(slots=True)
class Telling:
    """A story that is being told."""

    of: str
    steps: list[Step] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def add(self, event: Event, action: str, *args: Value, after: Claims = ()) -> None:
        """Add the next step."""
        self.steps.append(_step(action, args, after))
        self.events.append(event)

    def story(self, model: str, constants: State, start: State | None = None) -> Story:
        """Return what was told."""
        return Story(Life(model, constants, tuple(self.steps), start), self.of, tuple(self.events))


@dataclass(slots=True)
class Names:
    """Names in the order in which things are met: w1, w2, ..."""

    letter: str
    given: dict[Hashable, str] = field(default_factory=dict)

    def __getitem__(self, thing: Hashable) -> str:
        return self.given.setdefault(thing, f"{self.letter}{len(self.given) + 1}")

    def upto(self, sizes: tuple[int, ...]) -> frozenset[Value]:
        """Return the names given, and as many more as make one of these sizes."""
        return _names(self.letter, rounded(len(self.given), sizes))


@dataclass(slots=True)
class Hands:
    """Names of those at work; whoever is done hands its name on: l1, l2, ..."""

    letter: str
    at_work: dict[Hashable, str] = field(default_factory=dict)
    most: int = 1
    """The greatest number of those at work together."""

    def take(self, thing: Hashable) -> str:
        """Give the first free name to what is begun."""
        free = (f"{self.letter}{n + 1}" for n in range(len(self.at_work) + 1))
        name = next(one for one in free if one not in self.at_work.values())
        self.at_work[thing] = name
        self.most = max(self.most, len(self.at_work))
        return name

    def upto(self, sizes: tuple[int, ...]) -> frozenset[Value]:
        """Return the names given, and as many more as make one of these sizes."""
        return _names(self.letter, rounded(self.most, sizes))


@lru_cache(1 << 14)
def _step(action: str, args: tuple[Value, ...], after: Claims) -> Step:
    """Return a step: one for all the lives that have it."""
    return Step(action, args, after)


@cache
def _names(letter: str, size: int) -> frozenset[Value]:
    """Return so many names: one set for all the lives that have it."""
    return frozenset(f"{letter}{n + 1}" for n in range(size))


@cache
def span(first: int, last: int) -> frozenset[int]:
    """Return the numbers from first to last: one set for all the lives that have it."""
    return frozenset(range(first, last + 1))


def rounded(count: int, sizes: tuple[int, ...]) -> int:
    """Return the least of the sizes that is enough; lives of few sizes are judged together."""
    return next((size for size in sizes if size >= count), count)
