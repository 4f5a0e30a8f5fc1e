"""A trace: what the transitions of one database wrote about themselves, and its file.

Owns: the event, the header, and the form of a trace file (traces/README.md).
Keeps: a file is read whole or refused: cut off, of another version or of other models, it is none.
    The clock of an event is for people; that it ran backwards is told and changes nothing.
Above: order, the projections, check. Below: ranges, errors.
"""

import gc
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from awa.errors import AwaError
from awa.lab.ranges import Ranges, Snapshot

__all__ = [
    "ACTS",
    "VERSION",
    "Event",
    "Trace",
    "TraceError",
    "read",
    "spec_hashes",
    "uncollected",
    "write",
]

VERSION = 1


class TraceError(AwaError):
    """What was to be a trace is none; the text says where."""


@dataclass(frozen=True, slots=True)
class Event:
    """What one transition did, in its own words."""

    act: str
    n: int
    """Its number, drawn while the locks that decided it were held."""
    xid: int
    k: int
    """Its place in its transaction, from 1."""
    lock: str | None = None
    snap: str | None = None
    actor: str | None = None
    input: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)
    post: Mapping[str, Any] = field(default_factory=dict)
    t: str = ""

    @property
    def worker(self) -> int | None:
        """The worker that did it, if it was one."""
        kind, _, number = (self.actor or "").partition(":")
        return int(number) if kind == "worker" else None

    def numbers(self, name: str) -> Ranges:
        """Return the set of numbers that stands in its output under this name."""
        return Ranges.read(self.output[name]) if self.output.get(name) else Ranges()

    @property
    def snapshot(self) -> Snapshot | None:
        """What the read that decided it could see."""
        return None if self.snap is None else Snapshot.read(self.snap)

    def __str__(self) -> str:
        return f"event {self.n} ({self.act}, {self.actor or 'unnamed'}, {self.lock or 'no lock'})"


@dataclass(frozen=True, slots=True)
class Trace:
    """The events of one database, in the order of their numbers, and where they come from."""

    header: Mapping[str, Any]
    events: Sequence[Event]

    def backwards_s(self) -> float:
        """Return by how much the clock ran backwards at worst, in seconds."""
        worst, latest = 0.0, None
        for event in self.events:
            if event.t:
                now = datetime.fromisoformat(event.t)
                latest = now if latest is None else max(latest, now)
                worst = max(worst, (latest - now).total_seconds())
        return worst


@cache
def spec_hashes(folder: Path) -> Mapping[str, str]:
    """Return the hash of each model, by which a trace says what it was written for."""
    return {
        path.stem: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob("*.tla"))
    }


# --- Files -------------------------------------------------------------------------------------


def write(path: Path, header: Mapping[str, Any], events: Iterable[Event]) -> int:
    """Write a trace file; return how many events it holds."""
    count = 0
    with path.open("wb") as file:
        file.write(orjson.dumps({"v": VERSION, **header}) + b"\n")
        for event in events:
            file.write(orjson.dumps(_row(event)) + b"\n")
            count += 1
        # The last line says that it is the last: what was cut off does not have it.
        file.write(orjson.dumps({"events": count}) + b"\n")
    return count


@contextmanager
def uncollected() -> Iterator[None]:
    """Have no garbage collected: a trace is millions of objects without a ring among them.

    To look for rings again and again takes half of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def read(path: Path, hashes: Mapping[str, str]) -> Trace:
    """Read a trace file that was written for models with these hashes."""
    try:
        with uncollected(), path.open("rb") as file:
            lines = _lines(path, file)
            header = _header(path, next(lines, (0, None))[1], hashes)
            events, said = _body(path, lines)
    except OSError as error:
        raise TraceError(f"{path} cannot be read: {error.strerror}") from error
    if said is None:
        raise TraceError(f"{path} is cut off after {len(events)} events: its last line is missing")
    if said != len(events):
        raise TraceError(f"{path} says that it has {said} events, and has {len(events)}")
    return Trace(header, _numbered(path, events))


def _lines(path: Path, file: Iterable[bytes]) -> Iterator[tuple[int, Any]]:
    """Return each line's number and what it says."""
    for number, line in enumerate(file, 1):
        try:
            yield number, orjson.loads(line)
        except ValueError as error:
            torn = "is torn" if not line.endswith(b"\n") else "is not JSON"
            raise TraceError(f"{path}, line {number} {torn}: {error}") from error


