"""The door for producers: jobs come in, in the caller's transaction or in one of their own.

Owns: how a job becomes parameters, and when a batch is copied instead of called.
Keeps: what the verbs refuse is refused before a row is written. Whoever owns the commit wakes
    the sleepers after it, never inside.
Above: client and transaction enqueue. Below: sql, attempt, encode, errors, options.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from awa.attempt import Job
from awa.encode import has_nul, json_text
from awa.errors import DatabaseError, ValidationError
from awa.options import InsertOptions
from awa.store.sql import Conn, Verbs, translated

__all__ = ["NewJob", "ProducerStore", "Written", "check_batch", "jobs_of"]

KIND_CHARS_MAX = 200

_ENTRY_COLUMNS: tuple[str, ...] = ("segment", "seq", "id", "created_at", "kind", "args", "options")
_DEFERRED_COLUMNS = (*_ENTRY_COLUMNS, "due_at", "priority", "state", "queue")
_NOT_DEFERRED: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job on its way in: its kind and its args as JSON text."""

    kind: str
    args: str


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a batch: the ids in the order given, and whether somebody sleeps for it."""

    ids: Sequence[int]
    created_at: datetime
    is_asleep: bool


@dataclass(frozen=True, slots=True)
class ProducerStore:
    """Enqueues on one connection: the pool's, or one with the caller's transaction open."""

    conn: Conn
    schema: str = "awa"

    @property
    def verbs(self) -> Verbs:
        """The verbs on this connection."""
        return Verbs(self.conn, self.schema)

    async def enqueue(
        self, job: NewJob, options: InsertOptions, *, wake: bool
    ) -> tuple[Job[Any], bool]:
        """Enqueue one job; return it, and whether somebody sleeps who was not woken by this."""
        row = await self.verbs.one("enqueue", job.kind, job.args, *_asked(options), wake)
        stored = Job.stored(_as_row(job, options, row["id"], row["created_at"], row["state"]))
        return stored, row["asleep"] and not wake

    async def enqueue_many(
        self, jobs: Sequence[NewJob], options: InsertOptions, *, wake: bool
    ) -> Written:
        """Enqueue jobs that share their options, with no right on a table."""
        kinds, texts = [job.kind for job in jobs], [job.args for job in jobs]
        rows = await self.verbs("enqueue_many", kinds, texts, *_asked(options), wake)
        return Written(
            [row["id"] for row in rows], rows[0]["created_at"], rows[0]["asleep"] and not wake
        )

    async def copy(self, jobs: Sequence[NewJob], options: InsertOptions, *, wake: bool) -> Written:
        """Enqueue jobs that share their options by COPY, the fastest way in.

        The connection must have a transaction open: the numbers are drawn in it, and the rows
        that carry them follow. `check_batch` is to have been called.
        """
        queue, priority, *rest = _asked(options)
        held = await self.verbs.one("reserve", queue, priority, len(jobs), *rest, wake)
        segment, at, extra = held["segment"], held["created_at"], held["options"]
        numbered = zip(held["seqs"], held["ids"], jobs, strict=True)
        table, columns, due = "entry", _ENTRY_COLUMNS, _NOT_DEFERRED
        if held["due_at"] is not None:
            table, columns = "deferred", _DEFERRED_COLUMNS
            due = (held["due_at"], priority, "scheduled", queue)
        rows = [(segment, seq, n, at, job.kind, job.args, extra, *due) for seq, n, job in numbered]
        with translated():
            await self.conn.copy_records_to_table(
                table, schema_name=self.schema, columns=columns, records=rows
            )
        return Written(held["ids"], at, held["asleep"] and not wake)

    async def may_copy(self) -> bool:
        """Return whether this user may write into the log itself; a bare producer may not."""
        return bool((await self.verbs.one("may_copy"))["may_copy"])

    async def open(self, job: NewJob, options: InsertOptions) -> None:
        """Make the queue and its lane, in a transaction of its own, so that no job need wait.

        Nothing is made for a job that will be refused.
        """
        queue, priority, *rest, _ = _asked(options)
        await self.verbs("open", queue, priority, job.kind, job.args, *rest)

    async def wake(self, queues: Sequence[str]) -> None:
        """Tell the workers that sleep for these queues to look."""
        await self.verbs("wake", queues)


def jobs_of(jobs: Sequence[NewJob], options: InsertOptions, written: Written) -> list[Job[Any]]:
    """Return a batch that was written as jobs, in its order."""
    state = "available" if options.run_at is None else "scheduled"
    return [
        Job.stored(_as_row(job, options, n, written.created_at, state))
        for job, n in zip(jobs, written.ids, strict=True)
    ]


def _asked(options: InsertOptions) -> tuple[Any, ...]:
    """Return the options as the verbs take them."""
    return (
        options.queue,
        options.priority,
        options.max_attempts,
        list(options.tags),
        json_text(options.metadata),
        options.run_at,
    )


def _as_row(
    job: NewJob, options: InsertOptions, number: int, at: datetime, state: str
) -> dict[str, Any]:
    """Return a job that was just enqueued as the view would show it."""
    return {
        "id": number,
        "kind": job.kind,
        "queue": options.queue,
        "args": job.args,
        "state": state,
        "priority": options.priority,
        "attempt": 0,
        "run_lease": 0,
        "max_attempts": options.max_attempts,
        "tags": list(options.tags),
        "metadata": dict(options.metadata),
        "errors": [],
        "progress": None,
        "run_at": options.run_at or at,
        "created_at": at,
        "attempted_at": None,
        "deadline_at": None,
        "finalized_at": None,
    }


def check_batch(jobs: Sequence[NewJob], options: InsertOptions) -> None:
    """Refuse what a COPY would store though the verb refuses it, whichever of them is to write.

    ValidationError for a NUL in args or metadata; for a kind DatabaseError, as the verb has it.
    """
    if has_nul(json_text(options.metadata)):
        raise ValidationError("metadata must not contain a NUL character")
    for job in jobs:
        if has_nul(job.args):
            raise ValidationError("args must not contain a NUL character")
        if len(job.kind) > KIND_CHARS_MAX:
            raise DatabaseError(
                f"kind must be at most {KIND_CHARS_MAX} characters, got {len(job.kind)}"
            )
        if "\0" in job.kind:
            raise DatabaseError("kind must not contain a NUL character")
