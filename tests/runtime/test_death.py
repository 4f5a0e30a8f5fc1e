"""Death: a fault of ours ends the whole engine, says so, and leaves a client that can be stopped.

Owns: what is left when a service dies of something that the database did not cause.
Keeps: a half-dead worker is worse than a dead one: it stops speaking, and is rescued.
Above: nobody. Below: tests.runtime.scene, awa.
"""

import asyncio
import logging
import threading
from typing import Any

import pytest

import awa
from awa.runtime.engine import Engine
from awa.signals import run_until_signal
from tests.rig import Rig
from tests.runtime.conftest import Clients
from tests.runtime.scene import (
    QUICK,
    WITHIN_S,
    Runs,
    backends,
    engine_of,
    handle,
    insert,
    until,
    until_all,
    working,
)

GUARD = "perform refuse_snapshots();"
SURPRISE = f"return next note('unheard of', 0); return; {GUARD}"
"""A database that answers a step with what this library does not know."""


async def die(client: awa.AsyncClient, rig: Rig) -> Engine:
    """Have the engine of a started client die."""
    engine = engine_of(client)
    await rig.sow("step", GUARD, SURPRISE)
    await until(lambda: not engine.is_alive)
    return engine


async def test_a_dead_engine_says_so_and_is_stopped_like_any_other(
    client: awa.AsyncClient, rig: Rig, runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    handle(client, runs)
    await client.start(**QUICK)
    engine = await die(client, rig)
    (record,) = [one for one in caplog.records if one.levelno == logging.CRITICAL]
    assert record.getMessage() == "the engine of this worker has died"
    assert "unheard of" in str(record.exc_info)
    health = await client.health_check()
    assert health.postgres_connected
    assert not health.healthy and not health.poll_loop_alive
    assert not engine.heartbeat._thread.is_alive()
    with pytest.raises(awa.AwaError, match="already running"):
        await client.start(**QUICK)
    await client.shutdown()
    await client.shutdown()
    assert await backends(rig, "%awa.step(%") == []


async def test_its_handlers_learn_it_and_end_in_peace(
    client: awa.AsyncClient, rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    opened = threading.Event()
    told: list[bool] = []

    @client.task(dict, kind="k", queue="q")
    async def coroutine(job: awa.Job[Any]) -> None:
        await until(opened.is_set)
        told.append(job.is_cancelled())

    @client.task(dict, kind="plain", queue="q")
    def plain(job: awa.Job[Any]) -> None:
        opened.wait()
        told.append(job.is_cancelled())

    jobs = await insert(client) + await insert(client, kind="plain")
    await client.start(**QUICK)
    await until_all(rig, jobs, "running")
    await die(client, rig)
    opened.set()
    await until(lambda: len(told) == 2)
    await client.shutdown()
    await until(lambda: len(asyncio.all_tasks()) == 1)
    assert told == [True, True]
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == [
        "the engine of this worker has died"
    ]


async def test_what_a_dead_engine_ran_is_rescued(clients: Clients, rig: Rig, runs: Runs) -> None:
    await rig.sow("backoff", "(2 ^ least(attempt, 30))", "0")
    dying, other = clients(), clients()
    handle(other, runs)
    began = asyncio.Event()

    @dying.task(dict, kind="k", queue="q")
    async def endless(job: awa.Job[Any]) -> None:
        began.set()
        await until(job.is_cancelled)

    await dying.start(**QUICK)
    jobs = await insert(dying)
    await began.wait()
    await die(dying, rig)
    await rig.sow("step", GUARD, GUARD)
    async with working(other, heartbeat_staleness_ms=1000):
        await until_all(rig, jobs)
    await dying.shutdown()
    runs.check_once(jobs)


async def test_a_heartbeat_that_dies_of_a_fault_of_ours_takes_the_engine_with_it(
    client: awa.AsyncClient, rig: Rig, runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    """Else it would go on working until it is declared lost, and again and again."""
    handle(client, runs)
    async with working(client) as engine:
        engine.heartbeat._stats = lambda: {"counts": object()}
        await until(lambda: not engine.is_alive)
    (record,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert record.getMessage() == "the engine of this worker has died"
    assert "JSON serializable" in str(record.exc_info)


async def test_a_worker_process_does_not_outlive_its_engine(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    handle(client, runs)
    await client.start(**QUICK)
    process = asyncio.create_task(run_until_signal(client, 1000))
    await die(client, rig)
    with pytest.raises(awa.AwaError, match=r"the engine of this worker has died: .*unheard of"):
        await asyncio.wait_for(process, WITHIN_S)
    await rig.sow("step", GUARD, GUARD)
    async with working(client):
        await until_all(rig, await insert(client))


async def test_a_client_whose_engine_died_can_work_again(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    handle(client, runs)
    await client.start(**QUICK)
    await die(client, rig)
    await client.shutdown()
    await rig.sow("step", GUARD, GUARD)
    async with working(client):
        await until_all(rig, await insert(client))
