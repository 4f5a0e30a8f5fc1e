"""Which rows each event says it changed, and which rows change without one.

Owns: the rows of each act, and the list of what is no transition, each with its reason.
Keeps: an event that names a row names it exactly: an act that is not known here is an error.
Above: audit. Below: kin, ranges, trace, wal.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from awa.lab.kin import DEFERRED_LANE, LANE_BITS, lane_of, parts
from awa.lab.ranges import Ranges
from awa.lab.trace import Event
from awa.lab.wal import Row

__all__ = ["KEYS", "NO_TRANSITION", "SET", "Expected", "Free", "Rows", "expected"]

SET = object()
"""What a column says that was null and is not any more."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "entry": ("seq",),
    "claim": ("claim",),
    "part": ("claim", "part"),
    "ending": ("seq",),
    "deferred": ("seq",),
    "hole": ("page",),
    "held": ("id",),
    "worker": ("worker",),
    "leader": ("one",),
    "segment": ("segment",),
    "queue": ("queue",),
    "lane": ("lane",),
    "tally": ("queue", "minute"),
    "tally_mark": ("one",),
    "trace_event": ("n",),
}
LOGS = ("entry", "claim", "hole", "part", "ending", "deferred")

Key = tuple[str, ...]
Rows = Mapping[tuple[str, Key], Row]
"""The rows of the logs by table and key, as far as the audit has seen them."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A row that an event says it changed."""

    op: str
    table: str
    key: Key
    says: Mapping[str, Any] = field(default_factory=dict)
    copies: bool = False
    """The row lies elsewhere already, and is the same but for the place."""
    may: bool = False
    """It cannot be told from the events alone whether it is there."""


# --- What is no transition ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Free:
    """A change that no event tells, and why not."""

    op: str
    table: str
    why: str
    columns: frozenset[str] = frozenset()
    """Of an update, those that may change."""
    when: Callable[[Row], bool] = lambda row: True


def _is_first(row: Row) -> bool:
    """Return whether a claim is the first of its queue, which takes nothing."""
    number = int(row["claim"] or 0)
    return number & ((1 << LANE_BITS) - 1) == 0 and row["seqs"] == row["moved"] == "{}"


_SPOKEN = frozenset({"seen_at", "stats", "held", "floor", "mark", "mark_transactions"})
_WATCHED = frozenset({"seen_at", "watching_since", "watched_at", "looks_back"})

NO_TRANSITION = (
    Free("insert", "trace_event", "the events themselves"),
    Free("insert", "queue", "open_queue: a name"),
    Free("insert", "claim", "open_queue: where the cursor begins", when=_is_first),
    Free("insert", "lane", "open_lane: a name"),
    Free("update", "queue", "pause: a switch", frozenset({"paused_at", "paused_by"})),
    Free("update", "worker", "heartbeat: too many; it decides nothing by itself", _SPOKEN),
    Free(
        "delete",
        "worker",
        "purge: a day after it stopped",
        when=lambda row: bool(row["stopped_at"]),
    ),
    Free("update", "leader", "elect, watch: the same leader goes on; unpause", _WATCHED),
    Free(
        "update",
        "leader",
        "resign: it makes an election possible, and that is told",
        frozenset({"worker"}),
        lambda row: row["worker"] is None,
    ),
    Free("insert", "segment", "open_partition: storage that nobody writes into yet"),
    Free("update", "segment", "prune: since when it could be", frozenset({"quiet_at"})),
    Free("insert", "tally", "tally: counts for people"),
    Free("update", "tally", "tally: counts for people", frozenset({"completed"})),
    Free("delete", "tally", "tally: counts for people"),
    Free("update", "tally_mark", "tally: counts for people", frozenset({"folded_to"})),
)


# --- What the acts change ----------------------------------------------------------------------


def expected(event: Event, rows: Rows) -> Iterable[Expected]:
    """Return the rows that an event says it changed."""
    return _ROWS[event.act](event, rows)


