"""The door for people: look at jobs and queues, cancel, bring back, pause.

Owns: how the view's rows become jobs, and how a queue's counts read.
Keeps: nothing here runs on the path of a job.
Above: client and cli call these. Below: sql, attempt.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import orjson

from awa.attempt import Job
from awa.store.sql import ROOT, Conn, Verbs, template, translated

__all__ = ["OperatorStore", "QueueStat"]

PORTION = 200
"""Jobs cancelled or brought back in one transaction: some tens of milliseconds, for which the
queue's claims may have to wait."""


@dataclass(frozen=True, slots=True)
class QueueStat:
    """What a queue holds at one moment; `lag_seconds` is how long its oldest job has waited."""

    queue: str
    total_queued: int
    scheduled: int
    available: int
    retryable: int
    running: int
    failed: int
    waiting_external: int
    completed_last_hour: int
    lag_seconds: float | None
    paused: bool

    def __repr__(self) -> str:
        return (
            f"QueueStat(queue='{self.queue}', total_queued={self.total_queued}, "
            f"available={self.available}, running={self.running}, failed={self.failed})"
        )


@dataclass(frozen=True, slots=True)
class OperatorStore:
    """What a person does, on one connection."""

    conn: Conn
    schema: str = "awa"

    @property
    def verbs(self) -> Verbs:
        """The verbs on this connection."""
        return Verbs(self.conn, self.schema)

    async def get(self, job: int) -> Job[Any] | None:
        """Return a job, or None."""
        with translated():
            rows = await self.conn.fetch(template(_GET, self.schema), job)
        return Job.stored(rows[0]) if rows else None

    async def search(
        self, state: str | None, kind: str | None, queue: str | None, limit: int
    ) -> list[Job[Any]]:
        """Return jobs, newest id first."""
        ids = [row["search"] for row in await self.verbs("search", state, kind, queue, limit)]
        with translated():
            rows = await self.conn.fetch(template(_LIST, self.schema), ids, state)
        return [Job.stored(row) for row in rows]

    async def cancel(self, job: int) -> bool:
        """Cancel a job that is not over; False if it is, or is unknown."""
        return bool((await self.verbs.one("cancel", job))["cancel"])

    async def redrive(self, job: int) -> bool:
        """Make a held job available again; False if it is not held."""
        return bool((await self.verbs.one("redrive", job))["redrive"])

    async def redrive_failed(self, kind: str | None, queue: str | None) -> Sequence[int]:
        """Make the failed jobs of a kind or a queue available again; return their ids."""
        ids: list[int] = []
        while len(ids) % PORTION == 0:
            after = ids[-1] if ids else 0
            rows = await self.verbs("redrive_failed", kind, queue, after, PORTION)
            if not rows:
                break
            ids.extend([row["redrive_failed"] for row in rows])
        return ids

    async def discard_failed(self, kind: str) -> int:
        """Delete the failed jobs of a kind; return how many."""
        return int((await self.verbs.one("discard_failed", kind))["discard_failed"])

    async def pause(self, queue: str, paused_by: str | None) -> None:
        """Stop a queue's claims and promotions."""
        await self.verbs("pause", queue, paused_by)

    async def unpause(self, queue: str) -> None:
        """Let a queue give out claims again."""
        await self.verbs("unpause", queue)

    async def drain(self, queue: str) -> int:
        """Cancel what waits in a queue; return how many."""
        cancelled, reached, done = 0, 0, False
        while not done:
            row = await self.verbs.one("drain", queue, reached, PORTION)
            cancelled += row["cancelled"]
            reached, done = row["reached"], row["done"]
        return cancelled

    async def queue_stats(self) -> list[QueueStat]:
        """Return what each queue holds, sorted by name."""
        stats = []
        for row in await self.verbs("queue_stats"):
            counts = {one.name: row[one.name] for one in fields(QueueStat) if one.name in row}
            waiting = ("scheduled", "available", "retryable", "running")
            total = sum(counts[name] for name in waiting)
            stats.append(QueueStat(total_queued=total, waiting_external=0, **counts))
        return stats

    async def storage_status(self) -> dict[str, Any]:
        """Return what the logs hold, for a person."""
        row = await self.verbs.one("storage_status")
        status: dict[str, Any] = orjson.loads(row["storage_status"])
        return status


_GET = ROOT / "sql" / "get.sql"
_LIST = ROOT / "sql" / "list.sql"
