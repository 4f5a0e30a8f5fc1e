"""Whose entry is it: the names that a trace's events give and take, and the jobs they belong to.

Owns: which names an event brings into being and which it uses, and the job of each.
Keeps: a name is born once. Of a name whose birth is not in the trace nothing is made up.
Above: order, the projections. Below: ranges, trace.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from awa.lab.ranges import Ranges
from awa.lab.trace import Event, TraceError

__all__ = ["Kin", "births", "kin_of", "lane_of", "parts", "uses"]

LANE_BITS = 40
DEFERRED_LANE = 0
INTAKE_LANE = 1

# What ends an entry and may bring its successor, each named in the event.
_SUCCEEDING = frozenset({"Retry", "Snooze", "Release", "Rescue", "Divert"})
_ENDING = frozenset({"Fail", "Cancel"}) | _SUCCEEDING


def lane_of(seq: int) -> int:
    """Return the lane that a name belongs to; lane 0 is that of the deferred jobs."""
    return seq >> LANE_BITS


def births(event: Event) -> list[int]:
    """Return the names that an event brings into being."""
    if event.act == "Enqueue":
        return list(event.output["seqs"])
    if event.act == "Promote":
        return list(event.output["entries"] or ())
    if event.act in _SUCCEEDING or event.act == "Redrive":
        born = event.output.get("seq")
        return [] if born is None else [born]
    return []


def uses(event: Event) -> Iterable[int]:
    """Return the names that an event claims, ends or promotes."""
    if event.act == "Claim":
        return (*event.numbers("seqs"), *event.numbers("moved"))
    if event.act == "Promote":
        return list(event.output["seqs"] or ())
    if event.act in _ENDING:
        return [event.input["seq"]]
    return []


@dataclass(slots=True)
class Kin:
    """The jobs that the names of a trace belong to."""

    born: dict[int, int] = field(default_factory=dict)
    """The place, in the list of events, of the event that brought a name into being."""
    _jobs: dict[int, int] = field(default_factory=dict)
    _parents: dict[int, int] = field(default_factory=dict)

    def job(self, seq: int) -> int | None:
        """Return the job of a name; None if it was born before the trace began."""
        path = []
        while seq not in self._jobs:
            path.append(seq)
            if seq not in self._parents:
                return None
            seq = self._parents[seq]
        for one in path:
            self._jobs[one] = self._jobs[seq]
        return self._jobs[seq]

    def add(self, place: int, event: Event) -> None:
        """Take in what an event brings into being."""
        born = births(event)
        for seq in born:
            if seq in self.born:
                raise TraceError(f"{event} gives a name that was given before: {seq}")
            self.born[seq] = place
        self._jobs.update(_jobs(event, born))
        if event.act in _SUCCEEDING or event.act == "Promote":
            self._parents.update(zip(born, uses(event), strict=True) if born else ())


def _jobs(event: Event, born: list[int]) -> Iterator[tuple[int, int]]:
    """Return the names of which the event itself says the job."""
    if event.act == "Enqueue":
        yield from zip(born, event.output["ids"], strict=True)
    elif event.act == "Redrive":
        yield from ((seq, event.input["id"]) for seq in born)


def kin_of(events: Iterable[Event]) -> Kin:
    """Return whose the names of these events are."""
    kin = Kin()
    for place, event in enumerate(events):
        kin.add(place, event)
    return kin


def parts(event: Event) -> Iterator[tuple[int, int | None, int, Ranges, Ranges]]:
    """Return what a Complete says of each claim: its name, part, the part it saw, ended, stale."""
    for part in event.output["parts"]:
        ended, stale = Ranges.read(part["seqs"]), Ranges.read(part["stale"])
        yield part["claim"], part["part"], part["saw"], ended, stale
