"""Leader.tla: who leads, and that nothing is done for an epoch that is over.

Owns: how elections and the transactions of leaders show in events, and where their story is cut.
Keeps: a life begins where no leader's transaction is at work, and ends at the next such place, so
    most are alike. Epochs are told by how far they are from the present one: the one before is 1.
    Who leads when the trace begins is taken for right, and counted.
Above: check. Below: lab.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from awa.lab.life import Claims, State
from awa.lab.story import Hands, Names, Story, Telling, rounded
from awa.lab.tla.values import Value, function
from awa.lab.trace import Event

__all__ = ["project"]

WORKERS = (4, 16, 64)
VERBS = (2, 8, 32)
JOBS = (2, 8, 32, 128)
EPOCHS = (4, 16, 64)

FAR = 2
"""Epochs this far ahead, or farther, are told alike: nobody was elected in them."""

STRANGER = "nobody was elected"

NO_VERB: Value = function(
    {"at": "idle", "worker": "none", "epoch": 0, "due": frozenset(), "did": frozenset()}
)


@dataclass(frozen=True, slots=True)
class _Act:
    """Something that a leader's transaction did, and if it is the first or the last thing."""

    event: Event
    epoch: int
    is_first: bool
    is_last: bool


@dataclass(slots=True)
class _Reign:
    """Who leads, and who has led and promoted before."""

    epoch: int = 0
    leaders: dict[int, object] = field(default_factory=dict)
    promoted: set[int] = field(default_factory=set)

    def leader(self, epoch: int) -> object:
        """Return who was elected in an epoch; what stands for them, if that was not told."""
        return self.leaders.get(epoch, (STRANGER, epoch))


def project(events: Iterable[Event]) -> tuple[list[Story], int]:
    """Return what leaders did, transaction by transaction, and if one led before the trace."""
    acts = list(_acts(events))
    if not acts:
        return [], 0
    first = acts[0]
    reign = _Reign(first.epoch - (first.event.act == "Elect"))
    if reign.epoch:
        reign.leaders[reign.epoch] = (STRANGER, reign.epoch)
    outside = int(reign.epoch > 0)
    return [_Life(reign, some).told() for some in _cut(acts)], outside


def _acts(events: Iterable[Event]) -> Iterator[_Act]:
    """Return the elections, and what was done in the name of an epoch."""
    named = [(event, epoch) for event in events if (epoch := _epoch(event)) is not None]
    left = Counter(event.xid for event, _ in named)
    total = dict(left)
    for event, epoch in named:
        is_first = left[event.xid] == total[event.xid]
        left[event.xid] -= 1
        yield _Act(event, epoch, is_first, not left[event.xid])


def _epoch(event: Event) -> int | None:
    """Return the epoch that an event begins, or is of."""
    if event.act == "Elect":
        epoch: int = event.output["epoch"]
        return epoch
    kind, _, number = (event.actor or "").partition(":")
    return int(number) if kind == "leader" and number else None


def _cut(acts: list[_Act]) -> Iterator[list[_Act]]:
    """Cut where no leader's transaction is at work."""
    some: list[_Act] = []
    at_work = 0
    for act in acts:
        some.append(act)
        at_work += act.is_first - act.is_last
        if not at_work:
            yield some
            some = []


