"""Start and stop: what a stop takes back, what it waits for, and what may be called when.

Owns: `start`, `shutdown`, `close`, in any order and twice.
Keeps: what a stop interrupts is available at once and has cost no attempt.
Above: nobody. Below: tests.runtime.scene, awa.
"""

import asyncio
import contextlib
import logging
import threading
from typing import Any

import pytest

import awa
from tests.rig import Rig
from tests.runtime.conftest import Clients
from tests.runtime.scene import (
    QUICK,
    RARELY,
    RARELY_S,
    WITHIN_S,
    Runs,
    engine_of,
    handle,
    insert,
    runtime_threads,
    until,
    until_all,
    until_asleep,
    working,
)
from tests.runtime.test_blocking import block_until


class Gate:
    """A handler that waits until it is let go, or cancelled."""

    def __init__(self, runs: Runs) -> None:
        self.opened = asyncio.Event()
        self.saw_the_stop: list[int] = []
        self.attempts: list[int] = []
        self._runs = runs

    def guard(self, client: awa.AsyncClient) -> None:
        @client.task(dict, kind="k", queue="q")
        async def handler(job: awa.Job[Any]) -> None:
            self.attempts.append(job.attempt)
            with self._runs.of(job):
                await self.opened.wait()
                if job.is_cancelled():
                    self.saw_the_stop.append(job.id)


