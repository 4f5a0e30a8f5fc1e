"""Lanes by hand: short ways to write what claims would have told of them.

Owns: the reads, pages and cursors in the events of a claim.
Keeps: a claim has the form that the SQL writes (tests/store/test_trace.py holds that).
Above: the tests of this folder. Below: awa.lab, tests.lab.told.
"""

from collections.abc import Iterable
from typing import Any

from awa.lab.trace import Event
from tests.lab.told import LANE, Tale, text

OTHER = 5 << 40
"""A second lane of the queue."""

ALL_SEEN = "90:90:"
"""The snapshot that sees everything."""


def name(xid: int) -> str:
    """Return what the lock table calls a transaction."""
    return f"3/{xid}@1700000000"


def prepared(xid: int) -> str:
    """Return what the lock table calls a prepared transaction once the server began anew."""
    return f"-1/{xid}@1700009999"


def seqs(numbers: Iterable[int], lane: int = LANE) -> str:
    """Return a set of names in a lane, as the trace writes it."""
    return text(*(lane + number for number in numbers))


def enqueue(tale: Tale, xid: int, *numbers: int, lane: int = LANE) -> Event:
    """Tell the enqueue of jobs in one transaction."""
    given = {"max_attempts": 25, "queue": "q", "holder": name(xid)}
    output = {"ids": [lane // LANE * 100 + n for n in numbers], "seqs": [lane + n for n in numbers]}
    return tale.tell("Enqueue", xid=xid, actor="producer", input=given, output=output)


def read(
    after: int, upto: int, *found: int, snap: str = ALL_SEEN, lane: int = LANE
) -> dict[str, Any]:
    """Return a read of entries."""
    return {"snap": snap, "after": lane + after, "upto": lane + upto, "found": seqs(found, lane)}


def look(
    asked: tuple[int, ...],
    *found: int,
    page: int | None = None,
    present: Iterable[str] = (),
    snap: str = ALL_SEEN,
    lane: int = LANE,
) -> dict[str, Any]:
    """Return a read of a page, or of fresh holes."""
    said = {"snap": snap, "asked": seqs(asked, lane), "found": seqs(found, lane)}
    return {**said, "page": page, "present": list(present)}


def hole(numbers: Iterable[int], *fillers: str, lane: int = LANE) -> dict[str, Any]:
    """Return a page that is written."""
    return {"page": None, "seqs": seqs(numbers, lane), "fillers": list(fillers)}


def claim(
    tale: Tale,
    number: int,
    *reads: dict[str, Any],
    took: tuple[int, ...] = (),
    hi: int | dict[int, int],
    pages: tuple[int, ...] = (),
    written: tuple[dict[str, Any], ...] = (),
    room: int = 10,
    **said: Any,
) -> Event:
    """Tell a claim of queue 1 by worker 7: its reads, what it took, its cursor and its pages."""
    cursors = hi if isinstance(hi, dict) else {LANE: hi}
    post = {
        "reads": list(reads),
        "lanes": [lane >> 40 for lane in cursors],
        "hi": [lane + at for lane, at in cursors.items()],
        "pages": list(pages),
        "written": list(written),
    }
    output = {"claim": (1 << 40) + number, "seqs": seqs(took), "moved": text()}
    given = {"input": {"queue": 1, "room": room}, "output": output, "post": post, **said}
    return tale.tell("Claim", "queue:1", actor="worker:7", **given)


def passed_over() -> Tale:
    """Told: 2 is committed before 1, whose transaction is open; a claim goes past it."""
    tale = Tale()
    enqueue(tale, 10, 1)
    enqueue(tale, 11, 2)
    claim(
        tale,
        1,
        read(0, 2, 2, snap="10:12:10"),
        look((1,), present=[name(10)], snap="10:12:10"),
        took=(2,),
        hi=2,
        pages=(1,),
        written=(hole((1,), name(10)),),
    )
    return tale
