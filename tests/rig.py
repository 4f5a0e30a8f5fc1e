"""Verbs by hand: what a test needs to be a producer, a worker or the leader on the real database.

Owns: short ways to call verbs on connections of their own.
Keeps: nothing is imitated: each call is the verb, in a transaction of its own or an open one.
Above: the tests. Below: awa.store.
"""

import json
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self

import asyncpg

from awa.store.leader import LeaderStore
from awa.store.operator import OperatorStore
from awa.store.worker import Ask, Finish, Stepped, WorkerStore

KIND = "k"


class Worker:
    """A worker process, by hand: it has an id and a connection, and remembers what it was given."""

    def __init__(self, conn: asyncpg.Connection, worker: int, queues: Sequence[int]) -> None:
        self.conn = conn
        self.store = WorkerStore(conn)
        self.worker = worker
        self.queues = list(queues)
        self.claim_by_seq: dict[int, int] = {}

    async def step(
        self,
        batch: Iterable[Finish] = (),
        *,
        room: int = 10,
        kinds: Sequence[str] = (KIND,),
        asleep: bool = False,
        settles: bool = False,
        deadline_s: float = 0,
        ageing_ms: int = 60_000,
    ) -> Stepped:
        """Take one step, asking all queues alike; no room asks none."""
        asks = [
            Ask(
                queue=queue,
                room=room,
                ageing_ms=ageing_ms,
                deadline_s=deadline_s,
                asleep=asleep,
                settles=settles,
            )
            for queue in sorted(self.queues)
            if room
        ]
        answer = await self.store.step(self.worker, list(batch), asks, list(kinds))
        for row in answer.rows:
            self.claim_by_seq[row["seq"]] = row["claim"]
        return answer

    async def claim(self, room: int = 10, **how: Any) -> list[int]:
        """Claim; return the ids of the jobs."""
        return [row["id"] for row in (await self.step(room=room, **how)).rows]

    async def take(self, room: int = 10, **how: Any) -> list[int]:
        """Claim; return the seqs of the entries."""
        return [row["seq"] for row in (await self.step(room=room, **how)).rows]

    def finish(self, seq: int, verdict: str | None = None, **said: Any) -> Finish:
        """Return the finish of an entry that this worker was given."""
        told = None if verdict is None else {"verdict": verdict, **said}
        return Finish(self.claim_by_seq[seq], seq, 1, told)

    async def end(self, *seqs: int, verdict: str | None = None, **said: Any) -> set[int]:
        """Finish entries; return the stale ones."""
        batch = [self.finish(seq, verdict, **said) for seq in seqs]
        return (await self.step(batch, room=0)).stale


class Rig:
    """Connections to one database, and who acts on them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._conns: list[asyncpg.Connection] = []
        self.conn: asyncpg.Connection

    async def __aenter__(self) -> Self:
        self.conn = await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for conn in self._conns:
            conn.terminate()

    async def connect(self) -> asyncpg.Connection:
        """Open one more connection."""
        conn = await asyncpg.connect(self.url)
        self._conns.append(conn)
        return conn

    async def worker(self, *queues: str, kinds: Sequence[str] = (KIND,)) -> Worker:
        """Register a worker on a connection of its own."""
        conn = await self.connect()
        names = queues or ("q",)
        told = await WorkerStore(conn).register("test", names, kinds)
        return Worker(conn, told.worker, told.queues)

    async def leader(self, worker: Worker | None = None) -> tuple[LeaderStore, int]:
        """Have a worker elected; return the leader's door and the epoch."""
        worker = worker or await self.worker()
        store = LeaderStore(self.conn)
        epoch = await store.elect(worker.worker, 30)
        assert epoch is not None
        return store, epoch

    @property
    def operator(self) -> OperatorStore:
        """The operator's door."""
        return OperatorStore(self.conn)

    async def enqueue(
        self, n: int = 1, *, conn: asyncpg.Connection | None = None, **how: Any
    ) -> list[int]:
        """Enqueue jobs one by one, on a given connection (with its transaction); return the ids."""
        given = {"kind": KIND, "args": "{}", "queue": "q", **how}
        marks = ", ".join(f"{name} => ${i}" for i, name in enumerate(given, 1))
        sql = "".join(["select id from awa.enqueue(", marks, ")"])
        return [await (conn or self.conn).fetchval(sql, *given.values()) for _ in range(n)]

    async def states(self) -> dict[int, str]:
        """Return the state of each job, by id, as the view has it."""
        rows = await self.conn.fetch("select id, state from awa.jobs order by id")
        assert len({row["id"] for row in rows}) == len(rows), "a job is shown twice"
        return {row["id"]: row["state"] for row in rows}

    async def job(self, number: int) -> dict[str, Any]:
        """Return one job's row of the view."""
        row = dict(await self.conn.fetchrow("select * from awa.jobs where id = $1", number))
        return {
            name: json.loads(value) if name in _JSON and value is not None else value
            for name, value in row.items()
        }

    async def acts(self) -> list[str]:
        """Return the trace so far, as the names of its actions."""
        rows = await self.conn.fetch("select act from awa.trace_event order by n")
        return [row["act"] for row in rows]

    async def pages(self, queue: str = "q") -> list[dict[str, Any]]:
        """Return the hole pages of a queue's newest claim."""
        rows = await self.conn.fetch(
            "select h.* from awa.queue q cross join lateral awa.newest(q.queue) c "
            "join awa.hole h on h.segment = c.segment and h.page = any(c.pages) where q.name = $1",
            queue,
        )
        return [dict(row) for row in rows]


_JSON = frozenset({"args", "tags", "metadata", "errors", "progress"})
