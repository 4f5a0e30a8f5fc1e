"""Mutants of true traces: one event of a stored trace, put differently by a machine.

Owns: the ways to put an event differently, and what is said of what comes of it.
Keeps: a mutant differs in one event, or in the numbers of two. One that is legal is so for a
    reason that can be told.
Above: the tests of this folder, `python -m tests.bugs`. Below: awa.lab.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from awa.lab.check import Report, check
from awa.lab.kin import parts
from awa.lab.life import Life, Step
from awa.lab.monitor import Monitor
from awa.lab.order import reads_of
from awa.lab.tlc import spec_folder
from awa.lab.trace import Event, Trace, TraceError, read, spec_hashes

ACCEPT = spec_folder().parent / "traces" / "accept"
OTHER_VERB = {
    "Retry": "Snooze",
    "Snooze": "Retry",
    "Release": "Retry",
    "Fail": "Cancel",
    "Cancel": "Fail",
    "Lose": "Retire",
    "Retire": "Lose",
}
"""Verbs whose events have one form."""

Told = list[Event]
Way = Callable[[Told, int], Iterator[Told]]


def stored() -> dict[str, Trace]:
    """Return the true traces, by name."""
    hashes = spec_hashes(spec_folder())
    return {path.stem: read(path, hashes) for path in sorted(ACCEPT.glob("*.jsonl"))}


def _with(events: Told, at: int, **said: Any) -> Told:
    """Return the events with one of them put differently."""
    fields = {name: getattr(events[at], name) for name in Event.__dataclass_fields__}
    return [*events[:at], Event(**{**fields, **said}), *events[at + 1 :]]


def swapped(events: Told, at: int) -> Iterator[Told]:
    """Give an event the number of the next one, and that one its own."""
    if at + 1 < len(events):
        one, two = events[at].n, events[at + 1].n
        yield sorted(_with(_with(events, at, n=two), at + 1, n=one), key=lambda event: event.n)


def dropped(events: Told, at: int) -> Iterator[Told]:
    """Leave an event out."""
    yield events[:at] + events[at + 1 :]


def twice(events: Told, at: int) -> Iterator[Told]:
    """Tell an event once more, in a transaction of its own after all others."""
    last = max(event.n for event in events)
    xid = max(event.xid for event in events)
    yield _with([*events, events[at]], len(events), n=last + 1, xid=xid + 1, k=1)


def leased(events: Told, at: int) -> Iterator[Told]:
    """Say of a run lease one more, and one less."""
    if "lease" in (post := events[at].post):
        for more in (1, -1):
            yield _with(events, at, post={**post, "lease": post["lease"] + more})


def another_worker(events: Told, at: int) -> Iterator[Told]:
    """Have another worker do it, or have it done to another: one of the trace, or a stranger."""
    event = events[at]
    workers = {one.worker for one in events} - {None}
    for given in ("actor", "input"):
        worker = event.worker if given == "actor" else event.input.get("worker")
        if worker is None:
            continue
        other = next((one for one in sorted(workers) if one != worker), 99)  # type: ignore[type-var]
        if given == "actor":
            yield _with(events, at, actor=f"worker:{other}")
        else:
            yield _with(events, at, input={**event.input, "worker": other})


def another_job(events: Told, at: int) -> Iterator[Told]:
    """Do it to another job: one of the trace, or a stranger."""
    event = events[at]
    seqs = [seq for one in events if one.act == "Enqueue" for seq in one.output["seqs"]]
    ids = [job for one in events if one.act == "Enqueue" for job in one.output["ids"]]
    for name, known in (("seq", seqs), ("id", ids)):
        if (mine := event.input.get(name)) is not None:
            other = next((one for one in known if one != mine), mine + 1000)
            yield _with(events, at, input={**event.input, name: other})
    if event.act == "Enqueue":
        other = next((one for one in ids if one not in event.output["ids"]), 1000)
        yield _with(events, at, output={**event.output, "ids": [other, *event.output["ids"][1:]]})


def another_act(events: Told, at: int) -> Iterator[Told]:
    """Call it by the name of another verb whose events have the same form."""
    if (other := OTHER_VERB.get(events[at].act)) is not None:
        yield _with(events, at, act=other)


def shifted(events: Told, at: int) -> Iterator[Told]:
    """Have a read of a claim see one commit more, and one less."""
    event = events[at]
    for place, _ in enumerate(reads_of(event)):
        first, beyond, running = event.post["reads"][place]["snap"].split(":")
        for by in (1, -1):
            end = int(beyond) + by
            left = [one for one in running.split(",") if one and int(one) < end]
            reads = copy.deepcopy(list(event.post["reads"]))
            reads[place]["snap"] = f"{min(int(first), end) if left else end}:{end}:{','.join(left)}"
            yield _with(events, at, post={**event.post, "reads": reads})


WAYS: dict[str, Way] = {
    "two events change numbers": swapped,
    "an event is left out": dropped,
    "an event is told twice": twice,
    "a run lease is one off": leased,
    "another worker": another_worker,
    "another job": another_job,
    "another verb": another_act,
    "a snapshot is one commit off": shifted,
}


def mutants(trace: Trace, way: str) -> Iterator[tuple[int, Trace]]:
    """Return the mutants of a trace by one way, each with the number of the event it is about."""
    events = list(trace.events)
    for at, event in enumerate(events):
        for told in WAYS[way](events, at):
            yield event.n, Trace(trace.header, told)


# --- Verdicts ----------------------------------------------------------------------------------

SAME = "no life is another"
MOVED = "steps change places that do not wait for one another"
ENDS = "lives end before it"
CUT = "what it leaves has no beginning, and is counted"
IDLE = "it gives and ends nothing"
ANOTHER = "another story, which is true as well"
WHY_LEGAL = (SAME, MOVED, ENDS, CUT, IDLE, ANOTHER)

TRUE_AS_WELL = {
    ("two events change numbers", "Complete"): "who is lost may finish before the rescue comes",
    ("an event is told twice", "Carry"): "what was carried may be carried on",
    ("an event is left out", "Claim"): "what waits need not be given out",
    ("an event is left out", "Complete"): "what runs need not be finished",
    ("an event is left out", "Lose"): "who holds nothing need not be lost",
    ("another worker", "Claim"): "what nobody has finished may be anybody's",
    ("another worker", "Lose"): "who holds nothing may be lost",
    ("another verb", "Fail"): "at its last attempt a job may be cancelled instead",
    ("another verb", "Lose"): "who holds nothing may retire instead",
    ("another verb", "Retire"): "who holds nothing may be lost instead",
}
"""Which mutants tell another story, by the way and the event; TLC is asked about each."""

Lives = dict[tuple[str, str], tuple[Step, ...]]


class Reader:
    """Holds the mutants of one true trace against it, and keeps the lives of other stories."""

    def __init__(self, trace: Trace, monitor: Monitor) -> None:
        self._trace = trace
        self._monitor = monitor
        self._was = check(trace, monitor)
        self.others: list[Life] = []
        assert self._was.is_legal, str(self._was)

    def verdict(self, number: int, mutant: Trace) -> str:
        """Return which judge refuses a mutant, or else why none does."""
        try:
            now = check(mutant, self._monitor)
        except TraceError:
            return "form"
        if not now.is_legal:
            return now.findings[0].model
        if now.outside.total() > self._was.outside.total():
            return CUT
        if (why := _alike(self._was, now)) is not None:
            return why
        if _is_idle(self.event(number)):
            return IDLE
        self.others += [story.life for story in now.stories]
        return ANOTHER

    def event(self, number: int) -> Event:
        """Return the event with this number, as it was."""
        (event,) = (one for one in self._trace.events if one.n == number)
        return event


def _alike(was: Report, now: Report) -> str | None:
    """Return in what the lives of a mutant are those of the true trace; None if they are not."""
    if _shapes(now) == _shapes(was):
        return SAME
    before, after = _lives(was), _lives(now)
    if {of: Counter(steps) for of, steps in before.items()} == {
        of: Counter(steps) for of, steps in after.items()
    }:
        return MOVED
    if all(steps == before.get(of, ())[: len(steps)] for of, steps in after.items()):
        return ENDS
    return None


def _shapes(report: Report) -> Counter[Life]:
    """Return the lives, whoever lived them."""
    return Counter(story.life for story in report.stories)


def _lives(report: Report) -> Lives:
    """Return the steps of each thing that was told of; the life of a lane is told in pieces."""
    lives: Lives = {}
    for story in report.stories:
        of = (story.life.model, story.of)
        lives[of] = lives.get(of, ()) + story.life.steps
    return lives


def _is_idle(event: Event) -> bool:
    """Return whether it is a claim without entries, or a finish that was refused as a whole."""
    if event.act == "Claim":
        return not event.numbers("seqs").spans and not event.numbers("moved").spans
    return event.act == "Complete" and all(part is None for _, part, _, _, _ in parts(event))
