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

    def deeds(self) -> set[str]:
        """Return the names of all deeds."""
        return {step.deed[0] for steps in self.steps.values() for step in steps}

    def walks(self) -> Iterator[list[Step[N]]]:
        """Return walks from the first node, until no step is left that was not taken."""
        left = {node: list(steps) for node, steps in self.steps.items()}
        counts: Counter[str] = Counter()
        while True:
            walk: list[Step[N]] = []
            node = self.first
            while way := self._way(node, left, counts):
                walk += way
                last = way[-1]
                left[way[-2].target if len(way) > 1 else node].remove(last)
                counts[last.deed[0]] += 1
                node = last.target
            if not walk:
                return
            yield walk

    async def replay(
        self, walk: Callable[[list[Step[N]]], Awaitable[None]], steps_max: float
    ) -> float:
        """Take walks until that many steps are taken; return the share of all different ones."""
        taken: set[Step[N]] = set()
        count = 0
        for whole in self.walks():
            way = whole if count + len(whole) <= steps_max else whole[: int(steps_max - count)]
            await walk(way)
            count += len(way)
            taken.update(way)
            if count >= steps_max:
                break
        left = self.deeds() - {step.deed[0] for step in taken}
        assert not left, f"no walk has {left}"
        return len(taken) / sum(map(len, self.steps.values()))

    def _way(self, node: N, left: dict[N, list[Step[N]]], counts: Counter[str]) -> list[Step[N]]:
        """Return a way to a step that was not taken, with that step; none if there is none.

        It is a short way, and to a step of a kind that was taken least.
        """
        best: tuple[int, N, Step[N]] | None = None
        came: dict[N, tuple[N, Step[N]] | None] = {node: None}
        for far, here in self._around(node, came):
            if best and far > FAR_MAX:
                break
            for step in left[here]:
                if best is None or counts[step.deed[0]] < best[0]:
                    best = (counts[step.deed[0]], here, step)
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
