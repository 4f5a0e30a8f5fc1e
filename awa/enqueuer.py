"""Jobs on their way in: one by one, or many by COPY, each call a transaction of its own.

Owns: the lanes that are made beforehand, and the wake-ups that follow a commit.
Keeps: a batch is written whole or not at all. Who sleeps is woken after the commit, one wake-up
    for all that committed meanwhile, and nobody waits for it.
Above: client. Below: store, attempt, encode, errors, options.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from awa.attempt import Job
from awa.encode import args_text, kind_of
from awa.errors import AwaError
from awa.options import InsertOptions, checked_insert, parse_copy_opts
from awa.store import Store
from awa.store.producer import NewJob, ProducerStore, Written, check_batch, jobs_of

__all__ = ["Enqueuer"]

logger = logging.getLogger(__name__)

OPENED_MAX = 10_000
"""Lanes that are remembered as made; who has more of them asks again, a round trip each."""


@dataclass(slots=True)
class _Share:
    """The jobs of a batch that go to one queue, and what came of them."""

    options: InsertOptions
    places: list[int] = field(default_factory=list)
    jobs: list[NewJob] = field(default_factory=list)
    written: Written | None = None


class Enqueuer:
    """Enqueues through one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # As a set that knows its order: a lane that was used is put last, the first is forgotten.
        self._opened: dict[tuple[str, int], None] = {}
        self._may_copy: bool | None = None
        self._waking: dict[str, asyncio.Task[None]] = {}
        self._wanted: set[str] = set()

    async def close(self) -> None:
        """Wait for the wake-ups that are under way."""
        await asyncio.gather(*self._waking.values(), return_exceptions=True)

    async def insert(self, args: Any, kind: str | None, options: dict[str, Any]) -> Job[Any]:
        """Enqueue one job and return it."""
        job = NewJob(kind_of(args, kind), args_text(args))
        asked = checked_insert(options)
        producer = await self._producer_for(job, asked)
        stored, is_asleep = await producer.enqueue(job, asked, wake=False)
        if is_asleep:
            self.wake(asked.queue)
        return stored

    async def insert_many(
        self,
        jobs: Iterable[Any],
        kind: str | None,
        opts: Sequence[Any] | None,
        options: dict[str, Any],
    ) -> list[Job[Any]]:
        """Enqueue a batch and return its jobs, in order."""
        shares = _shared(jobs, kind, opts, options)
        await self._write(shares)
        placed: list[tuple[int, Job[Any]]] = []
        for share in shares:
            assert share.written is not None
            made = jobs_of(share.jobs, share.options, share.written)
            placed.extend(zip(share.places, made, strict=True))
        return [job for _, job in sorted(placed, key=lambda pair: pair[0])]

    async def enqueue_many(
        self,
        jobs: Iterable[Any],
        kind: str | None,
        opts: Sequence[Any] | None,
        options: dict[str, Any],
    ) -> int:
        """Enqueue a batch and return how many jobs it had."""
        shares = _shared(jobs, kind, opts, options)
        await self._write(shares)
        return sum(len(share.jobs) for share in shares)

    async def _write(self, shares: Sequence[_Share]) -> None:
        """Write a batch in one transaction, and wake who sleeps after it."""
        if not shares:
            return
        copies = await self._copies(await self._store.producer())
        for share in shares:
            await self._producer_for(share.jobs[0], share.options)
        async with self._store.lent() as conn, conn.transaction():
            producer = ProducerStore(conn, self._store.schema)
            write = producer.copy if copies else producer.enqueue_many
            for share in shares:
                share.written = await write(share.jobs, share.options, wake=False)
        for share in shares:
            if share.written is not None and share.written.is_asleep:
                self.wake(share.options.queue)

    async def _copies(self, producer: ProducerStore) -> bool:
        if self._may_copy is None:
            self._may_copy = await producer.may_copy()
        return self._may_copy

    async def _producer_for(self, job: NewJob, asked: InsertOptions) -> ProducerStore:
        """Return the producers' door, with the lane that these options need made beforehand."""
        producer = await self._store.producer()
        if asked.run_at is None:
            key = (asked.queue, asked.priority)
            if key not in self._opened:
                await producer.open(job, asked)
            self._remember(key)
        return producer

    def _remember(self, key: tuple[str, int]) -> None:
        """Keep in mind that a lane is made, and forget the one that was not used for longest."""
        self._opened.pop(key, None)
        self._opened[key] = None
        if len(self._opened) > OPENED_MAX:
            del self._opened[next(iter(self._opened))]

    def wake(self, queue: str) -> None:
        """Tell who sleeps for this queue, after the commit and without making the caller wait.

        One at a time: what is committed while one is under way is told by the next, together.
        """
        self._wanted.add(queue)
        if queue not in self._waking:
            self._waking[queue] = asyncio.create_task(self._woken(queue))

    async def _woken(self, queue: str) -> None:
        try:
            while queue in self._wanted:
                self._wanted.discard(queue)
                await (await self._store.producer()).wake([queue])
        except AwaError as error:
            # A wake-up is a hint: without it the job is found by the next poll.
            logger.info("a wake-up was not sent: %s", error)
        finally:
            del self._waking[queue]


def _shared(
    jobs: Iterable[Any],
    kind: str | None,
    opts: Sequence[Any] | None,
    options: dict[str, Any],
) -> list[_Share]:
    """Return the jobs by queue, checked."""
    asked = checked_insert(options)
    batch = [NewJob(kind_of(job, kind), args_text(job)) for job in jobs]
    check_batch(batch, asked)
    share_by_queue: dict[str, _Share] = {}
    # One shard a queue: the ordering key has nothing to choose from.
    routes = parse_copy_opts(opts, len(batch), asked)
    for place, (job, (queue, _)) in enumerate(zip(batch, routes, strict=True)):
        share = share_by_queue.get(queue)
        if share is None:
            share = share_by_queue[queue] = _Share(replace(asked, queue=queue))
        share.places.append(place)
        share.jobs.append(job)
    return list(share_by_queue.values())