def _place(seq: int, says: Mapping[str, Any], state: str = "scheduled") -> Expected:
    """Return a job's new entry, or its wait."""
    if lane_of(seq) == DEFERRED_LANE:
        return Expected("insert", "deferred", (str(seq),), {**says, "state": state})
    return Expected("insert", "entry", (str(seq),), says)


def _before(seq: int, rows: Rows, *columns: str) -> Row:
    """Return what a job's entry or wait said, if it has been seen."""
    table = "deferred" if lane_of(seq) == DEFERRED_LANE else "entry"
    row = rows.get((table, (str(seq),)))
    return {} if row is None else {column: row[column] for column in columns}


def _enqueue(event: Event, _rows: Rows) -> Iterator[Expected]:
    for number, seq in zip(event.output["ids"], event.output["seqs"], strict=True):
        yield _place(seq, {"id": number, "past": None})


def _claim(event: Event, rows: Rows) -> Iterator[Expected]:
    out, post = event.output, event.post
    says = {name: post[name] for name in ("lanes", "hi", "pages") if name in post}
    says |= {"worker": event.worker, "seqs": out["seqs"], "moved": out["moved"]}
    yield Expected("insert", "claim", (str(out["claim"]),), says)
    written = post.get("written", [])
    kept = post["pages"][: len(post["pages"]) - len(written)]
    for page, row in zip(post["pages"][len(kept) :], written, strict=True):
        says = {name: row[name] for name in ("seqs", "reads_from", "fillers")}
        yield Expected("insert", "hole", (str(page),), says)
    # The pages of the newest claim lie where it lies: they come along when that is elsewhere.
    last, new = (rows.get(("claim", (str(out["claim"] - back),))) for back in (1, 0))
    if last is None or new is None or last["segment"] != new["segment"]:
        may = last is None
        yield from (Expected("insert", "hole", (str(page),), {}, True, may) for page in kept)


def _set(numbers: Iterable[int]) -> str:
    """Return a set of numbers as Postgres writes it."""
    spans = Ranges.of(list(numbers)).spans
    return "{" + ",".join(f"[{low},{high})" for low, high in spans) + "}"


def _part(claim: int, part: int, seqs: Ranges, completed: int, rows: Rows) -> Expected:
    """Return a part of a claim, with what it adds up to where the one before has been seen."""
    says: dict[str, Any] = {"seqs": _set(seqs), "completed": completed}
    before = {"ended": "{}"} if part == 1 else rows.get(("part", (str(claim), str(part - 1))))
    if before is not None:
        ended = {*Ranges.read(str(before["ended"])), *seqs}
        says["ended"] = _set(ended)
        if (row := rows.get(("claim", (str(claim),)))) is not None:
            says["closes"] = "t" if says["ended"] == row["seqs"] else "f"
    return Expected("insert", "part", (str(claim), str(part)), says)


def _complete(event: Event, rows: Rows) -> Iterator[Expected]:
    failed = Ranges.read(event.input["failed"])
    for claim, part, _, ended, _ in parts(event):
        if part is not None:
            completed = sum(seq not in failed for seq in ended)
            yield _part(claim, part, ended, completed, rows)


def _end_open(event: Event, rows: Rows) -> Iterator[Expected]:
    out = event.output
    yield _part(event.input["claim"], out["part"], event.numbers("seqs"), 0, rows)


_OUTCOMES = {
    "Retry": "retried",
    "Snooze": "snoozed",
    "Release": "released",
    "Fail": "failed",
    "Cancel": "cancelled",
    "Rescue": "rescued",
}


def _end(event: Event, rows: Rows) -> Iterator[Expected]:
    """Return how an entry ended, and where its job is now."""
    seq, next_seq = event.input["seq"], event.output.get("seq")
    by = event.input["worker"] if event.act == "Rescue" else event.worker
    is_last = event.act == "Retry" and next_seq is None
    outcome = "failed" if is_last else _OUTCOMES[event.act]
    yield Expected("insert", "ending", (str(seq),), {"outcome": outcome, "by_worker": by})
    says = {**_before(seq, rows, "id"), "past": event.post}
    if next_seq is not None:
        yield _place(next_seq, says, "scheduled" if event.act == "Snooze" else "retryable")
    else:
        state = "cancelled" if event.act == "Cancel" else "failed"
        yield Expected("insert", "held", (str(event.output["id"]),), {**says, "state": state})


