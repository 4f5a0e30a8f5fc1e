"""Deadlines: an attempt that runs past its own is over, whatever its handler does.

Owns: the worker's own enforcement, and the leader's as a backstop.
Keeps: an attempt that is over cannot be finished, and its handler keeps its slot until it ends.
Above: nobody. Below: tests.runtime.scene, awa.
"""

import asyncio
import threading
from typing import Any

import pytest

import awa
from tests.rig import Rig
from tests.runtime.scene import Runs, handle, insert, until, until_all, working

SHORT = {"name": "q", "max_workers": 1, "deadline_duration_ms": 300}
ERROR = "hard deadline exceeded"


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "plain"])
async def test_an_attempt_past_its_deadline_is_over_and_its_slot_taken(
    client: awa.AsyncClient, rig: Rig, runs: Runs, is_async: bool
) -> None:
    told = threading.Event()
    ends = threading.Event()

    def plain(job: awa.Job[Any]) -> None:
        with runs.of(job):
            while not job.is_cancelled():
                ends.wait(0.005)
            told.set()
            ends.wait()

    async def coroutine(job: awa.Job[Any]) -> None:
        with runs.of(job):
            await until(job.is_cancelled)
            told.set()
            await until(ends.is_set)

    handle(client, runs, "next")
    client.task(dict, kind="k", queue="q")(coroutine if is_async else plain)
    (late,) = await insert(client, max_attempts=1)
    (after,) = await insert(client, kind="next")
    async with working(client, [SHORT]) as engine:
        await until_all(rig, [late], "failed")
        await until(told.is_set)
        (error,) = (await rig.job(late))["errors"]
        assert (error["error"], error["terminal"]) == (ERROR, True)
        assert "Rescue" not in await rig.acts(), "it was the leader who ended it"
        # The only slot is taken: this one waits, however often the worker comes round.
        turned = engine.dispatcher._turned_at
        await until(lambda: engine.dispatcher._turned_at > turned)
        assert (await rig.states())[after] == "available"
        ends.set()
        await until_all(rig, [after])
        assert (await rig.states())[late] == "failed"
    runs.check_once([late, after])


async def test_with_attempts_left_it_comes_back(client: awa.AsyncClient, rig: Rig) -> None:
    await rig.sow("backoff", "(2 ^ least(attempt, 30))", "0")
    attempts: list[int] = []

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> None:
        assert job.deadline is not None
        attempts.append(job.attempt)
        if job.attempt == 1:
            await until(job.is_cancelled)

    jobs = await insert(client)
    async with working(client, [SHORT]):
        await until_all(rig, jobs)
    assert attempts == [1, 2]
    (error,) = (await rig.job(jobs[0]))["errors"]
    assert error["error"] == ERROR


async def test_no_deadline_is_no_deadline(client: awa.AsyncClient, rig: Rig, runs: Runs) -> None:
    ends = asyncio.Event()
    deadlines: list[Any] = []

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> None:
        deadlines.append(job.deadline)
        await ends.wait()

    jobs = await insert(client)
    await rig.have_movable_clock()
    async with working(client, [{**SHORT, "deadline_duration_ms": 0}]) as engine:
        await until(lambda: deadlines)
        turned = engine.dispatcher._turned_at
        await until(lambda: engine.dispatcher._turned_at > turned + 0.5)
        ends.set()
        await until_all(rig, jobs)
    assert deadlines == [None]
    assert (await rig.job(jobs[0]))["errors"] == []


async def test_the_leader_ends_what_its_worker_does_not(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    """A worker that is alive, and for some reason does not look at its deadlines."""
    await rig.have_movable_clock()
    stuck = await rig.worker()
    await rig.enqueue(max_attempts=1)
    (job,) = await stuck.claim(deadline_s=1)
    handle(client, runs, "none")
    async with working(client):
        await rig.pass_time(8)
        await until_all(rig, [job], "failed")
    (error,) = (await rig.job(job))["errors"]
    assert error["error"] == ERROR
    assert await stuck.end(*stuck.claim_by_seq) == set(stuck.claim_by_seq)
