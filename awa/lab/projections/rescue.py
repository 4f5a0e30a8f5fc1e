"""Rescue.tla: each entry in the hands of its worker, and what becomes of it when that is lost.

Owns: how steps, sweeps and departures of a worker show in the life of an entry that it claimed.
Keeps: entries of one claim that fared alike are told once. What else a worker holds stands in the
    story only where a sweep says that it left something: as one more entry. Of two sweeps at once,
    or a sweep and a departure, the second had read the worker's row before. What a person ended is
    left out, and counted: the model knows no cancel.
Above: check. Below: lab.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter

from awa.lab.kin import parts
from awa.lab.life import Claims
from awa.lab.story import Names, Story, Telling
from awa.lab.tla.values import Value
from awa.lab.trace import Event

__all__ = ["project"]

WORKERS = (2, 8, 32)
ENTRY, OTHER = 1, 2
SWEEPER = "l1"


@dataclass(frozen=True, slots=True)
class _Ending:
    """What an event asked of entries of a claim: that they end, by whom and how."""

    place: int
    event: Event
    act: str
    by: int | None
    seqs: frozenset[int]


@dataclass(slots=True)
class _Claim:
    """One claim, and what became of its entries; those that a person ended are not followed."""

    place: int
    event: Event
    seqs: frozenset[int]
    endings: list[_Ending] = field(default_factory=list)
    ended_at: dict[int, int] = field(default_factory=dict)
    """Where the part stands that a transaction from outside wrote."""

    def fates(self) -> Iterable[tuple[_Ending, ...]]:
        """Return what became of its entries, that of those which fared alike once."""
        fates: dict[int, list[_Ending]] = {seq: [] for seq in self.seqs}
        for ending in self.endings:
            for seq in ending.seqs & fates.keys():
                fates[seq].append(ending)
        alike = {tuple(map(id, fate)): tuple(fate) for fate in fates.values()}
        return alike.values()


@dataclass(slots=True)
class _Worker:
    """When a worker came, was lost and left, and what the sweeps of it say in the end."""

    came: Event | None = None
    lost: tuple[int, Event] | None = None
    left: tuple[int, Event] | None = None
    done: dict[int, Event] = field(default_factory=dict)


@dataclass(slots=True)
class _Projection:
    """The claims and workers of a trace."""

    claims: dict[int, _Claim] = field(default_factory=dict)
    holds: dict[int, _Claim] = field(default_factory=dict)
    """The claim of each entry."""
    workers: defaultdict[Hashable, _Worker] = field(default_factory=lambda: defaultdict(_Worker))
    outside: int = 0

    def take(self, place: int, event: Event) -> None:
        """Take in one event."""
        if event.act == "Claim" and event.worker is not None:
            if seqs := frozenset(event.numbers("seqs")):
                claim = self.claims[event.output["claim"]] = _Claim(place, event, seqs)
                self.holds |= dict.fromkeys(seqs, claim)
        elif event.act == "Register":
            self.workers[event.output["worker"]].came = event
        elif event.act in {"Lose", "Done", "Retire"}:
            self._leave(place, event)
        else:
            self._end(place, event)

    def _leave(self, place: int, event: Event) -> None:
        """Take in what was said of a worker; only the first time that it is lost, or gone."""
        worker = self.workers[event.input["worker"]]
        if event.act == "Lose":
            worker.lost = worker.lost or (place, event)
            return
        if event.act == "Done":
            worker.done[event.xid] = event
        if event.act == "Retire" or event.output["stopped"]:
            worker.left = worker.left or (place, event)

    def _end(self, place: int, event: Event) -> None:
        """Take in what ended entries, or was refused."""
        if event.act == "Complete":
            for number, _, _, ended, stale in parts(event):
                for act, seqs in (("Complete", frozenset(ended)), ("Refuse", frozenset(stale))):
                    ending = _Ending(place, event, act, event.worker, seqs)
                    self._note(self.claims.get(number), ending)
        elif event.act == "Rescue":
            seq, act = event.input["seq"], "Rescue" if event.input["died"] else "Expire"
            claim = self.holds.get(seq)
            if claim is not None:
                place = claim.ended_at.get(event.xid, place)
            self._note(claim, _Ending(place, event, act, event.input["worker"], frozenset({seq})))
        elif event.act == "EndOpen" and event.input["claim"] in self.claims:
            claim = self.claims[event.input["claim"]]
            claim.ended_at[event.xid] = place
            if event.actor == "operator":
                self.outside += event.numbers("seqs").count
                claim.seqs -= frozenset(event.numbers("seqs"))

    def _note(self, claim: _Claim | None, ending: _Ending) -> None:
        """Note what became of entries, if their claim is known."""
        if ending.seqs and claim is None:
            self.outside += 1
        elif ending.seqs and claim is not None:
            claim.endings.append(ending)


def project(events: Iterable[Event]) -> tuple[list[Story], int]:
    """Return the life of each claim's entries, and how many endings of others were left out."""
    projection = _Projection()
    for place, event in enumerate(events):
        projection.take(place, event)
    stories = [
        _Life(number, claim, projection.workers, fate).told()
        for number, claim in projection.claims.items()
        for fate in claim.fates()
    ]
    return stories, projection.outside


