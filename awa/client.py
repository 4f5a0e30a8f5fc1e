"""What an application holds in its hand: enqueue, look, cancel, and run a worker.

Owns: the public methods of `AsyncClient`, and what each refuses.
Keeps: nothing connects before the first use. Arguments are checked before anything is written.
Above: sync wraps it, cli and applications use it. Below: attempt, dump, enqueuer, errors,
    handlers, health, job, runtime, start, store, transaction.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

from awa.attempt import Job
from awa.dump import dump_job, dump_run
from awa.enqueuer import Enqueuer
from awa.errors import AwaError
from awa.handlers import Handlers
from awa.health import HealthCheck, health_of
from awa.job import parse_state
from awa.runtime.engine import Engine
from awa.start import parse_start, refuse_unbuilt
from awa.store import Store, Target
from awa.store.migrate import migrate
from awa.store.operator import OperatorStore, QueueStat
from awa.transaction import Transaction

__all__ = ["AsyncClient", "RetryFailedResult"]

F = TypeVar("F", bound=Callable[..., Any])
logger = logging.getLogger(__name__)

LIST_MAX = 1000


class RetryFailedResult:
    """What `retry_failed` did: the jobs it brought back, and how many it found."""

    __slots__ = ("jobs", "matched", "pruned_failed_count")

    def __init__(self, jobs: list[Job[Any]], matched: int) -> None:
        self.jobs = jobs
        self.matched = matched
        self.pruned_failed_count: int | None = None

    def __repr__(self) -> str:
        return (
            f"RetryFailedResult(jobs={len(self.jobs)}, matched={self.matched}, "
            f"pruned_failed_count={self.pruned_failed_count})"
        )


class AsyncClient:
    """A connection to the queue, for asyncio.

    Connecting happens on first use. Every call raises DatabaseError when the database cannot be
    had within 30 s, and SchemaNotMigrated when its schema is of another version.

    Example: `async with awa.AsyncClient("postgres://localhost/app") as client: ...`
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
        if not isinstance(database_url, str):
            raise TypeError(f"database_url must be a str, not {type(database_url).__name__}")
        self._target = Target(
            database_url=database_url,
            schema=schema,
            statement_cache_size=statement_cache_size,
            listen_url=listen_url,
        )
        self._max_connections = max_connections
        self._store = Store(self._target, max_connections)
        self._enqueuer = Enqueuer(self._store)
        self._handlers = Handlers()
        self._engine: Engine | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def database_url(self) -> str:
        """The database this client speaks with."""
        return self._target.database_url

    def retarget(self, database_url: str) -> None:
        """Speak with another database; AwaError once this one has been used."""
        if self._store.is_open:
            raise AwaError("the client has been used already")
        self._target = replace(self._target, database_url=database_url)
        self._store = Store(self._target, self._max_connections)
        self._enqueuer = Enqueuer(self._store)

    async def migrate(self) -> None:
        """Bring the schema to this version; concurrent callers do it once."""
        await migrate(self._target.database_url, self._target.schema)

    async def close(self) -> None:
        """Stop the runtime, if it runs, and close the pool; a second time does nothing."""
        await self.shutdown()
        await self._enqueuer.close()
        await self._store.close()

    # --- Enqueue -------------------------------------------------------------------------------

    async def insert(self, args: Any, *, kind: str | None = None, **options: Any) -> Job[Any]:
        """Enqueue one job, in a transaction of its own, and return it.

        `args` is a dataclass, a pydantic model or a dict. Options: queue="default", priority=2
        (1 to 4, 1 first), max_attempts=25, tags, metadata, run_at, ordering_key. Raises as the
        reference lists: TypeError, ValidationError, OverflowError, DatabaseError.
        """
        return await self._enqueuer.insert(args, kind, options)

    async def insert_many_copy(
        self,
        jobs: Iterable[Any],
        *,
        kind: str | None = None,
        opts: Sequence[Any] | None = None,
        **options: Any,
    ) -> list[Job[Any]]:
        """Enqueue many jobs in one transaction and return them, in order.

        `opts` may give each job a queue and an ordering_key of its own.
        """
        return await self._enqueuer.insert_many(jobs, kind, opts, options)

    async def enqueue_many_copy(
        self,
        jobs: Iterable[Any],
        *,
        kind: str | None = None,
        opts: Sequence[Any] | None = None,
        **options: Any,
    ) -> int:
        """Enqueue many jobs in one transaction, the fastest way in; return how many."""
        return await self._enqueuer.enqueue_many(jobs, kind, opts, options)

    async def transaction(self) -> Transaction:
        """Open a transaction: your SQL and your jobs, committed or rolled back together."""
        return await Transaction.begin(self._store, self._enqueuer.wake)

    # --- Look and decide -----------------------------------------------------------------------

    async def get_job(self, job_id: int) -> Job[Any]:
        """Return a job; AwaError if there is none of this id."""
        job = await (await self._operator()).get(_number(job_id))
        if job is None:
            raise AwaError(f"job not found: {job_id}")
        return job

    async def list_jobs(
        self,
        *,
        state: str | None = None,
        kind: str | None = None,
        queue: str | None = None,
        limit: int = 100,
    ) -> list[Job[Any]]:
        """Return up to `limit` (1 to 1000) jobs, newest id first."""
        if state is not None:
            # A JobState is an int to Python and not what this takes.
            state = str(parse_state(state))
        return await (await self._operator()).search(
            state, kind, queue, min(max(_number(limit), 1), LIST_MAX)
        )

    async def dump_job(self, job_id: int) -> str:
        """Return a job with its summary and its timeline, as pretty JSON."""
        return dump_job(await self.get_job(job_id))

    async def dump_run(self, job_id: int, attempt: int | None = None) -> str:
        """Return what is known of one attempt, as pretty JSON; ValidationError if nothing is."""
        return dump_run(await self.get_job(job_id), attempt)

    async def cancel(self, job_id: int) -> Job[Any]:
        """Cancel a job that is not over, and return it; AwaError for another.

        A handler that runs it is told (`job.is_cancelled()`), and what it does is up to it: at
        once where its worker listens, else with the next heartbeat.
        """
        if not await (await self._operator()).cancel(_number(job_id)):
            raise AwaError(f"job not found: {job_id}")
        return await self.get_job(job_id)

    async def retry(self, job_id: int) -> Job[Any]:
        """Make a failed or cancelled job available again; AwaError for another.

        Its attempts begin anew; its errors stay.
        """
        if not await (await self._operator()).redrive(_number(job_id)):
            raise AwaError(f"job not found: {job_id}")
        return await self.get_job(job_id)

    async def retry_failed(
        self, *, kind: str | None = None, queue: str | None = None
    ) -> RetryFailedResult:
        """Make the failed jobs of one kind, or of one queue, available again."""
        if (kind is None) == (queue is None):
            raise ValueError("Specify exactly one of kind or queue")
        operator = await self._operator()
        ids = await operator.redrive_failed(kind, queue)
        jobs = [job for one in ids if (job := await operator.get(one)) is not None]
        return RetryFailedResult(jobs, len(ids))

    async def discard_failed(self, kind: str) -> int:
        """Delete the failed jobs of a kind; return how many."""
        return await (await self._operator()).discard_failed(kind)

    async def pause_queue(self, queue: str, paused_by: str | None = None) -> None:
        """Stop a queue's claims and promotions; what runs goes on."""
        await (await self._operator()).pause(queue, paused_by)

    async def resume_queue(self, queue: str) -> None:
        """Let a queue give out claims again; an unknown queue is fine."""
        await (await self._operator()).unpause(queue)

    async def drain_queue(self, queue: str) -> int:
        """Cancel what waits in a queue; return how many jobs."""
        return await (await self._operator()).drain(queue)

    async def queue_stats(self) -> list[QueueStat]:
        """Return what each queue holds, sorted by name."""
        return await (await self._operator()).queue_stats()

    async def storage_status(self) -> dict[str, Any]:
        """Return what the logs hold: segments, lanes, holes, workers."""
        return await (await self._operator()).storage_status()

    async def health_check(self) -> HealthCheck:
        """Return how this process is; it never raises."""
        try:
            stats = await (await self._operator()).queue_stats()
        except (AwaError, OSError) as error:
            logger.info("the database does not answer: %s", error)
            return health_of(self._engine, False, {})
        return health_of(self._engine, True, {one.queue: one.available for one in stats})

    async def _operator(self) -> OperatorStore:
        return await self._store.operator()

    # --- Run -----------------------------------------------------------------------------------

    def task(
        self, args_type: Any, *, kind: str | None = None, queue: str = "default"
    ) -> Callable[[F], F]:
        """Register the decorated function as the handler of a kind, derived from `args_type`.

        An `async def` runs in the loop that calls `start`, a plain `def` in a thread. It is bound
        at `start()`; the last one registered for a kind wins.
        """

        def register(function: F) -> F:
            self._handlers.register(args_type, function, kind, queue)
            return function

        return register

    async def start(self, queues: Iterable[Any] | None = None, **options: Any) -> None:
        """Run the registered handlers in this process, until `shutdown`.

        `queues` is a list of `(name, max_workers)` or of dicts; without it every queue of a
        handler is served with ten slots. Raises as the reference lists, before anything starts.
        """
        if self._engine is not None:
            raise AwaError("worker runtime is already running")
        self._store.check_open()
        config = parse_start(queues, self._handlers.queues, **options)
        refuse_unbuilt(config)
        engine = Engine(self._target, config, self._handlers.copy())
        self._engine = engine
        try:
            await engine.start()
        except BaseException:
            self._forget(engine)
            raise

    async def shutdown(self, timeout_ms: int = 2000) -> None:
        """Claim no more, give running handlers their time, hand the rest back, and stop.

        What is handed back is available at once, at no cost of an attempt. Without a running
        runtime it does nothing; while another call stops it, it waits for the end of that. Then
        the client can be started again.
        """
        if (engine := self._engine) is not None:
            if engine.runs(asyncio.current_task()):
                raise AwaError("a handler cannot wait for its own end: stop from outside of it")
            await engine.shutdown(max(0, timeout_ms) / 1000)
            self._forget(engine)

    def _forget(self, engine: Engine) -> None:
        # Who waited for the same end may have been slower than a new start.
        if self._engine is engine:
            self._engine = None


def _number(value: object) -> int:
    """Return an integer argument; TypeError for another type, OverflowError past a bigint."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"an integer is needed, not {type(value).__name__}")
    if not -(2**63) <= value < 2**63:
        raise OverflowError(f"{value} does not fit a bigint")
    return value
