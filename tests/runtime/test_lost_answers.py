"""Lost answers: the database did what it was asked, and its answer never came.

Owns: a step whose commit happened unheard, with finishes in it or with claims; a silent partition.
Keeps: what landed is not done again, and what was given out unheard is given back, at no cost.
Above: nobody. Below: tests.runtime.proxy, tests.runtime.scene, awa.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

import awa
from tests.rig import Rig
from tests.runtime.conftest import Clients
from tests.runtime.proxy import Proxy
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

STEP = b"awa.step("


@pytest.fixture
async def proxy(url: str) -> AsyncIterator[Proxy]:
    async with Proxy(url) as made:
        yield made


@pytest.mark.story("a-claim-whose-answer-was-lost")
async def test_a_claim_whose_answer_was_lost_is_given_back_and_runs_once(
    clients: Clients, proxy: Proxy, rig: Rig, runs: Runs
) -> None:
    client, producer = clients(proxy.url), clients()
    handle(client, runs)
    async with working(client, **RARELY) as engine:
        await until_asleep(rig, engine)
        async with proxy.drops_an_answer(STEP):
            jobs = await insert(producer, 3, max_attempts=1)
        await until_all(rig, jobs)
        assert engine.dispatcher.worker == 1
    runs.check_once(jobs)
    acts = await rig.acts()
    assert acts.count("Release") == 3
    assert "Rescue" not in acts
    for job in jobs:
        shown = await rig.job(job)
        assert (shown["attempt"], shown["run_lease"], shown["errors"]) == (1, 2, [])


async def test_a_claim_that_arrives_after_the_worker_has_asked_gives_out_nothing(
    clients: Clients, proxy: Proxy, rig: Rig, runs: Runs
) -> None:
    """Nobody would hear what it gives out, nor ask for it: the worker is well by then."""
    client, producer = clients(proxy.url), clients()
    opened = handle_when_opened(client, runs)
    async with working(client, [("q", 1)], **RARELY) as engine:
        await until_asleep(rig, engine)
        async with proxy.holds_a_request(STEP):
            jobs = await insert(producer, 2, max_attempts=1)
            # On another connection, and so that one job waits for the step that was held.
            await until(lambda: runs.began)
        assert sorted((await rig.states()).values()) == ["available", "running"]
        opened.set()
        await until_all(rig, jobs)
    runs.check_once(jobs)


@pytest.mark.parametrize("fails", [False, True], ids=["completes", "fails"])
async def test_a_finish_whose_answer_was_lost_is_not_repeated(
    clients: Clients, proxy: Proxy, rig: Rig, runs: Runs, fails: bool
) -> None:
    client, producer = clients(proxy.url), clients()
    opened = asyncio.Event()

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> None:
        with runs.of(job):
            await opened.wait()
            if fails:
                raise ValueError("as it should")

    jobs = await insert(producer, 3, max_attempts=1)
    async with working(client, **RARELY) as engine:
        await until(lambda: len(runs.began) == 3)
        await until_asleep(rig, engine)
        async with proxy.drops_an_answer(STEP):
            opened.set()
        await until_all(rig, jobs, "failed" if fails else "completed")
        await until(lambda: engine.dispatcher.is_connected and engine.dispatcher.slots.is_empty())
        # It goes on as if nothing had happened, and has nothing left to say.
        await until_all(
            rig, more := await insert(producer, max_attempts=1), "failed" if fails else "completed"
        )
        assert engine.dispatcher.counts["stale"] == 0
        assert engine.dispatcher._due == engine.dispatcher._unsure == []
    runs.check_once(jobs + more)
    for job in jobs:
        shown = await rig.job(job)
        assert (shown["attempt"], len(shown["errors"])) == (1, int(fails))


async def test_answers_that_are_lost_again_and_again_under_load(
    clients: Clients, proxy: Proxy, rig: Rig, runs: Runs
) -> None:
    client, producer = clients(proxy.url), clients()

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> None:
        with runs.of(job):
            await asyncio.sleep(0.005)

    async with working(client, [("q", 8)]) as engine:
        jobs: list[int] = []
        for _ in range(4):
            async with proxy.drops_an_answer(STEP):
                jobs += await insert(producer, 30)
        await until_all(rig, jobs)
        assert engine.dispatcher.counts["stale"] == 0
    runs.check_once(jobs)


async def test_a_silent_partition_is_left_for_another_connection(
    clients: Clients, proxy: Proxy, rig: Rig, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is answered and nothing is closed. The worker asks again by itself."""
    monkeypatch.setattr("awa.runtime.dispatcher.ANSWER_S_MIN", 1.0)
    client, producer = clients(proxy.url), clients()
    handle(client, runs)
    await rig.sow("backoff", "(2 ^ least(attempt, 30))", "0")
    async with working(client, heartbeat_staleness_ms=1000) as engine:
        await until_all(rig, await insert(producer))
        proxy.stand_still()
        jobs = await insert(producer, 3)
        # For want of an answer, and of nothing else: no connection has ended.
        await until(lambda: not engine.dispatcher.is_connected)
        await until(lambda: not engine.heartbeat.is_alive)
        proxy.go_on()
        await until_all(rig, jobs)
        await until(lambda: engine.heartbeat.is_alive)
    assert set(runs.began) >= set(jobs) and runs.overlapped == set()


async def test_a_stop_in_a_silent_partition_ends(
    clients: Clients, proxy: Proxy, rig: Rig, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("awa.runtime.engine.FLUSH_S_MAX", 1.0)
    client = clients(proxy.url)
    handle(client, runs)
    async with working(client) as engine:
        await until(lambda: engine.maintenance.epoch)
        proxy.stand_still()
        async with asyncio.timeout(30):
            await client.shutdown(0)
        assert not engine.is_alive
        assert not engine.heartbeat._thread.is_alive()
        proxy.go_on()
