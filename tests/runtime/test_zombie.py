"""Zombies: who was declared lost and does not know it changes nothing, and then begins anew.

Owns: the late finish, the second run elsewhere, the new id.
Keeps: a job that was rescued runs again exactly once, and its end is that of the second run.
Above: nobody. Below: tests.runtime.scene, awa.
"""

import asyncio
from typing import Any

import pytest

import awa
from tests.rig import Rig
from tests.runtime.conftest import Clients
from tests.runtime.scene import Runs, insert, until, until_all, working

MEEK = {"leader_election_interval_ms": 3_600_000}
"""The rig leads from the start on, and nobody else asks for it again."""

MUTE = {**MEEK, "heartbeat_interval_ms": 3_600_000}


@pytest.mark.story("a-zombie-process")
async def test_a_zombies_finish_is_refused_and_its_job_runs_once_elsewhere(
    clients: Clients, rig: Rig, runs: Runs
) -> None:
    zombie, other = clients(), clients()
    opened = asyncio.Event()
    said: list[tuple[str, int, bool]] = []

    @zombie.task(dict, kind="k", queue="q")
    async def slow(job: awa.Job[Any]) -> None:
        with runs.of(job):
            await opened.wait()
        said.append(("zombie", job.attempt, job.is_cancelled()))
        raise ValueError("too late")

    @other.task(dict, kind="k", queue="q")
    async def quick(job: awa.Job[Any]) -> None:
        said.append(("other", job.attempt, job.is_cancelled()))

    await rig.have_movable_clock()
    alive = await rig.worker()
    leader = await rig.lead(alive)
    async with working(zombie, [("q", 2)], **MUTE) as engine:
        jobs = await insert(zombie, 2)
        await until(lambda: len(runs.began) == 2)
        number = engine.dispatcher.worker
        assert await rig.let_die(leader, alive) == {number: 2}
        opened.set()
        await until(lambda: len(said) == 2)
        await until(lambda: engine.dispatcher.counts["stale"] == 2)
        await until(lambda: engine.dispatcher.worker > number)
        assert set((await rig.states()).values()) == {"retryable"}
    async with working(other, **MUTE):
        await rig.pass_time(10)
        assert await leader.promote() == 2
        await until_all(rig, jobs)
    assert sorted(said) == [("other", 2, False)] * 2 + [("zombie", 1, False)] * 2
    for job in jobs:
        await check_rescued(rig, job)


async def check_rescued(rig: Rig, job: int) -> None:
    """Check that the job was lost once, and completed in its second run."""
    shown = await rig.job(job)
    (error,) = shown["errors"]
    assert error["error"] == "heartbeat stale: worker presumed dead"
    assert (shown["state"], shown["attempt"], shown["run_lease"]) == ("completed", 2, 2)


async def test_who_was_lost_registers_anew_and_its_slots_stay_taken(
    clients: Clients, rig: Rig, runs: Runs
) -> None:
    """The same worker claims again, but not for slots in which a handler still runs."""
    client = clients()
    opened = asyncio.Event()
    cancelled: list[int] = []

    @client.task(dict, kind="k", queue="q")
    async def slow(job: awa.Job[Any]) -> None:
        with runs.of(job):
            await until(lambda: opened.is_set() or job.is_cancelled())
            cancelled.append(job.id)
            await opened.wait()

    await rig.have_movable_clock()
    alive = await rig.worker("elsewhere")
    leader = await rig.lead(alive)
    async with working(client, [("q", 2)], **MUTE) as engine:
        (first,) = await insert(client)
        await until(lambda: len(runs.began) == 1)
        await rig.let_die(leader, alive)
        more = await insert(client, 3)
        await until(lambda: cancelled == [first])
        await until(lambda: len(runs.began) == 2)
        assert engine.dispatcher.worker > alive.worker + 1
        assert runs.most == 2
        opened.set()
        await until_all(rig, more)
        assert runs.most == 2
        await rig.pass_time(10)
        assert await leader.promote() == 1
        await until_all(rig, [first])
    assert runs.overlapped == set()
    assert sorted(runs.began) == sorted([first, first, *more])


@pytest.mark.unjudged("the test declares the worker lost by hand")
async def test_a_worker_hears_with_its_heartbeat_that_it_was_lost(
    clients: Clients, rig: Rig, runs: Runs
) -> None:
    """It is full, and has nothing to ask: only its heartbeat can tell it."""
    client = clients()
    told = asyncio.Event()

    @client.task(dict, kind="k", queue="q")
    async def slow(job: awa.Job[Any]) -> None:
        with runs.of(job):
            await until(job.is_cancelled)
            told.set()

    await rig.have_movable_clock()
    alive = await rig.worker("elsewhere")
    leader = await rig.lead(alive)
    async with working(client, [("q", 1)], heartbeat_interval_ms=500, **MEEK) as engine:
        await insert(client)
        await until(lambda: runs.began)
        number = engine.dispatcher.worker
        await rig.conn.execute(
            "update awa.worker set lost_at = awa.clock() where worker = $1", number
        )
        assert await leader.store.rescue(leader.epoch, 30, 10) == {number: 1}
        async with asyncio.timeout(20):
            await told.wait()
        await until(lambda: engine.dispatcher.worker > number)


@pytest.mark.parametrize("by", ["notification", "heartbeat"])
async def test_a_cancel_reaches_a_running_handler(
    clients: Clients, rig: Rig, runs: Runs, by: str
) -> None:
    """By either way alone."""
    client = clients(listen_url=None if by == "notification" else "")
    options = MUTE if by == "notification" else {}
    told: list[int] = []

    @client.task(dict, kind="k", queue="q")
    async def slow(job: awa.Job[Any]) -> None:
        with runs.of(job):
            await until(job.is_cancelled)
            told.append(job.id)

    async with working(client, **options) as engine:
        await until(lambda: engine.dispatcher.is_listening == (by == "notification"))
        (job,) = await insert(client)
        await until(lambda: runs.began)
        assert (await client.cancel(job)).state == awa.JobState.Cancelled
        await until(lambda: runs.ended)
        await until_all(rig, [job], "cancelled")
        (slots,) = engine.dispatcher.slots.queue_by_number.values()
        await until(lambda: slots.held == 0)
    assert told == [job]
    runs.check_once([job])
