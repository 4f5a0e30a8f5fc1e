"""Walks that take every step of a graph at least once.

Owns: what a graph of nodes and labelled steps is here, and how its steps are put into walks. A
    walk takes what is left first, so that a few of them show the most.
Keeps: a walk begins at the first node and takes steps of the graph only; the same graph has the
    same walks. Every step that can be taken is in one of them.
Above: the replays. Below: the standard library only.
"""

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

N = TypeVar("N", bound=Hashable)

FAR_MAX = 6
"""How far a walk goes for a step of a rare kind, when one of another is nearer."""


@dataclass(frozen=True, slots=True, eq=False)
class Step(Generic[N]):
    """A step of the engine: who does what, the model's steps that it is, and where it leads."""

    deed: tuple[Any, ...]
    taken: tuple[tuple[str, tuple[Any, ...]], ...]
    target: N


@dataclass(slots=True)
class Paths(Generic[N]):
    """A graph, all of it."""

    first: N
    like: Callable[[N], Hashable]
    """What of a node tells steps of one kind from those of another."""

    steps: dict[N, list[Step[N]]] = field(default_factory=dict)

    @classmethod
    def explore(
        cls, first: N, steps: Callable[[N], Iterable[Step[N]]], like: Callable[[N], Hashable]
    ) -> "Paths[N]":
        """Go through all nodes, breadth first."""
        made = cls(first, like)
        found = deque([first])
        while found:
            node = found.popleft()
            if node not in made.steps:
                made.steps[node] = list(steps(node))
                found.extend(step.target for step in made.steps[node])
        return made

    def kind(self, node: N, step: Step[N]) -> Hashable:
        """Return what kind of step it is: who does what, and how the others stand."""
        return step.deed, self.like(node)

    def walks(self) -> Iterator[list[Step[N]]]:
        """Return walks from the first node, until no step is left that was not taken."""
        left = {node: list(steps) for node, steps in self.steps.items()}
        counts: Counter[Hashable] = Counter()
        while True:
            walk: list[Step[N]] = []
            node = self.first
            while way := self._way(node, left, counts):
                walk += way
                for step in way:
                    if step in left[node]:
                        left[node].remove(step)
                    counts[self.kind(node, step)] += 1
                    node = step.target
            if not walk:
                return
            yield walk

    async def replay(
        self, walk: Callable[[list[Step[N]]], Awaitable[None]], steps_max: float
    ) -> tuple[float, float]:
        """Take walks until that many steps are taken; return the shares of all kinds and steps."""
        taken: set[Step[N]] = set()
        kinds: set[Hashable] = set()
        count = 0
        for whole in self.walks():
            way = whole if count + len(whole) <= steps_max else whole[: int(steps_max - count)]
            await walk(way)
            count += len(way)
            node = self.first
            for step in way:
                taken.add(step)
                kinds.add(self.kind(node, step))
                node = step.target
            if count >= steps_max:
                break
        all_kinds = {self.kind(node, step) for node, some in self.steps.items() for step in some}
        return len(kinds) / len(all_kinds), len(taken) / sum(map(len, self.steps.values()))

    def _way(
        self, node: N, left: dict[N, list[Step[N]]], counts: Counter[Hashable]
    ) -> list[Step[N]]:
        """Return a way to a step that was not taken, with that step; none if there is none.

        It is a short way, and to a step of a kind that was taken least.
        """
        best: tuple[int, N, Step[N]] | None = None
        came: dict[N, tuple[N, Step[N]] | None] = {node: None}
        for far, here in self._around(node, came):
            if best and far > FAR_MAX:
                break
            for step in left[here]:
                count = counts[self.kind(here, step)]
                if best is None or count < best[0]:
                    best = (count, here, step)
        if best is None:
            return []
        way = [best[2]]
        before = came[best[1]]
        while before is not None:
            way.append(before[1])
            before = came[before[0]]
        return way[::-1]

    def _around(self, node: N, came: dict[N, tuple[N, Step[N]] | None]) -> Iterator[tuple[int, N]]:
        """Return the nodes around one, the near first; `came` tells how each was reached."""
        found = deque([(0, node)])
        while found:
            far, here = found.popleft()
            yield far, here
            for step in self.steps[here]:
                if step.target not in came:
                    came[step.target] = (here, step)
                    found.append((far + 1, step.target))
