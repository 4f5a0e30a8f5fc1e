"""Lanes: what a trace says of each lane of the entry log.

Owns: how the reads, pages and cursors in the claims of a queue are told apart by lane.
Keeps: the claims of a queue stand in the order of its lock, the reads of a claim in its own. What
    cannot be told, because it began before the trace, is left out and counted.
Above: cast, log. Below: lab.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from awa.lab.kin import DEFERRED_LANE, LANE_BITS, births, lane_of
from awa.lab.order import Read, reads_of
from awa.lab.ranges import Ranges
from awa.lab.trace import Event

__all__ = [
    "UNREAD",
    "Birth",
    "Cancel",
    "Claim",
    "Lane",
    "Look",
    "Page",
    "is_prepared",
    "lanes_of",
    "on_pages",
]

UNREAD = "unread"
"""The filler that nobody is, as examine has it."""

PAGE_MAX = 2_000
"""How many numbers of one lane the pages of a claim may hold."""


def is_prepared(holder: str) -> bool:
    """Tell if this is the name of a transaction that was prepared before the server began."""
    return holder.startswith("-1/")


@dataclass(frozen=True, slots=True)
class Page:
    """A hole page: numbers that were passed over, and by which names could still fill them."""

    seqs: frozenset[int]
    fillers: frozenset[str]

    @property
    def lane(self) -> int:
        """The lane that all of its numbers are of."""
        return lane_of(next(iter(self.seqs)))


@dataclass(frozen=True, slots=True)
class Birth:
    """Where an entry comes from."""

    event: Event
    is_told: bool = True
    """Whether it is in the trace; if not, the event is of the claim that found the entry."""

    @property
    def holder(self) -> str | None:
        """The name by which the lock table knows that transaction."""
        return self.event.input.get("holder") if self.is_told else None


@dataclass(frozen=True, slots=True)
class Look:
    """One read of a claim, as far as it is one of this lane."""

    read: Read
    spent: int
    """How much of the claim's room was used up in other lanes since the look before."""
    page: Page | None = None
    """The page that was looked at, if it was one of the newest claim's."""
    part: int | None = None
    """The last number that it was about: those beyond what it asked for were left unread."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim did in one lane: its cursor and its pages before it and after."""

    event: Event
    room: int
    looks: tuple[Look, ...]
    took: frozenset[int]
    began: int
    hi: int
    before: frozenset[Page]
    pages: frozenset[Page]

    @property
    def settles(self) -> bool:
        """Whether the cursor went beyond what was found there."""
        return self.hi > max([self.began, *(read.found.last or 0 for read in self._onward)])

    @property
    def last(self) -> int:
        """How far the lane had been drawn when the claim began, as far as it is of interest."""
        ends: list[int] = [read.found.last or 0 for read in self._onward]
        if self.settles:
            ends += [read.detail["upto"] for read in self._onward]
        return max([self.hi, *ends])

    @property
    def _onward(self) -> list[Read]:
        """The reads of entries beyond the cursor."""
        return [look.read for look in self.looks if look.part is None]

    @property
    def present(self) -> list[str] | None:
        """Who held a lock of the queue before the pages were looked at, if any was."""
        rows: Iterable[Mapping[str, Any]] = self.event.post.get("reads", ())
        return next((row["present"] for row in rows if row.get("page") is not None), None)


@dataclass(frozen=True, slots=True)
class Cancel:
    """An entry that was cancelled before it was claimed."""

    event: Event
    seq: int


@dataclass(slots=True)
class Lane:
    """What happened in a lane, in order."""

    number: int
    births: dict[int, Birth] = field(default_factory=dict)
    items: list[Claim | Cancel] = field(default_factory=list)


@dataclass(slots=True)
class _Queue:
    """What the newest claim of a queue says: its pages by their names, and its cursors."""

    pages: dict[int, Page] = field(default_factory=dict)
    cursors: dict[int, int] = field(default_factory=dict)

    def of(self, lane: int) -> frozenset[Page]:
        """Return the pages of one lane."""
        return frozenset(page for page in self.pages.values() if page.lane == lane)

    def lanes(self) -> set[int]:
        """Return the lanes that have a page or a cursor."""
        return {*self.cursors, *(page.lane for page in self.pages.values())}


def on_pages(pages: Iterable[Page]) -> set[int]:
    """Return the numbers on pages."""
    return {seq for page in pages for seq in page.seqs}


def lanes_of(events: Iterable[Event]) -> tuple[list[Lane], int]:
    """Return the lanes of a trace, and how many claims in one of them cannot be told."""
    lanes: dict[int, Lane] = {}
    queues: dict[str | None, _Queue] = defaultdict(_Queue)
    outside = 0
    for event in events:
        for seq in births(event):
            lanes.setdefault(lane_of(seq), Lane(lane_of(seq))).births[seq] = Birth(event)
        for number, item in _items(event, queues[event.lock]):
            if item is None:
                outside += 1
            else:
                lanes.setdefault(number, Lane(number)).items.append(item)
    return [lane for lane in lanes.values() if lane.number != DEFERRED_LANE], outside


