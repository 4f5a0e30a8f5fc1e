"""What the tests of the runtime share: quick settings, a record of runs, and waits.

Owns: how a test starts a worker process, and how it learns what handlers and the database did.
Keeps: nothing is imitated: the client, its threads and its database are the real ones. A wait is
    for something to be so and ends as soon as it is; its bound is only there to fail by.
Above: the tests of this folder. Below: awa, tests.rig.
"""

import asyncio
import inspect
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import awa
from awa.runtime.engine import Engine
from tests.rig import Rig

WITHIN_S = 20.0
"""How long a wait lasts at most: a slow machine is slower than whatever is waited for."""

QUICK: dict[str, Any] = {
    "poll_interval_ms": 50,
    "leader_election_interval_ms": 100,
    "heartbeat_interval_ms": 200,
    "heartbeat_rescue_interval_ms": 100,
    "promote_interval_ms": 50,
    "deadline_rescue_interval_ms": 100,
}
"""Everything but the staleness, which stays at half a minute unless a test is about it."""


RARELY_S = 600
RARELY = {"poll_interval_ms": RARELY_S * 1000}
"""Then the only steps are those for which something has happened."""


class Runs:
    """What handlers did: which job began and ended when, and whether one ran twice at once."""

    def __init__(self) -> None:
        self.began: list[int] = []
        self.ended: list[int] = []
        self.overlapped: set[int] = set()
        self.most = 0
        self._running: Counter[int] = Counter()

    @contextmanager
    def of(self, job: awa.Job[Any]) -> Iterator[None]:
        """Record one run of a handler."""
        self.began.append(job.id)
        self._running[job.id] += 1
        if self._running[job.id] > 1:
            self.overlapped.add(job.id)
        self.most = max(self.most, self._running.total())
        try:
            yield
        finally:
            self._running[job.id] -= 1
            self.ended.append(job.id)

    def have_begun(self, count: int) -> bool:
        """Return whether so many handlers have begun."""
        return len(self.began) >= count

    def check_once(self, ids: Iterable[int]) -> None:
        """Check that each of these jobs ran exactly once, and nothing else did."""
        assert sorted(self.began) == sorted(ids)
        assert self.overlapped == set()


async def until(look: Callable[[], Any], within_s: float = WITHIN_S) -> Any:
    """Wait until a look, which may ask the database, finds something; return what it found."""
    async with asyncio.timeout(within_s):
        while True:
            found = look()
            if inspect.isawaitable(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.01)


async def until_all(rig: Rig, ids: Iterable[int], state: str = "completed") -> None:
    """Wait until all these jobs are in one state."""
    wanted = dict.fromkeys(ids, state)

    async def look() -> bool:
        states = await rig.states()
        return all(states.get(number) == state for number in wanted)

    try:
        await until(look)
    except TimeoutError:
        states = await rig.states()
        others = {n: states.get(n) for n in wanted if states.get(n) != state}
        raise AssertionError(f"{state} was to come of all, and there is {others}") from None


@asynccontextmanager
async def working(
    client: awa.AsyncClient, queues: Any = None, **options: Any
) -> AsyncIterator[Engine]:
    """Run a client's handlers for as long as the block lasts."""
    await client.start(queues, **{**QUICK, **options})
    try:
        yield engine_of(client)
    finally:
        await client.shutdown()


async def until_asleep(rig: Rig, engine: Engine, queue: str = "q") -> None:
    """Wait until a worker that polls rarely has announced its sleep and looked once more."""
    sql = "select awa.is_asleep(k.queue) from queue k where k.name = $1"
    await until(lambda: rig.watcher.fetchval(sql, queue))
    await until(lambda: looks_in_s(engine) > RARELY_S / 2)


def looks_in_s(engine: Engine) -> float:
    """Return in how many seconds a worker's next look is due."""
    assert engine._loop is not None
    return engine.dispatcher.slots.next_look() - engine._loop.time()


def engine_of(client: awa.AsyncClient) -> Engine:
    """Return what runs behind a started client."""
    assert client._engine is not None
    return client._engine


def runtime_threads() -> list[str]:
    """Return the names of the runtime's threads; the blocking clients' loop is not one of them."""
    names = [one.name for one in threading.enumerate()]
    return [one for one in names if one.startswith("awa-") and one != "awa-client"]


def handle(client: awa.AsyncClient, runs: Runs, kind: str = "k", queue: str = "q") -> None:
    """Register a handler that only records its run."""

    @client.task(dict, kind=kind, queue=queue)
    async def record(job: awa.Job[Any]) -> None:
        with runs.of(job):
            await asyncio.sleep(0)


def handle_when_opened(client: awa.AsyncClient, runs: Runs) -> asyncio.Event:
    """Register a handler that records its run and ends when the event that is returned is set."""
    opened = asyncio.Event()

    @client.task(dict, kind="k", queue="q")
    async def record(job: awa.Job[Any]) -> None:
        with runs.of(job):
            await opened.wait()

    return opened


async def insert(client: awa.AsyncClient, count: int = 1, **how: Any) -> list[int]:
    """Enqueue jobs; return their ids."""
    how = {"kind": "k", "queue": "q", **how}
    return [
        job.id for job in await client.insert_many_copy([{"n": n} for n in range(count)], **how)
    ]


async def backends(rig: Rig, query: str = "%") -> list[int]:
    """Return the backends of this database whose last statement is like that; the rig's apart."""
    mine = [conn.get_server_pid() for conn in rig._conns if not conn.is_closed()]
    rows = await rig.conn.fetch(
        "select pid from pg_stat_activity where datname = current_database() "
        "and backend_type = 'client backend' and pid <> all($1) and query like $2",
        mine,
        query,
    )
    return [row["pid"] for row in rows]


STEPS, LISTENS, BEATS = "%awa.step(%", "select 1", "%awa.heartbeat(%"
"""By its last statement one knows whose a connection is."""


async def cut(rig: Rig, query: str) -> None:
    """Terminate the backends whose last statement is like that, at least one."""
    pids = await until(lambda: backends(rig, query))
    for pid in pids:
        assert await rig.conn.fetchval("select pg_terminate_backend($1)", pid)
