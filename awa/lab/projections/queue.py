"""Queue.tla: the life of each job.

Owns: how the actions of Queue show in events.
Keeps: a job is followed from its enqueue on; one that began before the trace is left out, and
    counted. What an event says of attempts, run lease and deaths must be so in the model.
Above: check. Below: lab.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from awa.lab.kin import DEFERRED_LANE, INTAKE_LANE, Kin, kin_of, lane_of, parts, uses
from awa.lab.life import Claims
from awa.lab.ranges import Ranges
from awa.lab.story import Names, Story, Telling, rounded
from awa.lab.tla.values import Value
from awa.lab.trace import Event

__all__ = ["project"]

JOB = "j"
DEATHS_MAX = 5
"""As rescue_entry has it."""

WORKERS = (2, 8, 32, 128)
ENTRIES = (4, 16, 64, 256)


@dataclass(slots=True)
class _Job:
    """What has been told of one job."""

    telling: Telling
    attempts_max: int
    workers: Names = field(default_factory=lambda: Names("w"))
    entries: dict[int, int] = field(default_factory=dict)
    lost: set[Hashable] = field(default_factory=set)

    def born(self, seq: int | None) -> Claims:
        """Return that an entry is there now, unless the job was deferred."""
        if seq is None or lane_of(seq) == DEFERRED_LANE:
            return ()
        self.entries[seq] = len(self.entries) + 1
        return (("entries", (self.entries[seq], "job"), JOB),)


@dataclass(slots=True)
class _Projection:
    """The jobs of a trace, by their ids."""

    kin: Kin
    jobs: dict[int, _Job] = field(default_factory=dict)
    lost: dict[Hashable, Event] = field(default_factory=dict)
    claims: dict[int, Ranges] = field(default_factory=dict)
    outside: int = 0

    def take(self, event: Event) -> None:
        """Take in one event."""
        tell = _WHOLE.get(event.act)
        if tell is not None:
            tell(self, event)
            return
        for seq in uses(event):
            for job in self.of(seq):
                _ENTRY[event.act](self, event, job, seq)

    def of(self, seq: int) -> Iterator[_Job]:
        """Return the job of a name, if it was followed from its enqueue on."""
        number = self.kin.job(seq)
        if number is None:
            self.outside += 1
        else:
            yield from self.numbered(number)

    def numbered(self, number: int) -> Iterator[_Job]:
        """Return a job, if it was followed from its enqueue on."""
        if number in self.jobs:
            yield self.jobs[number]
        else:
            self.outside += 1

    def tell(self, event: Event, job: _Job, action: str, *args: Value, after: Claims = ()) -> None:
        """Tell the next step of a job, and before it who is lost of those that it has met."""
        for worker in job.workers.given:
            if worker in self.lost and worker not in job.lost:
                job.lost.add(worker)
                job.telling.add(self.lost[worker], "Lose", job.workers[worker])
        job.telling.add(event, action, *args, after=after)


# --- Events of many jobs -----------------------------------------------------------------------


def _enqueue(p: _Projection, event: Event) -> None:
    """Begin the jobs of an enqueue; one that is there goes on, and the model refuses that."""
    for number, seq in zip(event.output["ids"], event.output["seqs"], strict=True):
        begun = _Job(Telling(f"job {number}"), event.input["max_attempts"])
        job = p.jobs.setdefault(number, begun)
        place = {DEFERRED_LANE: "deferred", INTAKE_LANE: "intake"}.get(lane_of(seq), "main")
        p.tell(event, job, "Enqueue", JOB, place, after=job.born(seq))


def _lose(p: _Projection, event: Event) -> None:
    """Remember who is lost; the jobs that it matters to are told then."""
    p.lost.setdefault(event.input["worker"], event)


def _claim(p: _Projection, event: Event) -> None:
    """Tell who took which entries; what was moved has events of its own."""
    if event.worker is None:
        return
    p.claims[event.output["claim"]] = event.numbers("seqs")
    for seq in event.numbers("seqs"):
        for job in p.of(seq):
            p.tell(event, job, "Claim", job.workers[event.worker], job.entries.get(seq, 0))


def _complete(p: _Projection, event: Event) -> None:
    """Tell what a finish completed and what it was refused; the rest has events of its own."""
    failed = Ranges.read(event.input["failed"])
    for claim, _, _, ended, stale in parts(event):
        told = [("Complete", seq) for seq in ended if seq not in failed]
        # A name that was never in this claim is nobody's: that it is refused shows nothing.
        refused = [("Refuse", seq) for seq in stale if seq in p.claims.get(claim, ())]
        for action, seq in (*told, *refused):
            for job in p.of(seq):
                if seq in job.entries:
                    p.tell(event, job, action, job.workers[event.worker], job.entries[seq])


def _promote(p: _Projection, event: Event) -> None:
    """Tell which deferred jobs became entries."""
    pairs = zip(event.output["seqs"] or (), event.output["entries"] or (), strict=True)
    for seq, entry in pairs:
        for job in p.of(seq):
            p.tell(event, job, "Promote", JOB, after=job.born(entry))


def _discard(p: _Projection, event: Event) -> None:
    """Tell which held jobs were deleted."""
    for number in event.output["ids"]:
        for job in p.numbered(number):
            p.tell(event, job, "Discard", JOB)


def _redrive(p: _Projection, event: Event) -> None:
    """Tell which held job came back."""
    for job in p.numbered(event.input["id"]):
        after = (*_after(event), *job.born(event.output["seq"]))
        p.tell(event, job, "Redrive", JOB, after=after)


def _nothing(_p: _Projection, _event: Event) -> None:
    """Tell nothing: the life of a job does not show it."""


# --- Events of one entry -----------------------------------------------------------------------


def _finish(p: _Projection, event: Event, job: _Job, seq: int) -> None:
    """Tell a finish that did not complete its job."""
    after = (*_after(event), *job.born(event.output.get("seq")))
    worker = job.workers[event.worker]
    p.tell(event, job, event.act, worker, job.entries.get(seq, 0), after=after)


def _rescue(p: _Projection, event: Event, job: _Job, seq: int) -> None:
    """Tell an attempt that was ended from outside."""
    worker = event.input["worker"]
    held: Claims = (("held", (JOB,), event.output["held"] or "none"),)
    after = (*_after(event), *held, *job.born(event.output["seq"]))
    p.tell(event, job, "Rescue", job.workers[worker], job.entries.get(seq, 0), after=after)


def _cancel(p: _Projection, event: Event, job: _Job, seq: int) -> None:
    """Tell a cancel, of an entry or of a deferred job."""
    by = "none" if event.worker is None else job.workers[event.worker]
    over: Claims = ()
    if seq in job.entries:
        over = (("entries", (job.entries[seq], "outcome"), "cancelled"),)
    p.tell(event, job, "Cancel", by, JOB, after=(*_after(event), *over))


def _divert(p: _Projection, event: Event, job: _Job, seq: int) -> None:
    """Tell an entry that was moved."""
    after = job.born(event.output["seq"])
    p.tell(event, job, "Divert", job.entries.get(seq, 0), after=after)


_WHOLE: Mapping[str, Callable[[_Projection, Event], None]] = {
    "Enqueue": _enqueue,
    "Lose": _lose,
    "Claim": _claim,
    "Complete": _complete,
    "Promote": _promote,
    "Discard": _discard,
    "Redrive": _redrive,
    **dict.fromkeys(("EndOpen", "Register", "Retire", "Done", "Elect"), _nothing),
    **dict.fromkeys(("Open", "Switch", "Seal", "Close", "Prune", "Carry"), _nothing),
}
_ENTRY: Mapping[str, Callable[[_Projection, Event, _Job, int], None]] = {
    **dict.fromkeys(("Retry", "Fail", "Snooze", "Release"), _finish),
    "Rescue": _rescue,
    "Cancel": _cancel,
    "Divert": _divert,
}


def _after(event: Event) -> Claims:
    """Return what an event says of its job's counts."""
    counts: Mapping[str, int] = event.post or {}
    return tuple((name, (JOB,), counts.get(name, 0)) for name in ("attempt", "lease", "deaths"))


def project(events: Sequence[Event]) -> tuple[list[Story], int]:
    """Return the life of each job, and how many steps of others were left out."""
    projection = _Projection(kin_of(events))
    for event in events:
        projection.take(event)
    return [_story(job) for job in projection.jobs.values()], projection.outside


def _story(job: _Job) -> Story:
    """Return a job's life, in a model that is large enough for it."""
    workers = job.workers.upto(WORKERS)
    constants: dict[str, Value] = {
        "Jobs": frozenset({JOB}),
        "Workers": workers,
        "MaxAttempts": job.attempts_max,
        "MaxDeaths": DEATHS_MAX,
        "MaxEntries": rounded(len(job.entries), ENTRIES),
        "MaxLost": len(workers),
        "Places": frozenset({"intake", "main", "deferred"}),
    }
    return job.telling.story("Queue", tuple(constants.items()))
