"""The audit: each committed change of a row is one event's doing, and all that was told is there.

Owns: how changes and events are matched, and what does not match.
Keeps: a change is explained by exactly one event of its transaction, or stands in the list of what
    is no transition; what an event says of a row is what was written, and not what was meant.
Above: the tests, chaos. Below: expected, trace, wal; store.
"""

import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from awa.lab.expected import KEYS, NO_TRANSITION, SET, Expected, expected
from awa.lab.trace import Event
from awa.lab.wal import Change, Decoder, Row, Transaction
from awa.store.recorder import recorder

__all__ = ["Audit", "Ledger", "Unexplained", "audited"]

XIDS = 2**32
FINDINGS_MAX = 100
_JSON = ("input", "output", "post")
_WHERE = frozenset({"segment", "next_segment"})

Address = tuple[str, str, tuple[str, ...]]
"""What was done, in which table, to which row."""
Wanted = dict[Address, list[tuple[Event, Expected]]]
"""The rows that the events of a transaction say it changed, and that were not met yet."""


@dataclass(frozen=True, slots=True)
class Unexplained:
    """What does not match: a change, an event, or the two."""

    xid: int
    change: str
    event: Event | None
    why: str

    def __str__(self) -> str:
        said = f" by {self.event}" if self.event else ""
        return f"transaction {self.xid}: {self.change}{said}: {self.why}"


@dataclass(slots=True)
class Ledger:
    """What has been audited so far, one transaction after another in the order of their commits."""

    findings: list[Unexplained] = field(default_factory=list)
    count: int = 0
    """How many findings there are; the first hundred are kept."""
    explained: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """How many changes of which kind, in which table, were explained by which act or reason."""
    _rows: dict[tuple[str, tuple[str, ...]], Row] = field(default_factory=dict)
    _xid: int = 0

    def take(self, transaction: Transaction) -> None:
        """Match the changes of a transaction with its events."""
        self._xid = transaction.xid
        events = []
        changes = []
        for change in transaction.changes:
            if (change.op, change.table) == ("insert", "trace_event"):
                events.append(_event(change.row))
            changes.append((change, self._apply(change)))
        wanted = self._wanted(events)
        met: dict[Address, Event] = {}
        for change, before in changes:
            self._explain(change, before, wanted, met)
        for address, left in wanted.items():
            for event, row in left:
                if not row.may:
                    why = (
                        f"{met[address]} has told it" if address in met else "there is no such row"
                    )
                    self._find(_named(*address), event, why)

    def _wanted(self, events: list[Event]) -> Wanted:
        """Return the rows that the events of this transaction say they changed."""
        wanted: Wanted = defaultdict(list)
        for event in events:
            if event.xid % XIDS != self._xid:
                self._find("an event", event, f"it says that its transaction is {event.xid}")
            for row in expected(event, self._rows):
                wanted[row.op, row.table, row.key].append((event, row))
        return wanted

    def _apply(self, change: Change) -> Row | None:
        """Do to our own rows what was done; return the row that was there."""
        if change.op == "truncate":
            gone = [
                at for at, row in self._rows.items()
                if at[0] == change.table and row["segment"] == str(change.slot)
            ]  # fmt: skip
            for at in gone:
                del self._rows[at]
        if change.slot is None or change.new is None:
            return change.old
        at = (change.table, _key(change))
        before = self._rows.get(at)
        self._rows[at] = change.new
        return before

    def _explain(
        self, change: Change, before: Row | None, wanted: Wanted, met: dict[Address, Event]
    ) -> None:
        """Find the one event that tells of a change."""
        address = (change.op, change.table, _key(change))
        free = [
            one for one in NO_TRANSITION
            if (one.op, one.table) == address[:2] and one.when(change.row)
            and (change.op != "update" or one.columns & _changed(change))
        ]  # fmt: skip
        columns = _changed(change).difference(*(one.columns for one in free))
        told = [one for one in wanted.get(address, ()) if columns <= one[1].says.keys()]
        if told and (columns or change.op != "update"):
            event, row = told[0]
            wanted[address].remove(told[0])
            met[address] = event
            self.explained[change.op, change.table, event.act] += 1
            for why in _differences(row, change.row, before):
                self._find(_named(*address), event, why)
        elif not columns and (free or change.op == "update"):
            self.explained.update((change.op, change.table, one.why) for one in free)
        else:
            named = ", ".join(sorted(columns))
            self._find(_named(*address), None, f"no event tells of it{named and ': ' + named}")

    def _find(self, change: str, event: Event | None, why: str) -> None:
        self.count += 1
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Unexplained(self._xid, change, event, why))