class _Life:
    """What is done from one moment of rest to the next."""

    def __init__(self, reign: _Reign, acts: list[_Act]) -> None:
        self.reign = reign
        self.acts = acts
        self.present = reign.epoch
        self.last = 2 if self.present > 1 else self.present
        self.workers = Names("w")
        self.verbs = Hands("v")
        self.jobs = Names("j")
        self.before: set[str] = set()
        self.telling = Telling(f"epoch {self.present}")

    def told(self) -> Story:
        """Tell it, and what the next life must know."""
        start = self._start()
        dues = self._dues()
        for act, due in zip(self.acts, dues, strict=True):
            if act.event.act == "Elect":
                self._elect(act)
            else:
                self._act(act, due)
        workers, jobs = self.workers.upto(WORKERS), self.jobs.upto(JOBS)
        verbs = self.verbs.upto(VERBS)
        elections = sum(act.event.act == "Elect" for act in self.acts)
        constants: dict[str, Value] = {
            "Workers": workers,
            "Verbs": verbs,
            "Jobs": jobs,
            "MaxEpoch": rounded(self.last + elections, EPOCHS),
        }
        state: dict[str, Value] = {
            **start,
            "promoted": function({job: self._ghost(str(job)) for job in jobs}),
            "vote": function(dict.fromkeys(workers, "idle")),
            "verb": function(dict.fromkeys(verbs, NO_VERB)),
            "believes": function(dict.fromkeys(workers, 0) | self.believed),
        }
        given: State | None = tuple(state.items()) if self.last else None
        return self.telling.story("Leader", tuple(constants.items()), given)

    def _start(self) -> dict[str, Value]:
        """Return who leads at the beginning; the leader before does not know yet."""
        self.believed: dict[Value, Value] = {}
        leader: Value = "none"
        if self.last:
            leader = self.workers[self.reign.leader(self.present)]
            self.believed[leader] = self.last
        if self.last > 1:
            self.believed.setdefault(self.workers[self.reign.leader(self.present - 1)], 1)
        row = function({"epoch": self.last, "leader": leader, "fresh": bool(self.last)})
        return {"row": row, "dead": frozenset()}

    def _ghost(self, job: str) -> Value:
        """Return in which epochs, and by whom, a job was promoted before."""
        return frozenset({(1, "v1")}) if job in self.before else frozenset()

    def _number(self, epoch: int) -> int:
        """Return an epoch as this life counts."""
        if epoch < self.present:
            return self.last - 1
        return self.last + min(epoch - self.present, FAR + len(self.acts))

    def _dues(self) -> list[list[str]]:
        """Return, for each act, which jobs it promotes; those that are promoted alike are one."""
        places: dict[int, list[int]] = {}
        for place, act in enumerate(self.acts):
            if act.event.act == "Promote":
                for seq in act.event.output["seqs"] or ():
                    places.setdefault(seq, []).append(place)
        dues: list[list[str]] = [[] for _ in self.acts]
        for key in dict.fromkeys((seq in self.reign.promoted, *at) for seq, at in places.items()):
            job = self.jobs[key]
            if key[0]:
                self.before.add(job)
            for place in key[1:]:
                dues[place].append(job)
        self.reign.promoted.update(places)
        return dues

    def _elect(self, act: _Act) -> None:
        """Tell an election; the leader before has resigned, or its lease has run out."""
        event = act.event
        elected = event.input["worker"]
        if self.reign.epoch:
            leader = self.reign.leader(self.reign.epoch)
            if leader == elected:
                self.telling.add(event, "Resign", self.workers[leader])
            else:
                self.telling.add(event, "Lapse")
        worker = self.workers[elected]
        for action in ("Look", "Stand"):
            self.telling.add(event, action, worker)
        after: Claims = (("row", ("epoch",), self._number(act.epoch)),)
        self.telling.add(event, "Elect", worker, after=after)
        self.reign.epoch = act.epoch
        self.reign.leaders[act.epoch] = elected

    def _act(self, act: _Act, due: list[str]) -> None:
        """Tell what a leader's transaction did."""
        event = act.event
        if act.is_first:
            verb = self.verbs.take(event.xid)
            after: Claims = (("verb", (verb, "epoch"), self._number(act.epoch)),)
            worker = self.workers[self.reign.leader(act.epoch)]
            self.telling.add(event, "Act", verb, worker, after=after)
        verb = self.verbs.at_work[event.xid]
        for job in due:
            self.telling.add(event, "Promote", verb, job)
        if act.is_last:
            self.telling.add(event, "Commit", verb)
            del self.verbs.at_work[event.xid]
