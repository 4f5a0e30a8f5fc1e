"""In flight: what happens to a worker while its one step is under way.

Owns: a stop, and the news that the worker is lost, that come between a step and its answer.
Keeps: what a step brings after the stop has cost nothing and begins nowhere here; what handlers
    say meanwhile is said.
Above: nobody. Below: tests.runtime.scene, awa.
"""

import asyncio
import threading
from typing import Any

import pytest

import awa
from awa.runtime.engine import Engine
from awa.store.worker import Beat
from tests.rig import Rig
from tests.runtime.conftest import Clients
from tests.runtime.scene import (
    RARELY,
    Runs,
    handle,
    handle_when_opened,
    insert,
    until,
    until_all,
    until_asleep,
    working,
)

HELD = """
select count(*) from pg_locks where locktype = 'advisory' and (classid, objid) = (1, 1)
and not granted and database = (select oid from pg_database where datname = current_database())
"""


async def turns(engine: Engine) -> None:
    """Let the engine's loop turn a few times, so that it hears whatever it was told."""
    assert engine._loop is not None
    for _ in range(10):
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asyncio.sleep(0), engine._loop))


@pytest.mark.parametrize("timeout_ms", [0, 20_000])
async def test_what_a_step_brings_after_the_stop_goes_straight_back(
    clients: Clients, rig: Rig, runs: Runs, timeout_ms: int
) -> None:
    client, producer = clients(), clients()
    handle(client, runs)
    async with working(client, **RARELY) as engine:
        await until_asleep(rig, engine)
        async with rig.gate(engine.dispatcher._conn, "newest"):
            jobs = await insert(producer, 3, max_attempts=1)
            await until(lambda: rig.watcher.fetchval(HELD))
            stop = asyncio.create_task(client.shutdown(timeout_ms))
            await until(lambda: engine.dispatcher.is_draining)
            await turns(engine)
        await stop
    assert runs.began == []
    for job in jobs:
        shown = await rig.job(job)
        assert (shown["state"], shown["attempt"], shown["errors"]) == ("available", 0, [])
    assert "Rescue" not in await rig.acts()
    assert await rig.conn.fetchval("select stopped_at is not null from awa.worker")


async def test_a_word_that_waits_for_the_step_in_flight_is_said_and_not_handed_back(
    clients: Clients, rig: Rig, runs: Runs
) -> None:
    client, producer = clients(), clients()
    opened = handle_when_opened(client, runs)
    async with working(client, [("q", 2)], **RARELY) as engine:
        (ended,) = await insert(producer)
        await until(lambda: runs.began)
        await until_asleep(rig, engine)
        async with rig.gate(engine.dispatcher._conn, "newest"):
            (waiting,) = await insert(producer)
            await until(lambda: rig.watcher.fetchval(HELD))
            opened.set()
            await until(lambda: engine.dispatcher._finished)
            stop = asyncio.create_task(client.shutdown(0))
            await until(lambda: engine.dispatcher.is_draining)
            await turns(engine)
        await stop
    assert await rig.states() == {ended: "completed", waiting: "available"}
    runs.check_once([ended])


async def test_a_stop_asks_what_a_step_that_broke_has_brought(
    clients: Clients, rig: Rig, runs: Runs
) -> None:
    """With nothing in hand it would leave, and its entries would be rescued: a death each."""
    client, producer = clients(), clients()
    handle(client, runs)
    async with working(client, **RARELY) as engine:
        await until_asleep(rig, engine)
        conn = engine.dispatcher._conn
        async with rig.gate(conn, "newest"):
            jobs = await insert(producer, 3, max_attempts=1)
            await until(lambda: rig.watcher.fetchval(HELD))
            stop = asyncio.create_task(client.shutdown(20_000))
            await until(lambda: engine.dispatcher.is_draining)
            assert engine._loop is not None
            engine._loop.call_soon_threadsafe(conn.terminate)
            await turns(engine)
        await stop
    assert runs.began == []
    assert await rig.states() == dict.fromkeys(jobs, "available")
    assert await rig.conn.fetchval("select stopped_at is not null from awa.worker")


async def test_what_is_handed_back_while_it_waits_for_a_thread_never_begins(
    clients: Clients, rig: Rig, runs: Runs
) -> None:
    client, producer = clients(), clients()
    opened = threading.Event()

    @client.task(dict, kind="k", queue="q")
    def handler(job: awa.Job[Any]) -> None:
        with runs.of(job):
            opened.wait(20)

    async with working(client, [("q", 2)], **RARELY) as engine:
        await until_asleep(rig, engine)
        # As when the thread of a handler that has just ended is not idle yet.
        threads = engine.executor._threads
        threads._count_max = 1
        first, second = await insert(producer, 2)
        await until(lambda: threads._calls.qsize() == 1)
        async with rig.gate(engine.dispatcher._conn, "count_of"):
            stop = asyncio.create_task(client.shutdown(0))
            await until(lambda: rig.watcher.fetchval(HELD))
            opened.set()
            await until(lambda: threads._idle._value == 2)
        await stop
    assert runs.began == [first]
    assert (await rig.states())[second] == "available"


async def test_what_a_step_that_broke_had_to_say_is_said_by_the_next(
    clients: Clients, rig: Rig, runs: Runs
) -> None:
    """It has not landed, for its transaction is rolled back; nobody else would say it."""
    client, producer = clients(), clients()
    opened = handle_when_opened(client, runs)
    jobs = await insert(producer, 2, max_attempts=1)
    async with working(client, **RARELY) as engine:
        await until(lambda: len(runs.began) == 2)
        await until_asleep(rig, engine)
        conn = engine.dispatcher._conn
        async with rig.gate(conn, "count_of"):
            opened.set()
            await until(lambda: rig.watcher.fetchval(HELD))
            pid = conn.get_server_pid()
            await rig.watcher.fetchval("select pg_terminate_backend($1, 10000)", pid)
        await until_all(rig, jobs)
        assert engine.dispatcher.counts["stale"] == 0
    runs.check_once(jobs)


async def test_who_is_declared_lost_while_a_step_is_in_flight_registers_anew(
    clients: Clients, rig: Rig, runs: Runs
) -> None:
    """The step began before, and so it is answered as if nothing were wrong."""
    client, producer = clients(), clients()
    handle(client, runs)
    async with working(client, **RARELY, heartbeat_interval_ms=60_000) as engine:
        await until_asleep(rig, engine)
        before = engine.dispatcher.worker
        async with rig.gate(engine.dispatcher._conn, "newest"):
            first = await insert(producer)
            await until(lambda: rig.watcher.fetchval(HELD))
            engine.beaten(before, Beat(is_alive=False, over=[]))
            await turns(engine)
        await until(lambda: engine.dispatcher.worker != before)
        await until_all(rig, first, "running")
        await until_all(rig, await insert(producer))