def _header(path: Path, row: Any, hashes: Mapping[str, str]) -> Mapping[str, Any]:
    """Check the first line."""
    if not isinstance(row, dict) or "v" not in row:
        raise TraceError(f"{path} does not begin with a trace's header")
    if row["v"] != VERSION:
        raise TraceError(f"{path} is of version {row['v']} of the format; this Awa reads {VERSION}")
    written = row.get("spec")
    if not isinstance(written, dict):
        raise TraceError(f"{path} does not say for which models it was written")
    other = sorted(name for name, found in written.items() if hashes.get(name) != found)
    if other:
        raise TraceError(
            f"{path} was written for other models than these ({', '.join(other)}): check it with"
            f" the Awa that wrote it ({row.get('commit', 'unknown')})"
        )
    return row


def _body(path: Path, lines: Iterable[tuple[int, Any]]) -> tuple[list[Event], int | None]:
    """Return the events, and how many the last line says there are."""
    events: list[Event] = []
    for number, row in lines:
        where = f"{path}, line {number}"
        if not isinstance(row, dict):
            raise TraceError(f"{where} is no event")
        if set(row) == {"events"}:
            if next(iter(lines), None) is not None:
                raise TraceError(f"{where} says that the trace ends, and it goes on")
            return events, row["events"]
        events.append(_event(where, row))
    return events, None


ACTS = frozenset(
    [
        "Enqueue",
        "Claim",
        "Complete",
        "Retry",
        "Fail",
        "Snooze",
        "Cancel",
        "Release",
        "Divert",
        "Promote",
        "EndOpen",
        "Lose",
        "Rescue",
        "Redrive",
        "Discard",
        "Register",
        "Retire",
        "Elect",
        "Done",
        "Open",
        "Switch",
        "Seal",
        "Close",
        "Prune",
        "Carry",
    ]
)
_FIELDS = {"act": str, "n": int, "xid": int, "k": int}
_NAMES = {"in": "input", "out": "output"}


def _event(where: str, row: dict[str, Any]) -> Event:
    """Read one event."""
    given = {_NAMES.get(name, name): value for name, value in row.items() if name != "src"}
    for name, kind in _FIELDS.items():
        if type(given.get(name)) is not kind:
            raise TraceError(f"{where}: {name} is missing, or no {kind.__name__}")
    if given["act"] not in ACTS:
        raise TraceError(f"{where}: no verb writes an event named {given['act']}")
    try:
        event = Event(**given)
        _ = (event.snapshot, event.worker)
    except (TypeError, ValueError) as error:
        raise TraceError(f"{where} is no event: {error}") from error
    return event


def _row(event: Event) -> dict[str, Any]:
    """Lay out one event; what it does not say is left out."""
    row = {
        "src": "db", "act": event.act, "n": event.n, "xid": event.xid, "k": event.k,
        "lock": event.lock, "snap": event.snap, "actor": event.actor,
        "in": event.input, "out": event.output, "post": event.post, "t": event.t,
    }  # fmt: skip
    return {name: value for name, value in row.items() if value not in (None, {}, "")}


def _numbered(path: Path, events: list[Event]) -> list[Event]:
    """Return the events in the order of their numbers, none of which is there twice."""
    ordered = sorted(events, key=lambda event: event.n)
    for one, two in pairwise(ordered):
        if one.n == two.n:
            raise TraceError(f"{path} has two events with the number {one.n}")
    return ordered
