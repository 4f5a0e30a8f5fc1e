"""Breaks: a connection that is cut, at any moment, costs a moment and no job.

Owns: each connection of a worker, cut from the server's side, and what health says meanwhile.
Keeps: nothing is lost, nothing runs twice, no attempt is spent.
Above: nobody. Below: tests.runtime.scene, awa.
"""

import asyncio
import random
from functools import partial
from typing import Any

import pytest

import awa
from awa.runtime.engine import Engine
from tests.rig import Rig
from tests.runtime.conftest import Clients, Outage
from tests.runtime.scene import (
    BEATS,
    LISTENS,
    RARELY,
    RARELY_S,
    STEPS,
    Runs,
    backends,
    cut,
    handle,
    insert,
    looks_in_s,
    until,
    until_all,
    working,
)


@pytest.fixture(autouse=True)
def an_impatient_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("awa.runtime.listener.CHECK_S", 0.2)


async def test_cut_while_idle_the_worker_goes_on(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    handle(client, runs)
    async with working(client) as engine:
        for _ in range(3):
            old = await until(lambda: backends(rig, STEPS))
            await cut(rig, STEPS)
            await until_all(rig, await insert(client))
            assert set(await until(lambda: backends(rig, STEPS))) != set(old)
        assert engine.dispatcher.worker == 1
    runs.check_once([1, 2, 3])


async def test_cut_while_handlers_run_their_finishes_are_kept(
    client: awa.AsyncClient, rig: Rig, runs: Runs, outage: Outage
) -> None:
    opened = asyncio.Event()

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> None:
        with runs.of(job):
            await opened.wait()
            assert not job.is_cancelled()

    jobs = await insert(client, 5, max_attempts=1)
    async with working(client) as engine:
        await until(lambda: len(runs.began) == 5)
        # Nobody can connect, so that they end while the worker has no connection.
        await outage.begin()
        await cut(rig, STEPS)
        await until(lambda: not engine.dispatcher.is_connected)
        opened.set()
        await until(lambda: len(runs.ended) == 5)
        assert set((await rig.states()).values()) == {"running"}
        await outage.end()
        await until_all(rig, jobs)
        assert engine.dispatcher.counts["stale"] == 0
    runs.check_once(jobs)


async def test_what_was_over_meanwhile_is_told_when_it_is_connected_again(
    clients: Clients, rig: Rig, runs: Runs, outage: Outage
) -> None:
    """Nobody else tells it: it does not listen, and its heart beats once a minute."""
    client = clients(listen_url="")
    told = asyncio.Event()

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> None:
        with runs.of(job):
            await until(job.is_cancelled)
            told.set()

    (job,) = await insert(client)
    async with working(client, heartbeat_interval_ms=60_000) as engine:
        await until(lambda: runs.began)
        await outage.begin()
        await cut(rig, STEPS)
        await until(lambda: not engine.dispatcher.is_connected)
        await rig.operator.cancel(job)
        await outage.end()
        await until(told.is_set)
    assert (await rig.states())[job] == "cancelled"


async def test_cut_again_and_again_under_load_every_job_runs_once(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    dice = random.Random(7)

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> None:
        with runs.of(job):
            await asyncio.sleep(dice.uniform(0, 0.03))

    async with working(client, [("q", 8)]) as engine:
        jobs: list[int] = []
        for n in range(8):
            jobs += await insert(client, 40)
            await until(partial(runs.have_begun, n * 40 + 10))
            await cut(rig, STEPS)
        await until_all(rig, jobs)
        assert engine.dispatcher.counts["stale"] == 0
    runs.check_once(jobs)
    assert {(await rig.job(job))["attempt"] for job in jobs[::20]} == {1}
    assert "Rescue" not in await rig.acts()


async def test_without_its_listening_connection_it_polls_and_listens_again(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    handle(client, runs)
    async with working(client) as engine:
        await until(lambda: engine.dispatcher.is_listening)
        await cut(rig, LISTENS)
        await until(lambda: not engine.dispatcher.is_listening)
        await until_all(rig, jobs := await insert(client, 3))
        await until(lambda: engine.dispatcher.is_listening)
        await until_all(rig, more := await insert(client, 3))
    runs.check_once(jobs + more)


async def test_who_does_not_hear_any_more_polls_as_often_as_it_was_asked(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    """The poll of a listener is only a safety net, and comes after several times as long."""
    handle(client, runs)
    async with working(client, **RARELY) as engine:
        await until(lambda: engine.dispatcher.is_listening)
        # Its first look may have been before it listened; the next one is not.
        await until_all(rig, await insert(client))
        await until(lambda: looks_in_s(engine) > RARELY_S)
        await cut(rig, LISTENS)
        await until(lambda: 0 < looks_in_s(engine) <= RARELY_S)


async def test_the_heartbeat_comes_back_and_nobody_is_lost(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    handle(client, runs)
    async with working(client) as engine:
        for _ in range(3):
            await cut(rig, BEATS)
            await until_it_beats(engine)
        assert await rig.conn.fetchval("select count(*) from awa.worker where lost_at is null") == 1
        await until_all(rig, await insert(client))


async def until_it_beats(engine: Engine) -> None:
    beaten_at = engine.heartbeat.beaten_at
    await until(lambda: engine.heartbeat.beaten_at > beaten_at)


async def test_all_connections_cut_at_once(client: awa.AsyncClient, rig: Rig, runs: Runs) -> None:
    handle(client, runs)
    async with working(client, [("q", 8)]) as engine:
        jobs = await insert(client, 100)
        await until(lambda: len(runs.ended) > 5)
        await cut(rig, "%")
        await until_all(rig, jobs)
        await until(lambda: engine.maintenance.is_well and engine.maintenance.epoch)
        await until(lambda: engine.dispatcher.is_listening)
    runs.check_once(jobs)


async def test_health_says_unready_meanwhile_and_ready_afterwards(
    client: awa.AsyncClient, rig: Rig, runs: Runs, outage: Outage
) -> None:
    handle(client, runs)
    health = await client.health_check()
    assert (health.postgres_connected, health.healthy, health.queues) == (True, False, {})
    async with working(client) as engine:

        async def is_healthy() -> bool:
            return (await client.health_check()).healthy

        await until(is_healthy)
        await until(lambda: engine.maintenance.epoch)
        health = await client.health_check()
        assert health.leader and health.heartbeat_alive and health.poll_loop_alive
        assert health.queues["q"].max_workers == 10
        await outage.begin()
        await cut(rig, "%")
        await until(lambda: not engine.dispatcher.is_connected)
        health = await client.health_check()
        assert (health.healthy, health.postgres_connected) == (False, False)
        assert not health.poll_loop_alive
        await until(lambda: not engine.heartbeat.is_alive)
        assert not (await client.health_check()).heartbeat_alive
        await outage.end()
        await until(is_healthy)
        await until_all(rig, await insert(client))
        stop = asyncio.create_task(client.shutdown())
        await until(lambda: engine.is_stopping)
        await stop
    assert not (await client.health_check()).healthy


async def test_a_stop_without_a_database_ends(
    client: awa.AsyncClient,
    rig: Rig,
    runs: Runs,
    outage: Outage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it could not write, or ask, is rescued by whoever leads next."""
    monkeypatch.setattr("awa.runtime.engine.FLUSH_S_MAX", 0.5)
    handle(client, runs)
    async with working(client) as engine:
        await until_all(rig, await insert(client))
        await outage.begin()
        await cut(rig, "%")
        await until(lambda: not engine.dispatcher.is_connected)
        await client.shutdown(0)
        assert not engine.is_alive
        assert not engine.heartbeat._thread.is_alive()
    await outage.end()
