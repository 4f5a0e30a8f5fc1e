"""Finish.tla: how the entries of each claim end.

Owns: how the actions of Finish show in events.
Keeps: entries that always ended and were asked for together are one in the model: they are sets in
    the SQL as well. A claim that was made before the trace, or whose entries went too many ways, is
    left out and counted.
Above: check. Below: lab.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations, count, zip_longest

from awa.lab.kin import parts
from awa.lab.ranges import Ranges
from awa.lab.story import Names, Story, Telling, rounded, span
from awa.lab.tla.values import Value
from awa.lab.trace import Event

__all__ = ["project"]

WAYS_MAX = 8
"""Entries that one model holds: it goes through the sets of them."""

WORKERS = (2, 8, 32)
ENTRIES = (4, WAYS_MAX)
SEGMENTS = (1, 4, 16, 64)

OUTSIDE = ("leader", "operator")
"""Who ends entries from outside: in the model it makes no difference which of them."""


@dataclass(frozen=True, slots=True)
class _Ending:
    """What one event asked of a claim, and what came of it."""

    event: Event
    by: int | None
    asked: frozenset[int]
    failed: frozenset[int]
    part: int | None = None
    ended: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Claim:
    """One claim: what it holds, and what became of that; a Carry stands among the endings."""

    event: Event
    seqs: frozenset[int]
    endings: list[_Ending | Event] = field(default_factory=list)


def project(events: Iterable[Event]) -> tuple[list[Story], int]:
    """Return the life of each claim, and how many endings of others were left out."""
    claims: dict[int, _Claim] = {}
    outside = 0
    for event in events:
        if event.act == "Claim" and (seqs := frozenset(event.numbers("seqs"))):
            claims[event.output["claim"]] = _Claim(event, seqs)
        elif event.act == "Carry":
            for number in event.input["claims"]:
                if number in claims:
                    claims[number].endings.append(event)
        for number, ending in _endings(event):
            if number in claims:
                claims[number].endings.append(ending)
            else:
                outside += 1
    told = {number: (claim, _classes(claim)) for number, claim in claims.items()}
    few = {number: one for number, one in told.items() if max(one[1].values()) <= WAYS_MAX}
    outside += sum(len(told[number][0].endings) for number in told.keys() - few.keys())
    return [_story(number, claim, names) for number, (claim, names) in few.items()], outside


def _endings(event: Event) -> Iterable[tuple[int, _Ending]]:
    """Return what an event asked of which claims."""
    if event.act == "Complete":
        failed = frozenset(Ranges.read(event.input["failed"]))
        for claim, part, _, done, stale in parts(event):
            ended = frozenset(done)
            asked = ended | frozenset(stale)
            yield claim, _Ending(event, event.worker, asked, failed & ended, part, ended)
    elif event.act == "EndOpen":
        asked = frozenset(Ranges.read(event.input["seqs"]))
        over = frozenset(event.numbers("seqs"))
        yield event.input["claim"], _Ending(event, None, asked, asked, event.output["part"], over)


def _classes(claim: _Claim) -> dict[int, int]:
    """Return the number that stands for each entry: even if it failed; strangers come last."""
    marks: dict[int, list[tuple[int, bool, bool]]] = defaultdict(list)
    failing = set[int]()
    for place, one in enumerate(claim.endings):
        if isinstance(one, _Ending):
            failing |= one.failed if one.by is not None else set()
            for seq in one.asked:
                marks[seq].append((place, seq in one.failed, seq in one.ended))
    known: dict[object, int] = {}

    def named(seq: int, sort: object, numbers: Iterator[int]) -> int:
        like = (sort, *marks[seq])
        if like not in known:
            known[like] = next(numbers)
        return known[like]

    numbers = {True: count(2, 2), False: count(1, 2)}
    names = {s: named(s, s in failing, numbers[s in failing]) for s in sorted(claim.seqs)}
    strangers = count(rounded(max(names.values()), ENTRIES) + 1)
    return names | {s: named(s, "stranger", strangers) for s in sorted(marks.keys() - claim.seqs)}


def _story(number: int, claim: _Claim, names: dict[int, int]) -> Story:
    """Return a claim's life."""
    endings = [one for one in claim.endings if isinstance(one, _Ending)]
    workers = Names("w")
    telling = Telling(f"claim {number}")
    telling.add(claim.event, "Claim", workers[claim.event.worker], 1)
    carried = 1
    for one, xid in zip_longest(claim.endings, _xids(claim)[1:]):
        if isinstance(one, Event):
            carried += 1
            telling.add(one, "Carry", carried)
        else:
            # A leader's name is `leader:7`, with its epoch.
            outside = (one.event.actor or "").partition(":")[0]
            by = outside if one.by is None else workers[one.by]
            _tell(telling, one, by, names)
            if xid != one.event.xid:
                telling.add(one.event, "Commit", "c1")
    held = rounded(max(names[seq] for seq in claim.seqs), ENTRIES)
    every = rounded(max((held, *names.values())), ENTRIES)
    constants: dict[str, Value] = {
        "Workers": workers.upto(WORKERS),
        "Outside": frozenset(OUTSIDE),
        "Conns": frozenset({"c1"}),
        "Long": frozenset(),
        "Seqs": span(1, every),
        "Claimed": span(1, held),
        "Batches": _batches(every, endings, names),
        "Failing": _even(every),
        "Segments": span(1, rounded(carried, SEGMENTS)),
    }
    return telling.story("Finish", tuple(constants.items()))


def _xids(claim: _Claim) -> list[int]:
    """Return in which transaction each thing became of a claim that did."""
    return [(one if isinstance(one, Event) else one.event).xid for one in claim.endings]


def _named(seqs: frozenset[int], names: dict[int, int]) -> frozenset[int]:
    """Return the numbers that stand for these entries."""
    return frozenset(names[seq] for seq in seqs)


def _batches(every: int, endings: list[_Ending], names: dict[int, int]) -> frozenset[Value]:
    """Return what may be asked for: of few entries anything, so that most claims share a model."""
    if every > ENTRIES[0]:
        return frozenset(_named(one.asked, names) for one in endings)
    return _any(every)


@cache
def _any(every: int) -> frozenset[Value]:
    """Return all sets of the numbers up to this one."""
    sets = (combinations(range(1, every + 1), size) for size in range(every + 1))
    return frozenset(frozenset(some) for size in sets for some in size)


@cache
def _even(every: int) -> frozenset[Value]:
    """Return the even numbers up to this one."""
    return frozenset(range(2, every + 1, 2))


def _tell(telling: Telling, one: _Ending, by: str, names: dict[int, int]) -> None:
    """Tell one ending: it is asked for, and it is written or refused."""
    asked = _named(one.asked, names)
    failed = asked if one.by is None else frozenset(seq for seq in asked if seq % 2 == 0)
    telling.add(one.event, "Ask", "c1", by, asked, failed)
    if one.part is None:
        telling.add(one.event, "Refuse", "c1")
    else:
        act = "EndOpen" if one.by is None else "Complete"
        telling.add(one.event, act, by, "c1", one.part, _named(one.ended, names))
