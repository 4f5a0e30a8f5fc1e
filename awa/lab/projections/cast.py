"""The cast of a lane's life: what its numbers, transactions and pages are called in Log.tla.

Owns: the names that a life gives, and what one life hands on to the next.
Keeps: numbers keep their order and begin at 1; a transaction has the number of its first deed. One
    that is over when it comes again is another.
Above: log. Below: lanes; lab.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from awa.lab.projections.lanes import UNREAD, Lane, Page, is_prepared, on_pages
from awa.lab.tla.values import Value, function

__all__ = ["Cast", "Key", "Tx"]

Key = int | str
"""What a transaction is known by: its xid, or the name that the lock table has for it."""

_OPEN = {"virtual": "open", "prepared": "prepared"}


@dataclass(slots=True)
class Tx:
    """A transaction, as far as it is of this lane; without a lock once that is known to be gone."""

    number: int
    key: Key
    holder: str | None
    state: str = "open"
    lock: str | None = "virtual"
    seqs: list[int] = field(default_factory=list)


class Cast:
    """Who and what is in one life."""

    def __init__(self, lane: Lane, holders: Mapping[str, int], numbers: list[int]) -> None:
        self.lane, self.holders, self.numbers = lane, holders, numbers
        self.txs: dict[Key, Tx] = {}
        self.owned: dict[Key, list[int]] = {}
        for seq in numbers:
            if (key := self.owner(seq)) is not None:
                self.owned.setdefault(key, []).append(seq)

    def index(self, number: int | None) -> int:
        """Return what a number is called: how many of this life's there are up to it."""
        return bisect_right(self.numbers, number or 0)

    def seqs(self, numbers: Iterable[int]) -> frozenset[Value]:
        """Return what numbers are called."""
        return frozenset(self.index(number) for number in numbers)

    def owner(self, seq: int) -> Key | None:
        """Return the transaction that appended an entry; None if nobody is known to have."""
        birth = self.lane.births.get(seq)
        if birth is None:
            return None
        return birth.event.xid if birth.is_told else f"before the trace: {seq}"

    def key(self, holder: str) -> Key:
        """Return whose name this is: that of a prepared transaction may be made of its xid."""
        if is_prepared(holder):
            xid = int(holder.partition("/")[2].partition("@")[0])
            return next((one for one in self.holders.values() if one % 2**32 == xid), holder)
        return self.holders.get(holder, holder)

    def tx(self, key: Key, holder: str | None, *, draws: bool = False) -> Tx:
        """Return a transaction; one that draws when it is over in this life is another."""
        place = key
        if draws and key in self.txs and self.txs[key].state != "open":
            place = f"{key} again"
        if place not in self.txs:
            self.txs[place] = Tx(len(self.txs) + 1, key, holder)
        return self.txs[place]

    def committing(self, key: Key) -> list[Tx]:
        """Return the transactions of a key that have appended something and are not over."""
        known = (self.txs.get(key), self.txs.get(f"{key} again"))
        return [tx for tx in known if tx and tx.seqs and tx.state in _OPEN.values()]

    def page(self, page: Page) -> Value:
        """Return a page as the model has it."""
        fillers: set[Value] = {
            (_kind(name), self.tx(self.key(name), name).number)
            for name in sorted(page.fillers)
            if name != UNREAD
        }
        if UNREAD in page.fillers:
            fillers.add((UNREAD, 0))
        return function({"seqs": self.seqs(page.seqs), "fillers": frozenset(fillers)})

    def pages(self, pages: Iterable[Page]) -> frozenset[Value]:
        """Return pages as the model has them."""
        return frozenset(self.page(page) for page in pages)

    def remember(self, txs: Mapping[Key, Tx], pages: frozenset[Page]) -> list[Tx]:
        """Take over who has to do with the pages at the beginning; return what they were then."""
        seqs = on_pages(pages)
        owned = {key: [seq for seq in own if seq in seqs] for key, own in self.owned.items()}
        fillers = {
            self.key(name): Tx(0, self.key(name), name, _OPEN[_kind(name)], _kind(name))
            for name in sorted({name for page in pages for name in page.fillers} - {UNREAD})
        }
        for key in sorted({*fillers, *(key for key, own in owned.items() if own)}, key=str):
            gone = Tx(0, key, None, "committed", None)
            known = txs.get(key) or fillers.get(key, gone)
            # Of one that may hold its lock yet, the end is told again.
            state = known.state if known.lock is None else _OPEN[known.lock]
            number, own = len(self.txs) + 1, owned.get(key, [])
            self.txs[key] = replace(known, number=number, state=state, seqs=own)
        return [replace(tx, seqs=list(tx.seqs)) for tx in self.txs.values()]


def _kind(holder: str) -> str:
    """Return the kind of a name."""
    return "prepared" if is_prepared(holder) else "virtual"