def _promote(event: Event, rows: Rows) -> Iterator[Expected]:
    pairs = zip(event.output["seqs"] or (), event.output["entries"] or (), strict=True)
    for seq, entry in pairs:
        says = {"outcome": "promoted", "by_worker": None}
        yield Expected("insert", "ending", (str(seq),), says)
        yield _place(entry, _before(seq, rows, "id", "kind", "args", "options", "past"))


def _divert(event: Event, rows: Rows) -> Iterator[Expected]:
    before = _before(event.input["seq"], rows, "id", "kind", "args", "past")
    yield _place(event.output["seq"], before)


def _redrive(event: Event, _rows: Rows) -> Iterator[Expected]:
    number = event.input["id"]
    yield Expected("delete", "held", (str(number),))
    yield _place(event.output["seq"], {"id": number, "past": event.post})


def _discard(event: Event, _rows: Rows) -> Iterator[Expected]:
    yield from (Expected("delete", "held", (str(number),)) for number in event.output["ids"])


def _register(event: Event, _rows: Rows) -> Iterator[Expected]:
    says = {**event.input, "lost_at": None, "stopped_at": None}
    yield Expected("insert", "worker", (str(event.output["worker"]),), says)


def _worker(column: str) -> Callable[[Event, Rows], Iterator[Expected]]:
    """Return how an act shows that notes something of a worker, once."""

    def note(event: Event, _rows: Rows) -> Iterator[Expected]:
        if event.output.get("stopped", True):
            yield Expected("update", "worker", (str(event.input["worker"]),), {column: SET})

    return note


def _elect(event: Event, _rows: Rows) -> Iterator[Expected]:
    says = {"epoch": event.output["epoch"], "worker": event.input["worker"]}
    yield Expected("update", "leader", ("t",), says)


def _segment(column: str) -> Callable[[Event, Rows], Iterator[Expected]]:
    """Return how a step of a rotation shows."""

    def note(event: Event, _rows: Rows) -> Iterator[Expected]:
        says = {"number": event.output["number"], column: SET}
        yield Expected("update", "segment", (str(event.output["slot"]),), says)

    return note


def _switch(_event: Event, _rows: Rows) -> Iterator[Expected]:
    """Return nothing: a sequence's value is no row."""
    yield from ()


def _prune(event: Event, _rows: Rows) -> Iterator[Expected]:
    slot = (str(event.output["slot"]),)
    none = dict.fromkeys(("number", "opened_at", "sealed_at", "closed_at"))
    yield Expected("update", "segment", slot, none)
    yield from (Expected("truncate", log, slot) for log in LOGS)


def _carry(event: Event, _rows: Rows) -> Iterator[Expected]:
    told, out = event.input, event.output
    copied = (
        *(("entry", (seq,)) for seq in told["entries"]),
        *(("claim", (claim,)) for claim in dict.fromkeys(told["claims"])),
        *(("part", tuple(part)) for part in out["parts"]),
        *(("deferred", (seq,)) for seq in out["deferred"]),
        *(("hole", (page,)) for page in out["pages"]),
    )
    for table, key in copied:
        yield Expected("insert", table, tuple(map(str, key)), {}, copies=True)


_ROWS: Mapping[str, Callable[[Event, Rows], Iterator[Expected]]] = {
    "Enqueue": _enqueue,
    "Claim": _claim,
    "Complete": _complete,
    "EndOpen": _end_open,
    **dict.fromkeys(_OUTCOMES, _end),
    "Promote": _promote,
    "Divert": _divert,
    "Redrive": _redrive,
    "Discard": _discard,
    "Register": _register,
    "Lose": _worker("lost_at"),
    "Done": _worker("stopped_at"),
    "Retire": _worker("stopped_at"),
    "Elect": _elect,
    "Open": _segment("opened_at"),
    "Switch": _switch,
    "Seal": _segment("sealed_at"),
    "Close": _segment("closed_at"),
    "Prune": _prune,
    "Carry": _carry,
}