class _Life:
    """The life of an entry, from its claim on."""

    def __init__(
        self,
        number: int,
        claim: _Claim,
        workers: Mapping[Hashable, _Worker],
        fate: tuple[_Ending, ...],
    ) -> None:
        self.claim = claim
        self.fate = fate
        self.worker = workers[claim.event.worker]
        self.names = Names("w")
        self.me = self.names[claim.event.worker]
        self.is_claimed = self.believes = False
        self.suspects = False
        self.telling = Telling(f"entries of claim {number}")
        over = [one.place for one in fate if one.act != "Refuse"]
        self.over = min(over, default=None)
        self.rescued: dict[int, list[_Ending]] = defaultdict(list)
        for one in fate:
            if one.act == "Rescue":
                self.rescued[one.event.xid].append(one)

    def told(self) -> Story:
        """Tell it."""
        event = self.claim.event
        sweeps = self._sweeps()
        has_other = any(self._leaves_other(place, xid) for xid, place in sweeps.items())
        self.telling.add(self.worker.came or event, "Register", self.me)
        jobs = ("j", "other") if has_other else ("j",)
        for job in jobs:
            self.telling.add(event, "Enqueue", job)
        for _, tell in sorted(self._timeline(sweeps, jobs), key=itemgetter(0)):
            tell()
        return self.telling.story("Rescue", self._constants())

    def _constants(self) -> tuple[tuple[str, Value], ...]:
        """Return the bounds: what becomes of the job afterwards is told by Queue."""
        constants: dict[str, Value] = {
            "Jobs": frozenset({"j", "other"}),
            "Workers": self.names.upto(WORKERS),
            "Mortal": frozenset(),
            "Sweepers": frozenset({SWEEPER}),
            "MaxAttempts": 2,
            "MaxDeaths": 2,
            "MaxEntries": 2,
        }
        return tuple(constants.items())

    # --- What is told, and when --------------------------------------------------------------

    def _sweeps(self) -> dict[int, int]:
        """Return the sweeps that matter: who lost the worker, ended the entry, or found no more."""
        sweeps = {xid: ends[0].place for xid, ends in self.rescued.items()}
        left = self.worker.left
        for one in (self.worker.lost, left if left and left[1].act == "Done" else None):
            if one is not None:
                sweeps.setdefault(one[1].xid, one[0])
        return sweeps

    def _leaves_other(self, place: int, xid: int) -> bool:
        """Tell if a sweep left something open though nothing of this life is."""
        done = self.worker.done.get(xid)
        is_over = self.over is not None and (self.over < place or xid in self.rescued)
        return is_over and done is not None and not done.output["stopped"]

    def _timeline(
        self, sweeps: Mapping[int, int], jobs: tuple[str, ...]
    ) -> Iterator[tuple[int, Callable[[], None]]]:
        """Return what is to be told, with its place in the trace."""
        yield self.claim.place, partial(self._take, jobs)
        for end in self.fate:
            if end.act != "Rescue":
                yield end.place, partial(self._ending, end)
        left, lost = self.worker.left, self.worker.lost
        if left is not None and left[1].act == "Retire":
            yield left[0], partial(self._retire, *left)
        for xid, place in sweeps.items():
            named = [lost[1]] if lost is not None and lost[1].xid == xid else []
            named += [end.event for end in self.rescued.get(xid, ())]
            first = named[0] if named else self.worker.done[xid]
            yield place, partial(self._sweep, first, len(jobs) > 1)

    # --- How it is told ----------------------------------------------------------------------

    def _step(self, event: Event, worker: str, *acts: tuple[str, int]) -> None:
        """Tell a step: it has the lock of its worker from its beginning to its commit."""
        self.telling.add(event, "Begin", worker)
        for act, entry in acts:
            self.telling.add(event, act, worker, entry)
        self.telling.add(event, "Commit", worker)

    def _take(self, jobs: tuple[str, ...]) -> None:
        """Tell the claim."""
        self._step(self.claim.event, self.me, *(("Claim", n + 1) for n in range(len(jobs))))
        self.is_claimed = self.believes = True

    def _ending(self, end: _Ending) -> None:
        """Tell an ending that is no sweep's; a refusal only of what the worker took for its own."""
        worker = self.names[end.by]
        if end.act == "Expire":
            self.telling.add(end.event, "Expire", worker, ENTRY)
        elif end.act == "Complete" or (worker == self.me and self.believes):
            if worker != self.me:
                self.telling.add(end.event, "Register", worker)
            self._step(end.event, worker, (end.act, ENTRY))
            self.believes = self.believes and worker != self.me

    def _retire(self, place: int, event: Event) -> None:
        """Tell that the worker leaves; a sweep that comes later had read its row before."""
        lost = self.worker.lost
        if lost is not None and lost[0] > place:
            self.telling.add(lost[1], "Suspect", SWEEPER, self.me)
            self.suspects = True
        self.telling.add(event, "Retire", self.me)

    def _sweep(self, first: Event, has_other: bool) -> None:
        """Tell a sweep; who is not declared lost by it must be so already."""
        lost = self.worker.lost
        if not self.suspects:
            is_news = lost is not None and lost[1].xid == first.xid
            after: Claims = () if is_news else (("lost", (), frozenset({self.me})),)
            self.telling.add(first, "Suspect", SWEEPER, self.me, after=after)
        self.suspects = False
        self.telling.add(first, "Lose", SWEEPER, self.me)
        for end in self.rescued.get(first.xid, ()):
            self.telling.add(end.event, "Rescue", SWEEPER, self.names[end.by], ENTRY)
        if (done := self.worker.done.get(first.xid)) is None:
            return
        if has_other and done.output["stopped"]:
            self.telling.add(done, "Rescue", SWEEPER, self.me, OTHER)
        gone = frozenset({self.me}) if done.output["stopped"] else frozenset()
        # What it held before the claim is not in this story.
        said: Claims = (("stopped", (), gone),) if self.is_claimed else ()
        self.telling.add(done, "Done", SWEEPER, after=said)