def _items(event: Event, queue: _Queue) -> Iterator[tuple[int, Claim | Cancel | None]]:
    """Tell an event lane by lane; None where it cannot be told."""
    if event.act == "Cancel" and (event.lock or "").startswith("queue:"):
        seq = event.input["seq"]
        yield lane_of(seq), Cancel(event, seq)
    elif event.act == "Claim" and "lanes" not in event.post:
        yield DEFERRED_LANE, None
    elif event.act == "Claim":
        claim = _Claim(event, queue)
        for lane in sorted({*queue.lanes(), *claim.after.lanes(), *claim.looks}):
            if claim.touches(lane):
                yield lane, claim.told(lane)
        queue.pages, queue.cursors = claim.after.pages, claim.after.cursors


# --- Claims ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Claim:
    """A claim of a queue, and what it leaves."""

    event: Event
    queue: _Queue
    after: _Queue = field(default_factory=_Queue)
    looks: dict[int, list[Look]] = field(default_factory=dict)
    is_known: bool = True
    """Whether all pages are known that it looked at or kept."""

    def __post_init__(self) -> None:
        """Read what the event says of pages, cursors and reads."""
        rows, names = self.event.post.get("written", ()), self.event.post.get("pages") or ()
        kept = names[: len(names) - len(rows)]
        written = [_page(row) for row in rows]
        reads = reads_of(self.event)
        asked = {read.detail["page"] for read in reads if read.detail.get("page") is not None}
        self.is_known = asked | set(kept) <= self.queue.pages.keys() and None not in written
        pages = [*((name, self.queue.pages.get(name)) for name in kept)]
        pages += zip(names[len(kept) :], written, strict=True)
        self.after.pages = {name: page for name, page in pages if page is not None}
        cursors = zip(self.event.post["lanes"], self.event.post["hi"], strict=True)
        self.after.cursors = self.queue.cursors | dict(cursors)
        homes = [self._lane(read) for read in reads]
        lanes = {*self.queue.lanes(), *self.after.lanes()}
        for lane in lanes.union(home for home in homes if home is not None):
            mine = [page for page in written if page is not None and page.lane == lane]
            if looks := list(self._looks(lane, list(zip(reads, homes, strict=True)), mine)):
                self.looks[lane] = looks

    def _lane(self, read: Read) -> int | None:
        """Return the lane of a read; None if it had no room, and does not say."""
        if "after" in read.detail:
            return lane_of(read.detail["upto"])
        return None if read.asked.last is None else lane_of(read.asked.last)

    def _looks(
        self, lane: int, reads: Iterable[tuple[Read, int | None]], written: list[Page]
    ) -> Iterator[Look]:
        """Tell the reads of one lane apart, each with what was found elsewhere before it."""
        spent = 0
        for read, home in reads:
            if home not in (lane, None):
                spent += read.found.count
            elif "after" in read.detail:
                yield Look(read, spent)
                spent = 0
            else:
                page = self.queue.pages.get(read.detail["page"] or 0)
                unread = _take(written, read, page)
                part = max(unread, default=read.asked.last)
                if part is not None:
                    yield Look(read, spent, page, part)
                    spent = 0

    def touches(self, lane: int) -> bool:
        """Tell if the claim did anything in a lane."""
        return (
            lane in self.looks
            or self.queue.of(lane) != self.after.of(lane)
            or self.queue.cursors.get(lane) != self.after.cursors.get(lane)
        )

    def told(self, lane: int) -> Claim | None:
        """Return what the claim did in one lane, if that can be told."""
        if not self.is_known:
            return None
        looks = self.looks.get(lane, [])
        afters = [look.read.detail["after"] for look in looks if "after" in look.read.detail]
        began = self.queue.cursors.get(lane, min(afters, default=lane << LANE_BITS))
        seqs = (*self.event.numbers("seqs"), *self.event.numbers("moved"))
        room, looks = self._room(looks)
        return Claim(
            self.event,
            room,
            tuple(looks),
            frozenset(seq for seq in seqs if lane_of(seq) == lane),
            began,
            self.after.cursors.get(lane, began),
            self.queue.of(lane),
            self.after.of(lane),
        )

    def _room(self, looks: list[Look]) -> tuple[int, list[Look]]:
        """Return the room that a lane had; how much was left in the end makes no difference."""
        room: int = self.event.input["room"]
        found = sum(look.read.found.count for look in looks)
        if room > found + sum(look.spent for look in looks):
            return found + 1, [replace(look, spent=0) for look in looks]
        return room, looks


def _page(row: Mapping[str, Any]) -> Page | None:
    """Read a page that was written, unless it is too large to tell."""
    seqs = Ranges.read(row["seqs"])
    return None if seqs.count > PAGE_MAX else Page(frozenset(seqs), frozenset(row["fillers"]))


def _take(written: list[Page], read: Read, page: Page | None) -> frozenset[int]:
    """Take what a look wrote from the front of what was written; return what it left unread."""
    unread = frozenset[int]()
    if written and UNREAD in written[0].fillers:
        seqs = written[0].seqs
        if min(seqs) > (read.asked.last or 0) and (page is None or seqs <= page.seqs):
            unread = written.pop(0).seqs
    if written and written[0].seqs <= frozenset(read.asked):
        written.pop(0)
    return unread
