"""Segments.tla: how the segments of the logs are opened, sealed, closed and emptied.

Owns: how the actions of a rotation and of a prune show in events, and where their story is cut.
Keeps: a switch takes effect before anything that has seen it, even if its event was rolled back. A
    prune has chosen where it carries to while that was open. A slot is followed from its first
    event on; what it was before that is taken for right, and counted, unless the trace has the
    first rotation of all.
Above: check. Below: lab.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from awa.lab.life import Claims, State
from awa.lab.story import Hands, Story, Telling, rounded, span
from awa.lab.tla.values import Value, function
from awa.lab.trace import Event

__all__ = ["project"]

ACTS = frozenset({"Open", "Switch", "Seal", "Close", "Prune"})

STEPS_MAX = 40
"""Steps in one life, if no prune is at work then."""

SLOTS = (2, 4, 16, 64, 256, 1000)
NUMBERS = (8, 32, 128, 1024)
PRUNERS = (1, 2, 8, 64)

VACANT = (0, "free")
NOWHERE: Value = function({"number": 0, "slot": 0})
RESTING: Value = function({"at": "idle", "what": NOWHERE, "here": NOWHERE})

BEFORE = {"Switch": "open", "Seal": "open", "Close": "sealed", "Prune": "closed"}
"""What a segment is before an event, where that is the first to speak of it."""


@dataclass(slots=True)
class _Item:
    """Something that was done to a segment: its number, its slot, and where a prune carries to."""

    act: str
    event: Event
    number: int
    slot: int
    here: int | None = None
    judges: list["_Item"] = field(default_factory=list)
    """The prunes that chose where to carry before this switch, and emptied after it."""


@dataclass(slots=True)
class _Known:
    """The segments, as far as the events have told of them."""

    open: tuple[int, int]
    slots: dict[int, tuple[int, str]] = field(default_factory=dict)

    def take(self, item: _Item) -> None:
        """Take in what was done."""
        to = {"Open": "open", "Seal": "sealed", "Close": "closed"}.get(item.act)
        if to is not None:
            self.slots[item.slot] = (item.number, to)
        elif item.act == "Prune":
            self.slots[item.slot] = VACANT
        elif item.act == "Switch":
            self.open = (item.number, item.slot)

    @property
    def waiting(self) -> tuple[int, int] | None:
        """The segment that was opened and not switched to: its number and slot."""
        later = (
            (number, slot) for slot, (number, _) in self.slots.items() if number > self.open[0]
        )
        return min(later, default=None)


def project(events: Sequence[Event]) -> tuple[list[Story], int]:
    """Return what the segments went through, and of how many the beginning was not told."""
    heres = {event.xid: event.input["here"] + 1 for event in events if event.act == "Carry"}
    told = [_item(event, heres) for event in events if event.act in ACTS]
    if not told:
        return [], 0
    known, outside = _beginning(told)
    slots = max([*known.slots, *(item.slot for item in told), *heres.values()])
    items = list(_with_switches(told, _Known(known.open, dict(known.slots))))
    _place_judges(items, known.open[1], is_whole=not outside)
    stories = []
    while items:
        life = _Life(known, slots)
        stories.append(life.told(items))
        known, items = life.known, items[life.taken :]
    return stories, outside


def _item(event: Event, heres: Mapping[int, int]) -> _Item:
    """Read an event; the slots of the model begin at 1."""
    here = heres.get(event.xid) if event.act == "Prune" else None
    return _Item(event.act, event, event.output["number"], event.output["slot"] + 1, here)


def _beginning(items: list[_Item]) -> tuple[_Known, int]:
    """Return what was there before the first event, and how much of it is only inferred."""
    if any((item.act, item.number) == ("Open", 2) for item in items):
        first = _Known((1, 1), {item.slot: VACANT for item in items} | {1: (1, "open")})
        return first, 0
    slots: dict[int, tuple[int, str]] = {}
    for item in items:
        is_fresh = item.act == "Open"
        slots.setdefault(item.slot, VACANT if is_fresh else (item.number, BEFORE[item.act]))
    moved = next((item.number for item in items if item.act in {"Open", "Switch"}), None)
    number = max(one for one, _ in slots.values()) + 1 if moved is None else moved - 1
    named = (slot for slot, (one, _) in slots.items() if one == number)
    heres = (item.here for item in items if item.here is not None and item.here not in slots)
    slot = next(chain(named, heres), max(slots) + 1)
    inferred = sum(one > 0 for one, _ in slots.values())
    return _Known((number, slot), slots | {slot: (number, "open")}), inferred


def _with_switches(items: list[_Item], known: _Known) -> Iterator[_Item]:
    """Tell a switch before whatever has seen it: its event may be late, or lost."""
    early = set[int]()
    for item in items:
        if item.act == "Switch" and item.number in early:
            continue
        waiting = known.waiting
        has_seen = (item.act, item.number) == ("Seal", known.open[0]) or (
            waiting is not None and item.here == waiting[1]
        )
        if has_seen and waiting is not None:
            early.add(waiting[0])
            switch = _Item("Switch", item.event, *waiting)
            known.take(switch)
            yield switch
        known.take(item)
        yield item


def _place_judges(items: list[_Item], slot: int, is_whole: bool) -> None:
    """Have each prune choose where it carries to while that was open, in the trace or before."""
    left: dict[int, _Item] = {}
    for item in items:
        if item.act == "Switch":
            left[slot], slot = item, item.slot
        elif item.here in left and item.here != slot:
            left[item.here].judges.append(item)
        elif item.here != slot and not is_whole:
            item.here = None


class _Life:
    """A part of the story, from one state at rest to another."""

    def __init__(self, known: _Known, slots: int) -> None:
        self.first = _Known(known.open, dict(known.slots))
        self.known = _Known(known.open, dict(known.slots))
        self.slots = slots
        used = [number for number, _ in known.slots.values() if number > 0]
        self.base = min([known.open[0], *used]) - 1
        self.telling = Telling("the segments")
        self.pruners = Hands("l")
        self.highest = 0
        self.taken = 0

    def told(self, items: list[_Item]) -> Story:
        """Tell these, up to a point of rest; return the story."""
        for item in items:
            if len(self.telling.steps) >= STEPS_MAX and not self.pruners.at_work:
                break
            for one in item.judges:
                self._judge(one)
            self._tell(item)
            self.known.take(item)
            self.taken += 1
        slots = rounded(self.slots, SLOTS)
        pruners = self.pruners.upto(PRUNERS)
        start = self._state(slots, pruners)
        nobody: frozenset[Value] = frozenset()
        constants: dict[str, Value] = {
            "Slots": span(1, slots),
            "Made": frozenset({1}),
            "Writers": nobody,
            "Readers": nobody,
            "Pruners": pruners,
            "MaxNumber": rounded(self.highest, NUMBERS),
        }
        return self.telling.story("Segments", tuple(constants.items()), start)

    def _number(self, number: int) -> int:
        """Return the number as this life counts: from the first that is in use."""
        self.highest = max(self.highest, number - self.base)
        return number - self.base

    def _name(self, number: int, slot: int) -> Value:
        """Return a name as the sequence says it."""
        return function({"number": self._number(number), "slot": slot})

    def _tell(self, item: _Item) -> None:
        """Tell what was done, and what the event says of it."""
        number = self._number(item.number)
        if item.act == "Prune":
            self._prune(item)
            return
        after: Claims = (("segment", (item.slot, "number"), number),)
        if item.act == "Switch":
            after = (("open", (), self._name(item.number, item.slot)),)
        self.telling.add(item.event, item.act, item.slot, after=after)

    def _prune(self, item: _Item) -> None:
        """Tell a prune, whose locks were had just before."""
        if id(item) not in self.pruners.at_work:
            self._judge(item)
        pruner = self.pruners.at_work.pop(id(item))
        self.telling.add(item.event, "LockTables", pruner)
        self.telling.add(item.event, "Prune", pruner)

    def _judge(self, item: _Item) -> None:
        """Tell that a prune found a segment over, and chose where to carry."""
        pruner = self.pruners.take(id(item))
        what = self._name(item.number, item.slot)
        after: Claims = (("prune", (pruner, "what"), what),)
        if item.here is not None:
            after += (("prune", (pruner, "here", "slot"), item.here),)
        self.telling.add(item.event, "Judge", pruner, item.slot, after=after)

    def _state(self, slots: int, pruners: frozenset[Value]) -> State | None:
        """Return the state at the beginning; None if it is that of a new database."""
        used = {slot: row for slot, row in self.first.slots.items() if row[0] > 0}
        if self.first.open == (1, 1) and used == {1: (1, "open")}:
            self._number(1)
            return None
        rows = {
            slot: {"number": self._number(used[slot][0]), "is": used[slot][1]}
            if slot in used
            else {"number": 0, "is": "free"}
            for slot in range(1, slots + 1)
        }
        nothing = function({})
        state: dict[str, Value] = {
            "open": self._name(*self.first.open),
            "segment": function({slot: function(row) for slot, row in rows.items()}),
            **dict.fromkeys(("row", "write", "read", "takes"), nothing),
            "prune": function(dict.fromkeys(pruners, RESTING)),
        }
        return tuple(state.items())
