"""The door for the leader: elections, and the sweeps that only it does.

Owns: how a sweep's parameters and answers read.
Keeps: every verb but `elect` carries the epoch, and fails once another worker leads.
Above: runtime.maintenance calls these. Below: sql, errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from awa.errors import AwaError
from awa.store.sql import Conn, Verbs

__all__ = ["LeaderStore", "Promoted", "is_deposed"]


@dataclass(frozen=True, slots=True)
class Promoted:
    """How many deferred jobs became entries, what to say next time, whom to wake, what else."""

    count: int
    clean_to: datetime | None
    queues: Sequence[str]
    has_intake: bool


@dataclass(frozen=True, slots=True)
class LeaderStore:
    """What a leader does, on one connection."""

    conn: Conn
    schema: str = "awa"

    @property
    def verbs(self) -> Verbs:
        """The verbs on this connection."""
        return Verbs(self.conn, self.schema)

    async def elect(self, worker: int, lease_s: float) -> int | None:
        """Become or stay the leader; return the epoch, or None while another leads."""
        epoch: int | None = (await self.verbs.one("elect", worker, lease_s))["elect"]
        return epoch

    async def resign(self, epoch: int) -> None:
        """Give up the lease, so that another is elected at once."""
        await self.verbs("resign", epoch)

    async def promote(self, epoch: int, since: datetime | None, n: int) -> Promoted:
        """Make up to n due jobs entries; `since` is what the last call gave back."""
        row = await self.verbs.one("promote", epoch, since, n)
        return Promoted(row["promoted"], row["clean_to"], row["queues"], row["intake"])

    async def sort(self, epoch: int, n: int, *, settles: bool) -> set[str]:
        """Send up to n jobs of the intake to their queues; return the notes of the claim."""
        return {row["sort"] for row in await self.verbs("sort", epoch, n, settles)}

    async def rescue(self, epoch: int, stale_s: float, n: int) -> dict[int, int]:
        """Rescue up to n entries of lost workers; return how many, by worker."""
        rows = await self.verbs("rescue", epoch, stale_s, n)
        return {row["worker"]: row["rescued"] for row in rows}

    async def expire(self, epoch: int, grace_s: float, n: int) -> dict[int, int]:
        """End up to n late attempts of each worker; return how many, by worker."""
        rows = await self.verbs("expire", epoch, grace_s, n)
        return {row["worker"]: row["expired"] for row in rows}

    async def rotate(self, epoch: int, age_s: float, size_bytes: int) -> str | None:
        """Take one step towards a fresh segment; None when there is nothing to do."""
        done: str | None = (await self.verbs.one("rotate", epoch, age_s, size_bytes))["rotate"]
        return done

    async def prune(self, epoch: int, retention_s: float, wait_ms: int) -> int | None:
        """Truncate one segment whose story is over; return its number, or None."""
        number: int | None = (await self.verbs.one("prune", epoch, retention_s, wait_ms))["prune"]
        return number

    async def tally(self, epoch: int) -> None:
        """Fold completions into minutes."""
        await self.verbs("tally", epoch)

    async def purge(self, epoch: int, cancelled_s: float, failed_s: float, n: int) -> int:
        """Delete up to n held jobs past their retention; return how many."""
        gone: int = (await self.verbs.one("purge", epoch, cancelled_s, failed_s, n))["purge"]
        return gone


def is_deposed(error: AwaError) -> bool:
    """Return whether an error says that another worker leads by now."""
    cause = error.__cause__
    return isinstance(cause, asyncpg.PostgresError) and cause.sqlstate == "AW001"
