"""The blocking face: a loop in a thread, one line a method.

Owns: the thread that all blocking clients of a process share.
Keeps: the same methods with the same arguments as the async face; a test compares them.
Above: the package and cli. Below: attempt, client, health, store, transaction.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterable, Sequence
from functools import cache
from types import TracebackType
from typing import Any, Self, TypeVar

from awa.attempt import Job
from awa.client import AsyncClient, RetryFailedResult
from awa.health import HealthCheck
from awa.store.operator import QueueStat
from awa.transaction import Transaction

__all__ = ["Client", "SyncTransaction"]

T = TypeVar("T")


@cache
def _loop(process: int) -> asyncio.AbstractEventLoop:
    """Return the loop of this process's blocking clients, running in a thread of its own.

    A forked child has the memory of its parent and none of its threads: it begins anew.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="awa-client", daemon=True).start()
    return loop


def _call(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in the clients' loop and wait for it, from any thread but that one."""
    return asyncio.run_coroutine_threadsafe(coroutine, _loop(os.getpid())).result()


async def _made(database_url: str, max_connections: int, settings: dict[str, Any]) -> AsyncClient:
    return AsyncClient(database_url, max_connections, **settings)


class SyncTransaction:
    """One transaction: `with client.transaction() as tx`. See `Transaction`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def __enter__(self) -> Self:
        _call(self._transaction.__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _call(self._transaction.__aexit__(kind, error, trace))

    def commit(self) -> None:
        """Make everything in it visible."""
        _call(self._transaction.commit())

    def rollback(self) -> None:
        """Undo everything in it."""
        _call(self._transaction.rollback())

    def execute(self, sql: str, *args: Any) -> int:
        """Run a statement; return how many rows it affected, 0 for DDL."""
        return _call(self._transaction.execute(sql, *args))

    def fetch_one(self, sql: str, *args: Any) -> dict[str, Any]:
        """Run a query and return its first row; DatabaseError if there is none."""
        return _call(self._transaction.fetch_one(sql, *args))

    def fetch_optional(self, sql: str, *args: Any) -> dict[str, Any] | None:
        """Run a query and return its first row, or None."""
        return _call(self._transaction.fetch_optional(sql, *args))

    def fetch_all(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """Run a query and return its rows."""
        return _call(self._transaction.fetch_all(sql, *args))

    def insert(self, args: Any, *, kind: str | None = None, **options: Any) -> Job[Any]:
        """Enqueue a job in this transaction: visible on commit, gone on rollback."""
        return _call(self._transaction.insert(args, kind=kind, **options))

    def insert_many(
        self, jobs: Iterable[Any], *, kind: str | None = None, **options: Any
    ) -> list[Job[Any]]:
        """Enqueue jobs that share their options, in this transaction; return them in order."""
        return _call(self._transaction.insert_many(jobs, kind=kind, **options))


class Client:
    """A connection to the queue for blocking code: Django, Flask, scripts. See `AsyncClient`.

    Safe to share between threads; not to be called from the thread of a running loop, which it
    would block.
    """

    def __init__(
        self,
        database_url: str,
        max_connections: int = 10,
        *,
        schema: str = "awa",
        statement_cache_size: int | None = None,
        listen_url: str | None = None,
    ) -> None:
        settings = {
            "schema": schema,
            "statement_cache_size": statement_cache_size,
            "listen_url": listen_url,
        }
        self._client = _call(_made(database_url, max_connections, settings))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def migrate(self) -> None:
        """Bring the schema to this version; concurrent callers do it once."""
        _call(self._client.migrate())

    def close(self) -> None:
        """Close the pool; a second time does nothing."""
        _call(self._client.close())

    def insert(self, args: Any, *, kind: str | None = None, **options: Any) -> Job[Any]:
        """Enqueue one job, in a transaction of its own, and return it."""
        return _call(self._client.insert(args, kind=kind, **options))

    def insert_many_copy(
        self,
        jobs: Iterable[Any],
        *,
        kind: str | None = None,
        opts: Sequence[Any] | None = None,
        **options: Any,
    ) -> list[Job[Any]]:
        """Enqueue many jobs in one transaction and return them, in order."""
        return _call(self._client.insert_many_copy(jobs, kind=kind, opts=opts, **options))

    def enqueue_many_copy(
        self,
        jobs: Iterable[Any],
        *,
        kind: str | None = None,
        opts: Sequence[Any] | None = None,
        **options: Any,
    ) -> int:
        """Enqueue many jobs in one transaction, the fastest way in; return how many."""
        return _call(self._client.enqueue_many_copy(jobs, kind=kind, opts=opts, **options))

    def transaction(self) -> SyncTransaction:
        """Open a transaction: your SQL and your jobs, committed or rolled back together."""
        return SyncTransaction(_call(self._client.transaction()))

    def get_job(self, job_id: int) -> Job[Any]:
        """Return a job; AwaError if there is none of this id."""
        return _call(self._client.get_job(job_id))

    def list_jobs(
        self,
        *,
        state: str | None = None,
        kind: str | None = None,
        queue: str | None = None,
        limit: int = 100,
    ) -> list[Job[Any]]:
        """Return up to `limit` (1 to 1000) jobs, newest id first."""
        return _call(self._client.list_jobs(state=state, kind=kind, queue=queue, limit=limit))

    def dump_job(self, job_id: int) -> str:
        """Return a job with its summary and its timeline, as pretty JSON."""
        return _call(self._client.dump_job(job_id))

    def dump_run(self, job_id: int, attempt: int | None = None) -> str:
        """Return what is known of one attempt of a job, as pretty JSON."""
        return _call(self._client.dump_run(job_id, attempt))

    def cancel(self, job_id: int) -> Job[Any]:
        """Cancel a job that is not over, and return it; AwaError for another."""
        return _call(self._client.cancel(job_id))

    def retry(self, job_id: int) -> Job[Any]:
        """Make a failed or cancelled job available again; AwaError for another."""
        return _call(self._client.retry(job_id))

    def retry_failed(
        self, *, kind: str | None = None, queue: str | None = None
    ) -> RetryFailedResult:
        """Make the failed jobs of one kind, or of one queue, available again."""
        return _call(self._client.retry_failed(kind=kind, queue=queue))

    def discard_failed(self, kind: str) -> int:
        """Delete the failed jobs of a kind; return how many."""
        return _call(self._client.discard_failed(kind))

    def pause_queue(self, queue: str, paused_by: str | None = None) -> None:
        """Stop a queue's claims and promotions; what runs goes on."""
        _call(self._client.pause_queue(queue, paused_by))

    def resume_queue(self, queue: str) -> None:
        """Let a queue give out claims again; an unknown queue is fine."""
        _call(self._client.resume_queue(queue))

    def drain_queue(self, queue: str) -> int:
        """Cancel what waits in a queue; return how many jobs."""
        return _call(self._client.drain_queue(queue))

    def queue_stats(self) -> list[QueueStat]:
        """Return what each queue holds, sorted by name."""
        return _call(self._client.queue_stats())

    def storage_status(self) -> dict[str, Any]:
        """Return what the logs hold: segments, lanes, holes, workers."""
        return _call(self._client.storage_status())

    def health_check(self) -> HealthCheck:
        """Return how this process is; it never raises."""
        return _call(self._client.health_check())
