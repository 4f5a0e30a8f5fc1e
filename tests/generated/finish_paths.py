"""Which steps of Finish.tla the engine takes, and in what portions.

Owns: how the statements of a finish, and of an ending from outside, read as steps of Finish.
Keeps: every portion is steps of the model, each allowed where it is taken; or none, where a call
    comes to wait for somebody's transaction.
Above: finish_replay. Below: stage, walks; awa.lab.

What cannot be forced: that two wait for the same transaction and one of them is woken first (two
connections are enough for each pair). The claim stays where it is (no Carry).
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from awa.lab import tla, tlc
from tests.generated.stage import Portions, Taken
from tests.generated.walks import Paths, Step

Node = tuple[tla.State, tuple[bool, ...]]
"""A state of Finish, and which connections wait for another's transaction."""

Batch = frozenset[int]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of Finish, as far as they differ."""

    workers: tuple[str, ...] = ("w1", "w2")
    outside: tuple[str, ...] = ("leader",)
    seqs: tuple[int, ...] = (1, 2, 3)
    batches: tuple[Batch, ...] = (frozenset({1, 2}), frozenset({2, 3}))
    failing: Batch = frozenset({2})
    conns: tuple[str, ...] = ("c1", "c2")

    def load(self) -> tla.Model:
        """Load the model."""
        constants: dict[str, tla.Value] = {
            "Workers": frozenset(self.workers),
            "Outside": frozenset(self.outside),
            "Conns": frozenset(self.conns),
            "Long": frozenset(),
            "Seqs": frozenset(self.seqs),
            "Claimed": frozenset({1, 2}),
            "Batches": frozenset(self.batches),
            "Failing": self.failing,
            "Segments": frozenset({1}),
        }
        return tla.load(tlc.spec_folder() / "Finish.tla", constants)


class Engine(Portions[Node]):
    """The engine as a part of the model."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(bounds.load())
        self.bounds = bounds
        self.numbers = range(1, len(bounds.seqs) + 2)
        self.ended = [
            frozenset(s for nth, s in enumerate(bounds.seqs) if bits >> nth & 1)
            for bits in range(1, 2 ** len(bounds.seqs))
        ]

    def paths(self) -> Paths[Node]:
        """Return all that can happen."""
        (first,) = self.model.initial()
        return Paths.explore((first, (False,) * len(self.bounds.conns)), self.steps, self.like)

    def like(self, node: Node) -> Hashable:
        """Return how far each connection is, and who has ended something."""
        state, waits = node
        work = [self.var(state, "work")[c] for c in self.bounds.conns]
        wrote = [bool(one["wrote"]) for one in work]
        return self.var(state, "holder"), waits, *(one["at"] for one in work), *wrote

    def steps(self, node: Node) -> Iterator[Step[Node]]:
        """Return what can happen next."""
        state, waits = node
        for w in self.bounds.workers:
            taken: Taken = (("Claim", (w, 1)),)
            after = self.take(state, taken)
            if after is not None:
                yield Step(("Claim", w), taken, (after, waits))
        for n, c in enumerate(self.bounds.conns):
            for deed, taken, is_waiting in self._of(node, n, c):
                after = self.take(state, taken)
                if after is not None:
                    now = (*waits[:n], is_waiting, *waits[n + 1 :])
                    yield from self._woken(Step(deed, taken, (after, now)), n)

    def _of(self, node: Node, n: int, c: str) -> Iterable[tuple[tuple[Any, ...], Taken, bool]]:
        """Return what a connection may do next: its deed, the model's steps, and if it waits."""
        state, waits = node
        at = self.var(state, "work")[c]["at"]
        if at != "append":
            for by, seqs, failed in self._asks():
                yield ("Ask", c, by, seqs, failed), (("Ask", (c, by, seqs, failed)),), False
            yield ("Commit", c), (("Commit", (c,)),), False
        yield ("Rollback", c), (("Rollback", (c,)),), False
        if at == "append" and not waits[n]:
            answer = self.answer(state, c)
            is_waiting = answer == ()
            yield (answer[0][0] if answer else "Wait", c), answer, is_waiting

    def _asks(self) -> Iterator[tuple[str, Batch, Batch]]:
        for seqs in self.bounds.batches:
            for w in self.bounds.workers:
                yield w, seqs, seqs & self.bounds.failing
            for by in self.bounds.outside:
                yield by, seqs, seqs

    def answer(self, state: tla.State, c: str) -> Taken:
        """Return what comes of a call that goes on: nothing, if it must wait."""
        by = self.var(state, "work")[c]["by"]
        action = "Complete" if by in self.bounds.workers else "EndOpen"
        ways: list[Taken] = [(("Refuse", (c,)),), (("Lose", (c,)),)]
        ways += [((action, (by, c, k, e)),) for k in self.numbers for e in self.ended]
        # The leader gives up only where it has something to wait for.
        ways += [(("GiveUp", (c,)),)]
        return next((way for way in ways if self.take(state, way) is not None), ())

    def _woken(self, step: Step[Node], n: int) -> Iterator[Step[Node]]:
        """Return a step, with what comes at once of somebody who waited for it."""
        state, waits = step.target
        taken = step.taken
        for other, c in enumerate(self.bounds.conns):
            if other != n and waits[other] and step.deed[0] in ("Commit", "Rollback"):
                answer = self.answer(state, c)
                after = self.take(state, answer)
                assert answer and after is not None, "it waits for nobody"
                # A loser reads again, and stops after that.
                state, taken = after, taken + answer
                waits = (*waits[:other], False, *waits[other + 1 :])
        yield Step(step.deed, taken, (state, waits))