# --- Rows --------------------------------------------------------------------------------------


def _event(row: Row) -> Event:
    """Return the event that a row of the trace holds."""
    told: dict[str, Any] = dict(row)
    told |= {name: orjson.loads(told[name] or "{}") for name in _JSON}
    told |= {name: int(told[name]) for name in ("n", "xid", "k")}
    return Event(**told)


def _key(change: Change) -> tuple[str, ...]:
    """Return which row it is; of a truncate, which part of the table."""
    if change.op == "truncate":
        return (str(change.slot),)
    return tuple(str(change.row[column]) for column in KEYS.get(change.table, ()))


def _changed(change: Change) -> frozenset[str]:
    """Return the columns that an update changed."""
    if change.op != "update":
        return frozenset()
    old, new = change.old or {}, change.new or {}
    return frozenset(column for column in new if new[column] != old.get(column))


def _differences(row: Expected, now: Row, before: Row | None) -> Iterator[str]:
    """Return in what a row is not what its event says, or what it is to be a copy of."""
    for column, said in row.says.items():
        if not _is(said, now[column]):
            what = "not null" if said is SET else said
            yield f"{column} is {now[column]}, and was said to be {what}"
    if row.copies and before is not None:
        for column in now:
            if column not in _WHERE and now[column] != before[column]:
                yield f"{column} is {now[column]}, and was {before[column]} where it is a copy of"
    if row.op == "insert" and not row.copies and before is not None:
        yield "it was there already"


def _is(said: Any, text: str | None) -> bool:
    """Return whether a value is what was said of it."""
    if said is SET or said is None or text is None:
        return (text is None) is (said is None) or (said == {} and text is None)
    if isinstance(said, dict):
        return bool(orjson.loads(text) == said)
    if isinstance(said, list):
        return [quoted or plain for quoted, plain in _ELEMENT.findall(text)] == [*map(str, said)]
    return str(said) == text


_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^",{}]+)')


def _named(op: str, table: str, key: tuple[str, ...]) -> str:
    """Return what was done, to which row of which table."""
    return f"{op} {table} {' '.join(key)}"


# --- A server under audit ----------------------------------------------------------------------


@dataclass(slots=True)
class Audit:
    """A database whose changes are kept, and what has been found in them."""

    url: str
    schema: str = "awa"
    ledger: Ledger = field(default_factory=Ledger)
    transactions: int = 0
    _decoder: Decoder = field(default_factory=Decoder)
    _upto: int = 0

    async def findings(self) -> list[Unexplained]:
        """Audit what was committed since the last time; return all that was ever found."""
        async with recorder(self.url, self.schema) as store:
            async for data in store.changes():
                transaction = self._decoder.read(data)
                # After a crash the server may tell once more what it has told.
                if transaction is not None and transaction.lsn > self._upto:
                    self._upto = transaction.lsn
                    self.transactions += 1
                    self.ledger.take(transaction)
        return self.ledger.findings


@asynccontextmanager
async def audited(url: str, schema: str = "awa") -> AsyncIterator[Audit]:
    """Have a database audited, of a server with wal_level=logical; it is to be traced as well.

    It waits until the transactions of this moment are over; what they did is not audited.
    """
    async with recorder(url, schema) as store:
        await store.begin_audit()
    try:
        yield Audit(url, schema)
    finally:
        async with recorder(url, schema) as store:
            await store.end_audit()
