"""A transaction of the application's, with its own SQL and its jobs in it.

Owns: what may be bound, and what a row of the user's reads as.
Keeps: a transaction ends once. Leaving the block commits what the block did not end itself, and
    rolls back when an exception leaves it.
Above: client begins these. Below: attempt, encode, errors, options, store.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from time import monotonic
from types import TracebackType
from typing import Any, Self

import orjson

from awa.attempt import Job
from awa.encode import args_text, json_text, kind_of, timestamp_text
from awa.errors import AwaError, DatabaseError
from awa.options import checked_insert
from awa.store import Store
from awa.store.producer import NewJob, ProducerStore, jobs_of
from awa.store.sql import translated

__all__ = ["Transaction"]

logger = logging.getLogger(__name__)

LATE_S = 0.5
"""Workers look often for what is drawn and not yet visible, but for a second only."""


class Transaction:
    """One transaction: `async with await client.transaction() as tx`.

    Leaving the block commits; an exception rolls back and goes on. Without a block, `commit` or
    `rollback` must be called. After either, every call raises AwaError.
    """

    def __init__(self, store: Store, conn: Any, begun: Any, wake: Callable[[str], None]) -> None:
        self._store = store
        self._conn = conn
        self._begun = begun
        self._wake = wake
        self._began_at = monotonic()
        self._queues: set[str] = set()
        self._asleep: set[str] = set()
        self._is_open = True

    @classmethod
    async def begin(cls, store: Store, wake: Callable[[str], None]) -> Self:
        """Open a transaction on a connection of the pool; `wake` is for after its commit."""
        conn = await store.taken()
        begun = conn.transaction()
        try:
            with translated():
                await begun.start()
        except BaseException:
            await store.give_back(conn)
            raise
        return cls(store, conn, begun, wake)

    async def __aenter__(self) -> Self:
        self._check_open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._is_open:
            return
        if kind is None:
            await self.commit()
            return
        try:
            await self.rollback()
        except AwaError as failure:
            # The server rolls back by itself; what left the block is what matters.
            logger.warning("a rollback was not answered: %s", failure)

    async def commit(self) -> None:
        """Make everything in it visible, and wake who sleeps for it."""
        await self._end(self._begun.commit)
        # After the commit: a notification inside would make it wait for all others that have one.
        # Who was awake when asked may have looked in vain and be asleep by now.
        is_late = monotonic() - self._began_at > LATE_S
        for queue in self._queues if is_late else self._asleep:
            self._wake(queue)

    async def rollback(self) -> None:
        """Undo everything in it."""
        await self._end(self._begun.rollback)

    async def _end(self, ending: Any) -> None:
        self._check_open()
        self._is_open = False
        try:
            with translated():
                await ending()
        finally:
            await self._store.give_back(self._conn)

    # --- The application's own SQL -------------------------------------------------------------

    async def execute(self, sql: str, *args: Any) -> int:
        """Run a statement; return how many rows it affected, 0 for DDL."""
        self._check_open()
        with translated(is_ours=False):
            tag: str = await self._conn.execute(sql, *_bound(args))
        last = tag.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    async def fetch_one(self, sql: str, *args: Any) -> dict[str, Any]:
        """Run a query and return its first row; DatabaseError if there is none."""
        row = await self.fetch_optional(sql, *args)
        if row is None:
            raise DatabaseError("no rows returned by a query that was to return one")
        return row

    async def fetch_optional(self, sql: str, *args: Any) -> dict[str, Any] | None:
        """Run a query and return its first row, or None."""
        rows = await self.fetch_all(sql, *args)
        return rows[0] if rows else None

    async def fetch_all(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """Run a query and return its rows."""
        self._check_open()
        with translated(is_ours=False):
            statement = await self._conn.prepare(sql)
            rows = await statement.fetch(*_bound(args))
        type_by_name = {one.name: one.type.name for one in statement.get_attributes()}
        return [
            {name: _read(value, type_by_name[name]) for name, value in row.items()} for row in rows
        ]

    # --- Jobs ----------------------------------------------------------------------------------

    async def insert(self, args: Any, *, kind: str | None = None, **options: Any) -> Job[Any]:
        """Enqueue a job in this transaction: visible on commit, gone on rollback.

        Takes the options of `AsyncClient.insert`, and raises as it does; an error aborts the
        transaction.
        """
        self._check_open()
        job = NewJob(kind_of(args, kind), args_text(args))
        asked = checked_insert(options)
        stored, is_asleep = await self._producer.enqueue(job, asked, wake=False)
        self._note(asked.queue, is_asleep)
        return stored

    async def insert_many(
        self, jobs: Iterable[Any], *, kind: str | None = None, **options: Any
    ) -> list[Job[Any]]:
        """Enqueue jobs that share their options, in this transaction; return them in order."""
        self._check_open()
        if "unique_opts" in options:
            raise TypeError("insert_many() got an unexpected keyword argument 'unique_opts'")
        asked = checked_insert(options)
        batch = [NewJob(kind_of(job, kind), args_text(job)) for job in jobs]
        if not batch:
            return []
        written = await self._producer.enqueue_many(batch, asked, wake=False)
        self._note(asked.queue, written.is_asleep)
        return jobs_of(batch, asked, written)

    @property
    def _producer(self) -> ProducerStore:
        return ProducerStore(self._conn, self._store.schema)

    def _note(self, queue: str, is_asleep: bool) -> None:
        """Remember that jobs of this queue are in here, and whether somebody slept for them."""
        self._queues.add(queue)
        if is_asleep:
            self._asleep.add(queue)

    def _check_open(self) -> None:
        if not self._is_open:
            raise AwaError("Transaction already committed or rolled back")


def _bound(args: Sequence[Any]) -> list[Any]:
    """Return values as the driver binds them; TypeError for what a transaction does not take."""
    return [_bind(value) for value in args]


def _bind(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json_text(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"cannot bind a {type(value).__name__}: use str, a number, a list or a dict")


def _read(value: Any, kind: str) -> Any:
    """Return a column's value: JSON as what it holds, instants as text, the rest as the driver."""
    if isinstance(value, list) and kind.endswith("[]"):
        return [_read(item, kind[:-2]) for item in value]
    if isinstance(value, str) and kind in ("json", "jsonb"):
        return orjson.loads(value)
    if isinstance(value, datetime):
        return timestamp_text(value) if kind == "timestamptz" else value.strftime(_NAIVE)[:-3]
    return value


_NAIVE = "%Y-%m-%d %H:%M:%S.%f"
