"""Which steps of Segments.tla the engine takes, and in what portions.

Owns: how the statements of writers and of a rotation, and whole claims, finishes and prunes, read
    as steps of Segments.
Keeps: every portion is steps of the model, each allowed where it is taken.
Above: segments_replay. Below: stage, walks; awa.lab.

What is not forced: a claim or a finish that is at work while one prunes (they are whole here). All
partitions are there from the start.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from awa.lab import tla, tlc
from tests.generated.stage import Portions, Taken
from tests.generated.walks import Paths, Step

Node = tuple[tla.State, bool]
"""A state of Segments, and whether a rotation has switched and not ended yet."""

READER, PRUNER = "c1", "l1"
WRITES = ("Begin", "LookAtOpen", "LockSegment", "LookAgain", "Enqueue", "Commit", "Rollback")


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of Segments."""

    writers: tuple[str, ...] = ("p1", "p2")
    slots: int = 2
    numbers: int = 3

    def load(self) -> tla.Model:
        """Load the model."""
        slots = frozenset(range(1, self.slots + 1))
        constants: dict[str, tla.Value] = {
            "Slots": slots,
            "Made": slots,
            "Writers": frozenset(self.writers),
            "Readers": frozenset({READER}),
            "Pruners": frozenset({PRUNER}),
            "MaxNumber": self.numbers,
        }
        return tla.load(tlc.spec_folder() / "Segments.tla", constants)


class Engine(Portions[Node]):
    """The engine as a part of the model."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(bounds.load())
        self.bounds = bounds
        self.slots = range(1, bounds.slots + 1)

    def paths(self) -> Paths[Node]:
        """Return all that can happen."""
        (first,) = self.model.initial()
        return Paths.explore((first, False), self.steps, self.like)

    def like(self, node: Node) -> Hashable:
        """Return how far each writer is, and each segment."""
        state, is_switching = node
        write, segments = self.var(state, "write"), self.var(state, "segment")
        chosen = [self.var(state, "row")[w]["is"] for w in self.bounds.writers]
        ats = [write[w]["at"] for w in self.bounds.writers]
        return is_switching, *ats, *chosen, *(one["is"] for one in segments)

    def steps(self, node: Node) -> Iterator[Step[Node]]:
        """Return what can happen next."""
        state, is_switching = node
        for w in self.bounds.writers:
            for action in WRITES:
                yield from self._step(state, (action, w), ((action, (w,)),), is_switching)
            for s in self.slots:
                taken: Taken = (("Read", (READER, s, frozenset({w}))), ("Claim", (READER,)))
                yield from self._step(state, ("Claim", w), taken, is_switching)
            args = (READER, w)[-len(self.model.actions["Complete"]) :]
            yield from self._step(state, ("Complete", w), (("Complete", args),), is_switching)
        if is_switching:
            seal = (("Seal", (self._unsealed(state),)),)
            yield from self._step(state, ("Seal",), seal, False)
            yield Step(("Break",), (), (state, False))
        else:
            yield from self._rotated(state)
            # A rotation that has noted nothing yet is in nobody's way; one that seals is.
            yield from self._pruned(state)

    def _step(
        self, state: tla.State, deed: tuple[Any, ...], taken: Taken, is_switching: bool
    ) -> Iterator[Step[Node]]:
        after = self.take(state, taken)
        if after is not None:
            yield Step(deed, taken, (after, is_switching))

    def _unsealed(self, state: tla.State) -> int:
        """Return which slot is to be sealed; 0 if none is."""
        return next((s for s in self.slots if self.take(state, (("Seal", (s,)),))), 0)

    def _rotated(self, state: tla.State) -> Iterator[Step[Node]]:
        """Return the next step of a rotation: to close comes first, then to switch, then to open.

        Where it may do neither of the first two it is asked as well, and is to find nothing to do.
        """
        segments = self.var(state, "segment")
        by_number = sorted(self.slots, key=lambda s: segments[s - 1]["number"])
        for action in ("Close", "Switch"):
            for s in by_number:
                if self.take(state, ((action, (s,)),)):
                    yield from self._step(state, (action,), ((action, (s,)),), action == "Switch")
                    return
        # A switch whose transaction was broken off is made up for first.
        late = self._unsealed(state)
        taken: Taken = (("Seal", (late,)),) if late else ()
        yield from self._step(state, ("Rest",), taken, False)
        for s in self.slots:
            whole = (*taken, ("Open", (s,)))
            if self.take(state, whole):
                yield from self._step(state, ("Open",), whole, False)
                return

    def _pruned(self, state: tla.State) -> Iterator[Step[Node]]:
        """Return the prune of the oldest segment whose story is over; or one in vain."""
        segments = self.var(state, "segment")
        for s in sorted(self.slots, key=lambda s: segments[s - 1]["number"]):
            taken: Taken = (
                ("Judge", (PRUNER, s)),
                ("LockTables", (PRUNER,)),
                ("Prune", (PRUNER,)),
            )
            if self.take(state, taken):
                yield from self._step(state, ("Prune",), taken, False)
                return
        yield from self._step(state, ("PruneNothing",), (), False)