async def test_a_stop_claims_no_more_and_gives_handlers_their_time(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    gate = Gate(runs)
    gate.guard(client)
    await client.start([("q", 2)], **QUICK)
    engine = engine_of(client)
    running = await insert(client, 2)
    await until(lambda: len(runs.began) == 2)
    stop = asyncio.create_task(client.shutdown(20_000))
    await until(lambda: engine.dispatcher.is_draining)
    waiting = await insert(client, 3)
    gate.opened.set()
    await stop
    states = await rig.states()
    assert [states[job] for job in running] == ["completed"] * 2
    assert [states[job] for job in waiting] == ["available"] * 3
    assert gate.saw_the_stop == running
    runs.check_once(running)


@pytest.mark.parametrize("timeout_ms", [0, 200])
async def test_what_does_not_end_in_time_goes_to_another_worker_at_no_cost(
    clients: Clients, rig: Rig, runs: Runs, timeout_ms: int
) -> None:
    first, second = clients(), clients()
    gate = Gate(runs)
    gate.guard(first)
    await first.start([("q", 5)], **QUICK)
    jobs = await insert(first, 5, max_attempts=1)
    await until(lambda: len(runs.began) == 5)
    await first.shutdown(timeout_ms)
    for job in jobs:
        shown = await rig.job(job)
        assert (shown["state"], shown["attempt"], shown["errors"]) == ("available", 0, [])
        assert shown["run_lease"] == 1
    await until(lambda: len(runs.ended) == 5)
    gate.guard(second)
    gate.opened.set()
    async with working(second):
        await until_all(rig, jobs)
    assert gate.attempts == [1] * 10
    assert {(await rig.job(job))["run_lease"] for job in jobs} == {2}
    assert runs.overlapped == set()
    assert "Rescue" not in await rig.acts()


async def test_a_thread_that_does_not_end_changes_nothing_afterwards(
    client: awa.AsyncClient, rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """And what it says when the engine is gone is not an error."""
    began, ends, ended = threading.Event(), threading.Event(), threading.Event()

    @client.task(dict, kind="k", queue="q")
    def plain(job: awa.Job[Any]) -> None:
        began.set()
        ends.wait()
        ended.set()

    @client.task(dict, kind="stubborn", queue="q")
    async def stubborn(job: awa.Job[Any]) -> None:
        while not ended.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await until(ended.is_set)

    jobs = await insert(client) + await insert(client, kind="stubborn")
    await client.start(**QUICK)
    await until(began.is_set)
    await until_all(rig, jobs, "running")
    await client.shutdown(0)
    before = await rig.states()
    assert set(before.values()) == {"available"}
    ends.set()
    await until(lambda: len(asyncio.all_tasks()) == 1)
    assert await rig.states() == before
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


async def test_what_was_handed_back_before_it_began_never_begins(
    client: awa.AsyncClient, url: str, rig: Rig, runs: Runs
) -> None:
    """The application's loop does not turn between the claim and the end of the stop."""
    handle(client, runs)
    async with working(client, heartbeat_interval_ms=60_000) as engine:
        with awa.Client(url, 1) as looking:
            job = looking.insert({}, kind="k", queue="q").id
            block_until(lambda: looking.get_job(job).state == awa.JobState.Running)
            # What `shutdown(0)` does first.
            engine._asked.set_result(0.0)
            block_until(lambda: looking.get_job(job).state == awa.JobState.Available)
        await client.shutdown(0)
        await until(lambda: len(asyncio.all_tasks()) == 1)
    assert runs.began == []


async def test_the_runtime_starts_once_at_a_time_and_again_after_a_stop(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    await client.shutdown()
    with pytest.raises(awa.AwaError, match="register at least one worker before starting"):
        await client.start()
    handle(client, runs)
    async with working(client):
        with pytest.raises(awa.AwaError, match="worker runtime is already running"):
            await client.start(**QUICK)
        await until_all(rig, first := await insert(client))
    await client.shutdown()
    handle(client, runs, "later", "q")
    async with working(client):
        await until_all(rig, second := await insert(client, kind="later"))
    runs.check_once(first + second)


async def test_what_is_wrong_is_refused_before_anything_starts(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    handle(client, runs)
    threads = threading.active_count()
    for queues, options, error in (
        ([("other", 1)], {}, ValueError),
        ([("q", 1), ("q", 2)], {}, awa.AwaError),
        ([], {}, awa.AwaError),
        ([("q", -1)], {}, TypeError),
        ([{"name": "q", "max_workers": 1, "x": 1}], {}, awa.ValidationError),
        (None, {"global_max_workers": 3}, ValueError),
        (None, {"nonsense": 3}, TypeError),
    ):
        with pytest.raises(error):
            await client.start(queues, **options)
    assert threading.active_count() == threads
    assert await rig.count("worker") == 0
    async with working(client):
        pass


async def test_a_start_that_fails_leaves_nothing_behind(
    empty_url: str, runs: Runs, clients: Clients, rig: Rig
) -> None:
    """And the same client can be started once the fault is mended."""
    client = clients(empty_url)
    handle(client, runs)
    for _ in range(2):
        with pytest.raises(awa.SchemaNotMigrated):
            await client.start(**QUICK)
    await until(lambda: not runtime_threads())
    name = empty_url.rpartition("/")[2]
    sql = "select count(*) = 0 from pg_stat_activity where datname = $1"
    await until(lambda: rig.conn.fetchval(sql, name))
    await client.migrate()
    async with working(client):
        await insert(client)
        await until(lambda: runs.ended)


NOBODY_REGISTERS = "lock table awa.worker in share row exclusive mode"


async def test_a_start_that_is_given_up_leaves_nothing_behind(
    client: awa.AsyncClient, rig: Rig, runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    handle(client, runs)
    async with rig.conn.transaction():
        await rig.conn.execute(NOBODY_REGISTERS)
        start = asyncio.create_task(client.start(**QUICK))
        await until(runtime_threads)
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
    await until(lambda: not runtime_threads())
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []
    async with working(client):
        await until_all(rig, await insert(client))


async def test_while_it_starts_one_may_ask_and_stop(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    handle(client, runs)
    async with rig.conn.transaction():
        await rig.conn.execute(NOBODY_REGISTERS)
        start = asyncio.create_task(client.start(**QUICK))
        await until(runtime_threads)
        assert not (await client.health_check()).healthy
        stop = asyncio.create_task(client.shutdown())
        await asyncio.sleep(0)
    await asyncio.gather(start, stop)
    assert not runtime_threads()
    assert not (await client.health_check()).poll_loop_alive


async def test_while_it_stops_it_says_so_and_every_stop_waits_for_the_end(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    gate = Gate(runs)
    gate.guard(client)
    await client.start(**QUICK)
    engine = engine_of(client)
    jobs = await insert(client)
    await until(lambda: runs.began)
    stops = [asyncio.create_task(client.shutdown(20_000)) for _ in range(2)]
    await until(lambda: engine.dispatcher.is_draining)
    health = await client.health_check()
    assert (health.shutting_down, health.healthy, health.postgres_connected) == (True, False, True)
    assert not any(stop.done() for stop in stops)
    with pytest.raises(awa.AwaError, match="already running"):
        await client.start(**QUICK)
    stops.append(asyncio.create_task(client.close()))
    gate.opened.set()
    await asyncio.gather(*stops)
    assert not engine.is_alive
    assert (await rig.states()) == dict.fromkeys(jobs, "completed")
    assert not (await client.health_check()).shutting_down


async def test_a_stop_does_not_wait_for_company(
    client: awa.AsyncClient, rig: Rig, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finishes linger while nothing else is to be said; the last ones have nobody to wait for."""
    monkeypatch.setattr("awa.runtime.dispatcher.LINGER_S", RARELY_S)
    handle(client, runs)
    async with working(client, **RARELY) as engine:
        await until_asleep(rig, engine)
        jobs = await insert(client)
        await until(lambda: runs.ended)
        async with asyncio.timeout(WITHIN_S):
            await client.shutdown(60_000)
    assert await rig.states() == dict.fromkeys(jobs, "completed")


async def test_closing_stops_and_twice_is_as_once(clients: Clients, rig: Rig, runs: Runs) -> None:
    client = clients()
    handle(client, runs)
    await client.start(**QUICK)
    await until_all(rig, await insert(client))
    await client.close()
    await client.close()
    await client.shutdown()
    assert not runtime_threads()
    with pytest.raises(awa.DatabaseError, match="closed pool"):
        await client.insert({}, kind="k")


async def test_a_handler_does_not_wait_for_its_own_end(clients: Clients, rig: Rig) -> None:
    client = clients()
    said: list[str] = []

    @client.task(dict, kind="k", queue="q")
    async def run(job: awa.Job[Any]) -> None:
        for stop in (client.shutdown, client.close):
            try:
                await stop()
            except awa.AwaError as error:
                said.append(str(error))

    async with working(client):
        await until_all(rig, await insert(client))
    assert said == ["a handler cannot wait for its own end: stop from outside of it"] * 2


async def test_a_closed_client_does_not_start(clients: Clients) -> None:
    client = clients()
    client.task(dict, kind="k", queue="q")(lambda job: None)
    await client.close()
    with pytest.raises(awa.DatabaseError, match="closed pool"):
        await client.start()
