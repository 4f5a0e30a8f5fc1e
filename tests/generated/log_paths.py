"""Which steps of Log.tla the engine takes, and in what portions.

Owns: how the statements of a claim, and the deeds of producers, read as steps of Log.
Keeps: every portion is one or more steps of the model, each allowed where it is taken. What a
    claim may choose in the model (how much it reads, whether it settles) the engine chooses by
    its rule: it takes what there is room for, and settles if it was asked to and had room left.
Above: log_replay. Below: stage, walks; awa.lab.

Postgres makes some of Log's steps in one: a transaction's end shows and its locks go in one
statement (Commit or Rollback, then Unlock), and PREPARE leaves the holder's name as it is until the
server restarts (`Prepared` is `Virtual` here). A claim asks for the sequence's last value, so it
holds the lock as well, and is on each page that it makes; by the next claim it is gone. Log says
that by a transaction that passes by; here it is `Unread`, which says the same (LogSelf.tla). What
is history, and the numbers of claims, is left out, so that states that differ in these are one.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from awa.lab import tla, tlc
from awa.lab.tla.values import function
from tests.generated.stage import Portions, Taken
from tests.generated.walks import Paths, Step

HERE = Path(__file__).parent

Node = tuple[tla.State, tuple[str, ...]]
"""A state of Log, and how far each claimer is: "" idle, "t" before its read of entries, "s" the
same and it was asked to settle, "r" after it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of Log, as far as they differ."""

    txs: int = 2
    claimers: tuple[str, ...] = ("c1",)
    rooms: tuple[int, ...] = (1,)
    preparers: tuple[int, ...] = ()
    seqs: int = 2
    void: int = 0
    over: int = 0
    aborts: int = 0
    modes: tuple[str, ...] = ("t", "s")

    def load(self) -> tla.Model:
        """Load the model."""
        constants: dict[str, tla.Value] = {
            "Txs": frozenset(range(1, self.txs + 1)),
            "Claimers": frozenset(self.claimers),
            "Rooms": frozenset(self.rooms),
            "Preparers": frozenset(self.preparers),
            "Passers": frozenset(),
            "Steppers": frozenset(),
            "MaxSpent": 0,
            "MaxSeq": self.seqs,
            "MaxVoid": self.void,
            "MaxOver": self.over,
            "MaxAborts": self.aborts,
        }
        overrides = {"ReadFillers": "ReadFillersAndSelf", "Prepared": "Virtual"}
        return tla.load(HERE / "LogSelf.tla", constants, overrides, library=tlc.spec_folder())


class Engine(Portions[Node]):
    """The engine as a part of the model."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(bounds.load())
        self.bounds = bounds
        self.txs = range(1, bounds.txs + 1)
        self.seqs = range(1, bounds.seqs + 1)

    def paths(self) -> Paths[Node]:
        """Return all that can happen."""
        (first,) = self.model.initial()
        return Paths.explore((first, ("",) * len(self.bounds.claimers)), self.steps, self.like)

    def like(self, node: Node) -> Hashable:
        """Return how far each transaction is, and each claim, and if there are pages."""
        state, modes = node
        work = self.var(state, "work")
        ats = [work[c]["at"] for c in self.bounds.claimers]
        return modes, *ats, *self.var(state, "st"), len(self.var(state, "claim")["pages"])

    def steps(self, node: Node) -> Iterator[Step[Node]]:
        """Return what can happen next."""
        yield from self._produced(node)
        for n in range(len(self.bounds.claimers)):
            yield from self._claimed(node, n)

    def _take(self, state: tla.State, *taken: tuple[str, tuple[Any, ...]]) -> tla.State | None:
        """Return the state after some steps; None if the first is not allowed."""
        for nth, (action, args) in enumerate(taken):
            after = self.model.step(action, args, state)
            if not after:
                assert nth == 0, f"{action}{args} is not allowed"
                return None
            (state,) = after
        return self.plain(state)

    def plain(self, state: tla.State) -> tla.State:
        """Return a state without what is history, or only a claim's number."""
        now = dict(zip(self.model.variables, state, strict=True))
        work = {
            c: function({**one, "number": 0, "settled": frozenset()})
            for c, one in now["work"].items()
        }
        claim = function({**now["claim"], "number": 0})
        return self.model.state({**now, "chain": (), "claim": claim, "work": function(work)})

    def _produced(self, node: Node) -> Iterator[Step[Node]]:
        """Return the steps of producers, and of who cancels."""
        state, modes = node
        wholes: list[Taken] = [(("Skip", (n,)),) for n in self.seqs]
        wholes += [(("Cancel", (s,)),) for s in self.seqs]
        for t in self.txs:
            wholes += [(("Draw", (t, n, kept)),) for n in self.seqs for kept in (True, False)]
            wholes += [(("Prepare", (t,)),)]
            wholes += [((end, (t,)), ("Unlock", (t,))) for end in ("Commit", "Rollback")]
        for taken in wholes:
            after = self._take(state, *taken)
            if after is not None:
                yield Step((taken[0][0], *taken[0][1]), taken, (after, modes))

    def _claimed(self, node: Node, n: int) -> Iterator[Step[Node]]:
        """Return the next statement of a claimer: one, once it has begun; or it breaks off."""
        state, modes = node
        c = self.bounds.claimers[n]
        work = self.var(state, "work")[c]
        if work["at"] == "idle":
            for room in self.bounds.rooms:
                for mode in self.bounds.modes:
                    yield from self._step(
                        node, n, mode, (("TakeLock", (c, 0, room)),), (mode, room)
                    )
            return
        mode, taken = self._next(state, c, modes[n])
        yield from self._step(node, n, mode, taken)
        yield from self._step(node, n, "", (("Abort", (c,)),))

    def _step(
        self, node: Node, n: int, mode: str, taken: Taken, how: tuple[Any, ...] = ()
    ) -> Iterator[Step[Node]]:
        state, modes = node
        after = self._take(state, *taken)
        if after is not None:
            c = self.bounds.claimers[n]
            what = taken[0][0] if taken else "ReadEntries"
            deed = ("ReadEntries" if what == "Settle" else what, c, *how)
            yield Step(deed, taken, (after, (*modes[:n], mode, *modes[n + 1 :])))

    def _next(self, state: tla.State, c: str, mode: str) -> tuple[str, Taken]:
        """Return what a claim in progress does next."""
        work = self.var(state, "work")[c]
        if work["at"] == "locks":
            return mode, (("ReadLocks", (c,)),)
        if work["at"] == "look":
            return mode, self._one(state, "LookAtPage", c, self.seqs, self.seqs)
        if work["at"] == "read" and mode != "r" and work["last"] > work["hi"]:
            return "r", self._read(state, c, work, settles=mode == "s")
        if not work["fresh"]:
            ends = self._take(state, ("CommitClaim", (c,))) is not None
            return "", (("CommitClaim" if ends else "GoAway", (c,)),)
        if work["at"] == "read":
            return mode, (("ReadFillers", (c,)),)
        return mode, self._one(state, "LookAgain", c, [max(work["fresh"])], [0, *self.seqs])

    def _one(self, state: tla.State, action: str, c: str, first: Any, upto: Any) -> Taken:
        """Return the one way in which a claim may look."""
        args = [(c, one, other) for one in first for other in upto]
        (found,) = [one for one in args if self._take(state, (action, one)) is not None]
        return ((action, found),)

    def _read(self, state: tla.State, c: str, work: Any, *, settles: bool) -> Taken:
        """Return what a claim does when it has read the lane."""
        own = self.model.value("Committed", state)
        found = sorted(s for s in own if work["hi"] < s <= work["last"])[: work["room"]]
        taken: Taken = (("ReadEntries", (c, found[-1])),) if found else ()
        hi = found[-1] if found else work["hi"]
        if settles and len(found) < work["room"] and hi < work["last"]:
            taken += (("Settle", (c,)),)
        return taken
