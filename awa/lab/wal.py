"""The changes of rows that a server has committed, read from the messages of `pgoutput`.

Owns: the form of those messages, which every Postgres from 14 on can send (protocol version 1).
Keeps: a transaction is given whole, in the order of the commits. A message that is none of those
    is refused.
Above: audit. Below: trace.
"""

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from awa.lab.trace import TraceError

__all__ = ["Change", "Decoder", "Row", "Transaction"]

Row = Mapping[str, str | None]
"""A row as text, by the names of its columns."""

_LEAF = re.compile(r"(.+)_(\d+)")
_MISSING = "u"
"""A value that is stored apart and did not change is not sent again."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row that was inserted, updated or deleted, or a table that was truncated."""

    op: str
    table: str
    """Of a partition, the name of the table it is a part of."""
    slot: int | None = None
    old: Row | None = None
    new: Row | None = None

    @property
    def row(self) -> Row:
        """The row as it is now, or as it was last."""
        return self.new or self.old or {}


@dataclass(frozen=True, slots=True)
class Transaction:
    """What one transaction changed, in its order."""

    xid: int
    """The lower half of its id: that is all that is sent."""
    lsn: int
    """Where its commit stands in the log."""
    changes: tuple[Change, ...]


class _Bytes:
    """A message, read from its beginning."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, form: str) -> int:
        """Read a number of this form, see `struct`."""
        (value,) = struct.unpack_from(f">{form}", self._data, self._at)
        self._at += struct.calcsize(form)
        return int(value)

    def letter(self) -> str:
        """Read one letter."""
        return chr(self.number("B"))

    def text(self, size: int | None = None) -> str:
        """Read a text of this size, or up to a zero."""
        end = self._data.index(0, self._at) if size is None else self._at + size
        value = self._data[self._at : end].decode()
        self._at = end + (size is None)
        return value


@dataclass(frozen=True, slots=True)
class _Relation:
    """A table as it was at the time of the changes that follow."""

    table: str
    slot: int | None
    columns: tuple[str, ...]

    def row(self, data: _Bytes, old: Row | None = None) -> Row:
        """Read a row; what is not sent again is as it was."""
        data.number("h")
        row: dict[str, str | None] = {}
        for column in self.columns:
            kind = data.letter()
            if kind == "t":
                row[column] = data.text(data.number("i"))
            else:
                row[column] = (old or {}).get(column) if kind == _MISSING else None
        return row


@dataclass(slots=True)
class Decoder:
    """What has been read of a slot so far."""

    _relations: dict[int, _Relation] = field(default_factory=dict)
    _begun: tuple[int, int] = (0, 0)
    _changes: list[Change] = field(default_factory=list)

    def read(self, sent: bytes) -> Transaction | None:
        """Take in one message; return the transaction that it ends, if it ends one."""
        data = _Bytes(sent)
        kind = data.letter()
        if kind == "B":
            lsn, _, xid = (data.number(form) for form in "qqI")
            self._begun, self._changes = (xid, lsn), []
        elif kind == "C":
            return Transaction(*self._begun, tuple(self._changes))
        elif kind == "R":
            self._relate(data)
        elif kind in _CHANGES:
            self._changes += _CHANGES[kind](self, data)
        elif kind not in _TOLD_BESIDE:
            raise TraceError(f"the server sent a message that is none of pgoutput: {kind!r}")
        return None

    def _relate(self, data: _Bytes) -> None:
        """Read what a table is named, and its columns."""
        number, _, name, _ = data.number("I"), data.text(), data.text(), data.number("b")
        columns = []
        for _ in range(data.number("h")):
            data.number("b")
            columns.append(data.text())
            data.number("q")
        leaf = _LEAF.fullmatch(name)
        table, slot = (leaf[1], int(leaf[2])) if leaf else (name, None)
        self._relations[number] = _Relation(table, slot, tuple(columns))

    def _insert(self, data: _Bytes) -> Iterator[Change]:
        relation = self._relations[data.number("I")]
        data.letter()
        yield Change("insert", relation.table, relation.slot, new=relation.row(data))

    def _update(self, data: _Bytes) -> Iterator[Change]:
        relation, old = self._relations[data.number("I")], None
        if data.letter() != "N":
            old = relation.row(data)
            data.letter()
        yield Change("update", relation.table, relation.slot, old, relation.row(data, old))

    def _delete(self, data: _Bytes) -> Iterator[Change]:
        relation = self._relations[data.number("I")]
        data.letter()
        yield Change("delete", relation.table, relation.slot, relation.row(data))

    def _truncate(self, data: _Bytes) -> Iterator[Change]:
        count, _ = data.number("I"), data.number("b")
        for _ in range(count):
            relation = self._relations[data.number("I")]
            yield Change("truncate", relation.table, relation.slot)


_CHANGES: Mapping[str, Callable[[Decoder, _Bytes], Iterator[Change]]] = {
    "I": Decoder._insert,
    "U": Decoder._update,
    "D": Decoder._delete,
    "T": Decoder._truncate,
}
_TOLD_BESIDE = "YO"
"""What the type of a column is named, and where a change came from at first."""
