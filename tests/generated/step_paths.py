"""Which steps of Step.tla the engine takes, and in what portions.

Owns: which actions of Step are the server's, and what the server chooses.
Keeps: every portion is a step of the model, allowed where it is taken; or none, where what is
    asked for is not allowed, and is refused.
Above: step_replay. Below: stage, walks; awa.lab.

The process is played: what it knows is the model's, and what it asks for goes to the server. (Its
own code is tested where it is.) What is not forced: a question that waits for a step at work.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from awa.lab import tla, tlc
from tests.generated.stage import Portions
from tests.generated.walks import Paths, Step

PLAIN = ("Mend", "Break", "Drain", "Retire", "Crash")


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of Step."""

    seqs: int = 1
    room: int = 1
    ids: int = 2
    conns: int = 2

    def load(self) -> tla.Model:
        """Load the model."""
        constants: dict[str, tla.Value] = {
            "Seqs": frozenset(range(1, self.seqs + 1)),
            "Ids": frozenset(range(1, self.ids + 1)),
            "Conns": frozenset(range(1, self.conns + 1)),
            "Room": self.room,
        }
        return tla.load(tlc.spec_folder() / "Step.tla", constants)


class Engine(Portions[tla.State]):
    """The engine as a part of the model."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(bounds.load())
        self.bounds = bounds
        (self.first,) = self.model.initial()
        self.seqs = range(1, bounds.seqs + 1)
        self.sets = [
            frozenset(some)
            for count in range(bounds.seqs + 1)
            for some in combinations(self.seqs, count)
        ]

    def paths(self) -> Paths[tla.State]:
        """Return all that can happen."""
        return Paths.explore(self.first, self.steps, self.like)

    def like(self, state: tla.State) -> Hashable:
        """Return how far the process and its steps are."""
        names = ("life", "link", "me", "lost", "owner", "over")
        ats = [one["at"] for one in self.var(state, "steps")]
        return *(self.var(state, name) for name in names), *ats

    def steps(self, state: tla.State) -> Iterator[Step[tla.State]]:
        """Return what can happen next."""
        for action, args in self._asked(state):
            for after in self.model.step(action, args, state):
                yield Step((action, *args), ((action, args),), after)
        for n, one in enumerate(self.var(state, "steps"), 1):
            # Of an earlier connection nothing begins any more.
            if one["at"] == "sent" and not self.model.step("Begin", (n,), state):
                yield Step(("BeginLate", n), (), state)

    def _asked(self, state: tla.State) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Return all that may be asked for."""
        yield from ((action, ()) for action in PLAIN)
        for some in self.sets:
            yield "Ask", (some,)
            yield "Answer", (some,)
            yield from (("Send", (some, room)) for room in range(self.bounds.room + 1))
        for w in range(1, self.bounds.ids + 1):
            yield "Register", (w,)
            # Who has left is not looked for any more.
            if w not in self.var(state, "left"):
                yield "Lose", (w,)
        for s in self.seqs:
            yield from ((action, (s,)) for action in ("HandlerEnd", "EndEarly", "Learn"))
            if self.var(state, "owner")[s - 1]:
                yield "EndOpen", (s,)
        for k in range(1, self.bounds.conns + 1):
            yield from ((action, (k,)) for action in ("Begin", "Abort"))
            yield from self._lands(state, k)

    def _lands(self, state: tla.State, k: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Return how a step ends: it takes all that it has room for, the least first."""
        one = self.var(state, "steps")[k - 1]
        free = sorted(self.model.value("Unclaimed", state)) if one["alive"] else []
        took = frozenset(free[: one["room"]])
        yield from (("Step", (k, ended, took)) for ended in self.sets)
