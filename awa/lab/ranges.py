"""Sets of numbers, as Postgres writes multiranges; and snapshots, as it writes those.

Owns: how the text of a multirange and of a snapshot is read.
Keeps: a text that is neither is refused. A set is never expanded beyond a bound.
Above: trace, order, the projections. Below: nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Ranges", "Snapshot"]

NUMBERS_MAX = 1_000_000
"""How many numbers one set of an event may hold: a claim holds thousands at most."""

_RANGE = re.compile(r"\[(\d+),(\d+)\)")
_RANGES = re.compile(r"\{(?:\[\d+,\d+\)(?:,\[\d+,\d+\))*)?\}")
_SNAPSHOT = re.compile(r"(\d+):(\d+):((?:\d+,)*\d+)?")


@lru_cache(1 << 16)
def _spans(text: str) -> tuple[tuple[int, int], ...]:
    """Read the spans of a set; each of an event is read by the linearizer and every projection."""
    if not _RANGES.fullmatch(text):
        raise ValueError(f"{text!r} is no set of numbers")
    return tuple((int(low), int(high)) for low, high in _RANGE.findall(text))


@dataclass(frozen=True, slots=True)
class Ranges:
    """A set of numbers, as sorted ranges that do not touch: each a first and an end beyond it."""

    spans: tuple[tuple[int, int], ...] = ()

    @classmethod
    def read(cls, text: str) -> "Ranges":
        """Read `{[1,3),[5,6)}`."""
        return cls(_spans(text))

    @classmethod
    def of(cls, numbers: Sequence[int]) -> "Ranges":
        """Return the set of these numbers."""
        spans: list[tuple[int, int]] = []
        for number in sorted(numbers):
            if spans and spans[-1][1] == number:
                spans[-1] = (spans[-1][0], number + 1)
            else:
                spans.append((number, number + 1))
        return cls(tuple(spans))

    def __iter__(self) -> Iterator[int]:
        if self.count > NUMBERS_MAX:
            raise ValueError(f"a set of {self.count} numbers is more than an event may name")
        for low, high in self.spans:
            yield from range(low, high)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and any(low <= number < high for low, high in self.spans)

    @property
    def count(self) -> int:
        """How many numbers there are; not `len`, by which a list would make room for them."""
        return sum(high - low for low, high in self.spans)

    @property
    def last(self) -> int | None:
        """The greatest number, if there is one."""
        return self.spans[-1][1] - 1 if self.spans else None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a statement could see: see Postgres, `pg_visible_in_snapshot`."""

    first: int
    """Every transaction before this one was over."""
    beyond: int
    """This one and all after it had not begun, or were not over yet."""
    running: frozenset[int]

    @classmethod
    def read(cls, text: str) -> "Snapshot":
        """Read `xmin:xmax:xip,...`."""
        match = _SNAPSHOT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no snapshot")
        running = frozenset(int(one) for one in match[3].split(",")) if match[3] else frozenset()
        return cls(int(match[1]), int(match[2]), running)

    def sees(self, xid: int) -> bool:
        """Return whether this transaction had committed, given that it did in the end."""
        return xid < self.first or (xid < self.beyond and xid not in self.running)
