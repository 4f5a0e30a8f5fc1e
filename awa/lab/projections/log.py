"""Log.tla: how claims read each lane.

Owns: how the actions of Log show in what is told of a lane, and where a lane's life is cut.
Keeps: a life begins at the cursor and the pages that the claim before it left, and knows only
    numbers that it deals with: what lies behind the cursor on no page is forgotten. Numbers keep
    their order. What a claim says of cursor, pages and entries taken must be so in the model.
Above: check. Below: cast, lanes; lab.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby

from awa.lab.life import Claims, State
from awa.lab.projections.cast import Cast, Key, Tx
from awa.lab.projections.lanes import (
    Birth,
    Cancel,
    Claim,
    Lane,
    Look,
    is_prepared,
    lanes_of,
    on_pages,
)
from awa.lab.story import Names, Story, Telling, rounded, span
from awa.lab.tla.values import Value, function
from awa.lab.trace import Event

__all__ = ["project"]

CLAIMS_MAX = 12
"""Claims in one life, while pages are left: without one it ends with each claim."""
NUMBERS_MAX = 2_000
"""Numbers in one life. What deals with more is left out, and counted."""

SIZES = (16, 32, 64, 128, 1024, 4096)
CLAIMERS = (4, 16, 64)

IDLE: Value = function(
    {
        "at": "idle", "own": 0, "room": 0, "number": 0, "hi": 0, "pages": frozenset(), "last": 0,
        "now": frozenset(), "took": frozenset(), "fresh": frozenset(), "settled": frozenset(),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Left:
    """What the next life of a lane must know besides cursor and pages."""

    txs: dict[Key, Tx] = field(default_factory=dict)
    cancels: tuple[Cancel, ...] = ()


def project(events: Iterable[Event]) -> tuple[list[Story], int]:
    """Return the lives of each lane, and how many claims and entries in one were left out."""
    lanes, outside = lanes_of(events)
    births = [birth for lane in lanes for birth in lane.births.values()]
    holders = {birth.holder: birth.event.xid for birth in births if birth.holder}
    stories: list[Story] = []
    for lane in lanes:
        outside += _untold(lane)
        left = _Left()
        for items in _cut(lane):
            life = _Life(lane, holders, items, left)
            if life.is_known:
                stories.append(life.told())
            else:
                outside += len(life.claims)
            left = life.left()
    return stories, outside


def _untold(lane: Lane) -> int:
    """Give what was found a birth if that was before the trace; return of how much that is so."""
    untold = 0
    for item in lane.items:
        for look in item.looks if isinstance(item, Claim) else ():
            for seq in look.read.found:
                if seq not in lane.births:
                    lane.births[seq] = Birth(item.event, is_told=False)
                    untold += 1
    return untold


def _cut(lane: Lane) -> Iterator[list[Claim | Cancel]]:
    """Cut what happened in a lane where a claim leaves no page, or where it becomes long."""
    items: list[Claim | Cancel] = []
    for item in lane.items:
        items.append(item)
        if isinstance(item, Claim) and (not item.pages or len(items) >= CLAIMS_MAX):
            yield items
            items = []
    if any(isinstance(item, Claim) for item in items):
        yield items


def _numbers(claims: list[Claim]) -> list[int]:
    """Return the numbers that claims deal with; of too many only so many that it shows."""
    began, end = claims[0].began, max(claim.last for claim in claims)
    if end - began > NUMBERS_MAX:
        return list(range(NUMBERS_MAX + 1))
    known = {*range(began + 1, end + 1), *on_pages(claims[0].before)}
    dealt = {claim.hi for claim in claims if claim.hi < began}
    for claim in claims:
        dealt |= claim.took | on_pages(claim.pages)
        dealt.update(*(look.read.found for look in claim.looks))
    # What is behind the cursor on no page cannot be; the model must be able to say so.
    return sorted(known | dealt)


class _Life:
    """One life of a lane, as it is told."""

    def __init__(
        self, lane: Lane, holders: dict[str, int], items: list[Claim | Cancel], left: _Left
    ) -> None:
        self.lane, self.items = lane, items
        self.claims = [item for item in items if isinstance(item, Claim)]
        self.first, self.last = self.claims[0], self.claims[-1]
        self.cast = Cast(lane, holders, _numbers(self.claims))
        self.telling = Telling(f"lane {lane.number}")
        self.claimers = Names("c")
        self.drawn = self.first.began
        self.begun = self.cast.remember(left.txs, self.first.before)
        self.cancels = (*left.cancels, *(item for item in items if isinstance(item, Cancel)))

    @property
    def is_known(self) -> bool:
        """Whether it can be told: it is not too large, and who filled a hole is in the trace."""
        late = on_pages(self.first.before)
        for claim in self.claims:
            late |= on_pages(claim.pages)
            late.update(*(look.read.found for look in claim.looks if look.part is not None))
        births = [self.lane.births[seq] for seq in late & self.lane.births.keys()]
        return len(self.cast.numbers) <= NUMBERS_MAX and all(birth.is_told for birth in births)

    def left(self) -> _Left:
        """Return what the next life must know."""
        on_it = on_pages(self.last.pages)
        cancels = [one for one in self.cancels if one.seq > self.last.hi or one.seq in on_it]
        return _Left(self.cast.txs, tuple(cancels))

    def _start(self, txs: frozenset[int], size: int) -> State | None:
        """Return the state at the beginning; None if it is that of a lane at its own beginning."""
        cast, first = self.cast, self.first
        hi = cast.index(first.began)
        if not hi and not first.before:
            return None
        begun = {tx.number: tx for tx in self.begun}
        idle = Tx(0, 0, None, "idle")
        claim = {"number": 0, "hi": hi, "pages": cast.pages(first.before)}
        state: dict[str, Value] = {
            "last": hi,
            "st": function({n: begun.get(n, idle).state for n in txs}),
            "seqs": function({n: cast.seqs(begun.get(n, idle).seqs) for n in txs}),
            "locks": frozenset((tx.lock, tx.number) for tx in self.begun if tx.lock),
            "queueLock": "none",
            "claim": function(claim),
            "over": frozenset(),
            "work": function(dict.fromkeys(self.claimers.upto(CLAIMERS), IDLE)),
            "chain": (),
            "taken": function({n: () for n in range(1, size + 1)}),
            "aborts": 0,
        }
        return tuple(state.items())

    def told(self) -> Story:
        """Tell the life."""
        for one in self.cancels:
            if one not in self.items:
                self._cancel(one)
        for item in self.items:
            if isinstance(item, Cancel):
                self._cancel(item)
            else:
                self._claim(item)
        rooms = max(claim.room for claim in self.claims)
        size = rounded(max(rooms, len(self.cast.numbers)), SIZES)
        txs = span(1, rounded(len(self.cast.txs), SIZES))
        constants: dict[str, Value] = {
            "Txs": txs,
            "Claimers": self.claimers.upto(CLAIMERS),
            "Rooms": span(0, size),
            **dict.fromkeys(("Preparers", "Passers", "Steppers"), txs),
            **dict.fromkeys(("MaxSpent", "MaxSeq", "MaxVoid", "MaxOver"), size),
            "MaxAborts": 0,
        }
        return self.telling.story("Log", tuple(constants.items()), self._start(txs, size))

    # --- Producers -----------------------------------------------------------------------------

    def _draw(self, upto: int, event: Event) -> None:
        """Tell that numbers were drawn, each by whom it belongs to."""
        drawn = [seq for seq in self.cast.numbers if self.drawn < seq <= upto]
        self.drawn = max(self.drawn, upto)
        for key, group in groupby(drawn, self.cast.owner):
            seqs = list(group)
            if key is None:
                self.telling.add(event, "Skip", len(seqs))
                continue
            birth = self.lane.births[seqs[0]]
            tx = self.cast.tx(key, birth.holder, draws=True)
            tx.seqs += seqs
            self.telling.add(birth.event, "Draw", tx.number, len(seqs), True)

    def _commit(self, key: Key, event: Event) -> None:
        """Tell that a transaction committed, with all that it appended."""
        self._draw(self.cast.owned[key][-1], event)
        for tx in self.cast.committing(key):
            tx.state = "committed"
            self.telling.add(self.lane.births[tx.seqs[0]].event, "Commit", tx.number)

    def _commit_seen(self, look: Look, event: Event) -> None:
        """Tell that those committed whose entries a look can see: not its own transaction."""
        for key, seqs in self.cast.owned.items():
            if isinstance(key, str):
                is_seen = seqs[0] in look.read.found
            else:
                is_seen = key != event.xid and look.read.snapshot.sees(key)
            if is_seen:
                self._commit(key, event)

    def _cancel(self, cancel: Cancel) -> None:
        """Tell that an entry was cancelled, if this life deals with it."""
        key = self.cast.owner(cancel.seq)
        if key in self.cast.owned and cancel.seq in self.cast.owned[key]:
            self._commit(key, cancel.event)
            self.telling.add(cancel.event, "Cancel", self.cast.index(cancel.seq))

    # --- Claims --------------------------------------------------------------------------------

    def _see_locks(self, event: Event, present: Iterable[str], is_whole: bool) -> list[Tx]:
        """Bring the lock table to what a claim saw of it; return who holds another lane's lock."""
        names = {self.cast.key(name): name for name in present}
        elsewhere = []
        for tx in [tx for tx in self.cast.txs.values() if tx.lock is not None]:
            if tx.key in names:
                self._prepare(tx, names[tx.key], event)
            elif not is_whole and not tx.seqs:
                elsewhere.append(tx)
            elif tx.holder is not None or tx.state != "open":
                self._end(tx, event)
        for key, name in names.items():
            if key not in self.cast.txs:
                tx = self.cast.tx(key, name)
                self.telling.add(event, "Touch", tx.number)
                self._prepare(tx, name, event)
        return elsewhere

    def _prepare(self, tx: Tx, name: str, event: Event) -> None:
        """Tell that a transaction was prepared, if its name shows that."""
        if is_prepared(name) and tx.lock != "prepared":
            tx.state, tx.lock = "prepared", "prepared"
            self.telling.add(event, "Prepare", tx.number)

    def _end(self, tx: Tx, event: Event) -> None:
        """Tell that a transaction is gone; if no event says that it committed, it has not."""
        if tx.key in self.cast.owned:
            self._commit(tx.key, event)
        if tx.state != "committed":
            tx.state = "aborted"
            self.telling.add(event, "Rollback", tx.number)
        tx.lock = None
        self.telling.add(event, "Unlock", tx.number)

    def _own(self, claim: Claim) -> Tx | None:
        """Return the claim's own transaction, if it has appended entries that are of interest."""
        event = claim.event
        before = [
            seq
            for seq in self.cast.owned.get(event.xid, ())
            if self.lane.births[seq].event.k < event.k and seq > claim.began
        ]
        if not before:
            return None
        self._draw(before[-1], event)
        return self.cast.tx(event.xid, None)

    def _claim(self, claim: Claim) -> None:
        """Tell a claim, statement by statement."""
        event = claim.event
        self._draw(claim.last, event)
        own, c = self._own(claim), self.claimers[event.worker]
        self.telling.add(event, "TakeLock", c, own.number if own else 0, claim.room)
        if claim.before:
            if claim.present is not None:
                self._see_locks(event, claim.present, is_whole=True)
            self.telling.add(event, "ReadLocks", c)
        self._looks(claim, c)
        step = self.telling.steps[-1]
        took: Claims = (("work", (c, "took"), self.cast.seqs(claim.took)),)
        self.telling.steps[-1] = replace(step, after=took)
        hi, pages = self.cast.index(claim.hi), self.cast.pages(claim.pages)
        after: Claims = (("claim", ("hi",), hi), ("claim", ("pages",), pages))
        before = (claim.began, claim.before)
        is_changed = claim.took or (claim.hi, claim.pages) != before
        self.telling.add(event, "CommitClaim" if is_changed else "GoAway", c, after=after)
        if own:
            own.state = "committed"

    def _looks(self, claim: Claim, c: str) -> None:
        """Tell what a claim read."""
        event, is_reading = claim.event, True
        for look in claim.looks:
            if look.spent:
                self.telling.add(event, "Spend", c, look.spent)
            asked = self.cast.index(look.read.asked.last)
            if look.part is not None and look.page is None and is_reading:
                is_reading = False
                self._read_fillers(claim, c, look.read.detail["present"])
            self._commit_seen(look, event)
            if look.page is not None:
                first = self.cast.index(min(look.page.seqs))
                self.telling.add(event, "LookAtPage", c, first, asked)
            elif look.part is not None:
                self.telling.add(event, "LookAgain", c, self.cast.index(look.part), asked)
            elif look.read.found:
                self.telling.add(event, "ReadEntries", c, self.cast.index(look.read.found.last))
        if is_reading and claim.settles:
            self.telling.add(event, "Settle", c)

    def _read_fillers(self, claim: Claim, c: str, present: Iterable[str]) -> None:
        """Tell who could fill the fresh holes of a claim."""
        if claim.settles:
            self.telling.add(claim.event, "Settle", c)
        elsewhere = self._see_locks(claim.event, present, is_whole=False)
        self.telling.add(claim.event, "ReadFillers", c)
        for tx in elsewhere:
            self.telling.add(claim.event, "Overlook", c, tx.number)
