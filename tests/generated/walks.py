"""Walks that take every step of a graph at least once.

Owns: what a graph of nodes and labelled steps is here, and how its steps are put into walks. A
    walk takes what is left first, so that a few of them show the most.
Keeps: a walk begins at the first node and takes steps of the graph only; the same graph has the
    same walks. Every step that can be taken is in one of them.
Above: the replays. Below: the standard library only.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

N = TypeVar("N", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Step(Generic[N]):
    """A step of the engine: who does what, the model's steps that it is, and where it leads."""

    deed: tuple[Any, ...]
    taken: tuple[tuple[str, tuple[Any, ...]], ...]
    target: N


@dataclass(slots=True)
class Paths(Generic[N]):
    """A graph, all of it."""

    first: N
    steps: dict[N, list[Step[N]]] = field(default_factory=dict)

    @classmethod
    def explore(cls, first: N, steps: Callable[[N], Iterable[Step[N]]]) -> "Paths[N]":
        """Go through all nodes, breadth first."""
        made = cls(first)
        found = deque([first])
        while found:
            node = found.popleft()
            if node not in made.steps:
                made.steps[node] = list(steps(node))
                found.extend(step.target for step in made.steps[node])
        return made

    def walks(self) -> Iterator[list[Step[N]]]:
        """Return walks from the first node, until no step is left that was not taken."""
        left = {node: deque(range(len(steps))) for node, steps in self.steps.items()}
        while True:
            walk: list[Step[N]] = []
            node = self.first
            while way := self._way(node, left):
                walk += way
                last = way[-1]
                came = way[-2].target if len(way) > 1 else node
                left[came].remove(self.steps[came].index(last))
                node = last.target
            if not walk:
                return
            yield walk

    async def replay(
        self, walk: Callable[[list[Step[N]]], Awaitable[None]], steps_max: float
    ) -> float:
        """Take walks until that many steps are taken; return the share of all different ones."""
        taken, count = set(), 0
        for way in self.walks():
            await walk(way)
            count += len(way)
            taken |= {id(step) for step in way}
            if count >= steps_max:
                break
        return len(taken) / sum(map(len, self.steps.values()))

    def _way(self, node: N, left: dict[N, deque[int]]) -> list[Step[N]]:
        """Return the shortest way to a step that was not taken, with that step; none if none is."""
        came: dict[N, tuple[N, Step[N]] | None] = {node: None}
        found = deque([node])
        while found:
            here = found.popleft()
            if left[here]:
                way = [self.steps[here][left[here][0]]]
                while (before := came[here]) is not None:
                    here = before[0]
                    way.append(before[1])
                return way[::-1]
            for step in self.steps[here]:
                if step.target not in came:
                    came[step.target] = (here, step)
                    found.append(step.target)
        return []
