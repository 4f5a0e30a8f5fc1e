"""The door for workers: register, step, heartbeat, retire.

Owns: how a batch of finishes becomes parameters, and how a step's answer reads.
Keeps: a set of entries goes as text of ranges, so that a thousand completions are a few bytes.
Above: the runtime calls these. Below: sql.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from awa.store.sql import Conn, Row, Verbs

__all__ = ["Ask", "Beat", "Finish", "Registered", "Stepped", "WorkerStore"]


class Finish(NamedTuple):
    """An attempt that is over: its names, how long it ran, and its verdict if not completed."""

    claim: int
    seq: int
    ran_us: int
    verdict: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a worker wants of one queue."""

    queue: int
    room: int
    ageing_ms: int
    deadline_s: float

    asleep: bool
    """It wants to be woken for this queue."""

    settles: bool
    """It has looked in vain for some time: the ends of the lanes may be closed."""


@dataclass(slots=True)
class Stepped:
    """What a step answered."""

    rows: list[Row] = field(default_factory=list)
    """A row a job."""

    deadline_by_claim: dict[int, datetime] = field(default_factory=dict)
    stale: set[int] = field(default_factory=set)
    """Entries of the batch that were over before."""

    more: set[int] = field(default_factory=set)
    """Queues that hold more than there was room for."""

    young: set[int] = field(default_factory=set)
    """Queues in which numbers are drawn that nobody sees yet."""

    busy: set[int] = field(default_factory=set)
    """Queues that another claim was at work in."""

    behind: set[int] = field(default_factory=set)
    """Queues with a lane whose sequence is behind its cursor."""

    paused: set[int] = field(default_factory=set)
    """Queues that give out nothing for now."""

    is_lost: bool = False
    """This worker was declared lost: it must register anew."""

    def is_refused(self, queue: int) -> bool:
        """Return whether the claim from a queue did nothing, and so announced nobody's sleep."""
        return queue in self.busy or queue in self.behind or queue in self.paused


@dataclass(frozen=True, slots=True)
class Registered:
    """A worker's id, and the numbers of its queues in the order asked."""

    worker: int
    queues: Sequence[int]


@dataclass(frozen=True, slots=True)
class Beat:
    """What a heartbeat learnt: whether the worker may go on, and which entries are over."""

    is_alive: bool
    over: Sequence[int]


@dataclass(frozen=True, slots=True)
class WorkerStore:
    """What a worker does, on one connection."""

    conn: Conn
    schema: str = "awa"

    @property
    def verbs(self) -> Verbs:
        """The verbs on this connection."""
        return Verbs(self.conn, self.schema)

    async def register(self, name: str, queues: Sequence[str], kinds: Sequence[str]) -> Registered:
        """Register a worker process; its queues exist from now on."""
        row = await self.verbs.one("register", name, queues, kinds)
        return Registered(row["worker"], row["queue_ids"])

    async def step(
        self,
        worker: int,
        batch: Iterable[Finish],
        asks: Sequence[Ask],
        kinds: Sequence[str],
        connection: int = 0,
    ) -> Stepped:
        """Finish a batch and claim the next, in one round trip and one commit."""
        rows = await self.verbs(
            "step",
            worker,
            *_finished(batch),
            [ask.queue for ask in asks],
            [ask.room for ask in asks],
            kinds,
            [ask.ageing_ms for ask in asks],
            [ask.deadline_s for ask in asks],
            [ask.asleep for ask in asks],
            [ask.settles for ask in asks],
            connection,
        )
        return _stepped(rows)

    async def open_entries(self, worker: int, connection: int = 0) -> dict[int, int]:
        """Return what is open under a worker's id, as claim by seq.

        No step begins any more that was sent on an earlier of its connections.
        """
        rows = await self.verbs("open_entries", worker, connection)
        return {row["seq"]: row["claim"] for row in rows}

    async def heartbeat(self, worker: int, seqs: Sequence[int], stats: Mapping[str, Any]) -> Beat:
        """Say that the worker is alive; learn which of its long runners are over."""
        row = await self.verbs.one("heartbeat", worker, seqs, orjson.dumps(stats).decode())
        return Beat(row["alive"], row["over"])

    async def retire(self, worker: int) -> bool:
        """Leave; False while something is open under the worker's id."""
        return bool((await self.verbs.one("retire", worker))["retire"])


def _finished(batch: Iterable[Finish]) -> tuple[Any, ...]:
    """Return a batch as step takes it: claims, a set of seqs each, times in order, verdicts."""
    ran_by_seq_by_claim: dict[int, dict[int, int]] = {}
    verdicts = []
    for one in batch:
        ran_by_seq_by_claim.setdefault(one.claim, {})[one.seq] = one.ran_us
        if one.verdict is not None:
            verdicts.append({"seq": one.seq, **one.verdict})
    claims = sorted(ran_by_seq_by_claim)
    sets, ran_us = [], []
    for claim in claims:
        ran_by_seq = ran_by_seq_by_claim[claim]
        seqs = sorted(ran_by_seq)
        sets.append(_ranges(seqs))
        ran_us.extend([ran_by_seq[seq] for seq in seqs])
    return claims, sets, ran_us, orjson.dumps(verdicts).decode() if verdicts else None


def _ranges(seqs: Sequence[int]) -> str:
    """Return sorted numbers as the text of a multirange."""
    ranges = []
    first = last = seqs[0]
    for seq in seqs[1:]:
        if seq != last + 1:
            ranges.append(f"[{first},{last}]")
            first = seq
        last = seq
    ranges.append(f"[{first},{last}]")
    return "{" + ",".join(ranges) + "}"


def _stepped(rows: Sequence[Row]) -> Stepped:
    """Return a step's rows by what they say."""
    answer = Stepped()
    for row in rows:
        note = row["note"]
        if note is None:
            answer.rows.append(row)
        elif note == "deadline":
            answer.deadline_by_claim[row["claim"]] = row["created_at"]
        elif note == "lost":
            answer.is_lost = True
        else:
            getattr(answer, note).add(row["seq"])
    return answer
