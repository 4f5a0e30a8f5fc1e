"""Deadlines: an attempt that runs past its own is over, whatever its handler does.

Owns: the worker's own enforcement, and the leader's as a backstop.
Keeps: an attempt that is over cannot be finished, and its handler keeps its slot until it ends.
Above: nobody. Below: tests.runtime.scene, awa.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest

import awa
from tests.rig import Rig
from tests.runtime.conftest import Clients
from tests.runtime.scene import (
    RARELY,
    WITHIN_S,
    Runs,
    handle,
    handle_when_opened,
    insert,
    until,
    until_all,
    until_asleep,
    working,
)
from tests.runtime.test_blocking import block_until

SHORT = {"name": "q", "max_workers": 1, "deadline_duration_ms": 300}
WAITS = "select cardinality(pg_blocking_pids($1)) > 0"
ERROR = "hard deadline exceeded"


def holding(
    is_async: bool, runs: Runs, told: threading.Event, ends: threading.Event
) -> Callable[[awa.Job[Any]], Any]:
    """Return a handler that goes on past its deadline until it is let go."""

    def plain(job: awa.Job[Any]) -> None:
        with runs.of(job):
            while not job.is_cancelled():
                ends.wait(0.005)
            told.set()
            ends.wait()

    async def coroutine(job: awa.Job[Any]) -> None:
        with runs.of(job):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            assert job.is_cancelled()
            told.set()
            await until(ends.is_set)

    return coroutine if is_async else plain


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "plain"])
async def test_an_attempt_past_its_deadline_is_over_and_its_slot_taken(
    client: awa.AsyncClient, rig: Rig, runs: Runs, is_async: bool
) -> None:
    told = threading.Event()
    ends = threading.Event()
    handle(client, runs, "next")
    client.task(dict, kind="k", queue="q")(holding(is_async, runs, told, ends))
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


async def test_a_handler_that_does_not_end_after_its_deadline_is_named_once(
    client: awa.AsyncClient,
    rig: Rig,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("awa.runtime.executor.STUCK_S", 0.1)
    ends = threading.Event()
    client.task(dict, kind="k", queue="q")(lambda job: ends.wait(WITHIN_S) and None)
    (job,) = await insert(client, max_attempts=1)
    async with working(client, [SHORT]) as engine:
        await until(lambda: stuck(caplog))
        turned = engine.dispatcher._turned_at
        await until(lambda: engine.dispatcher._turned_at > turned)
        ends.set()
    (record,) = stuck(caplog)
    assert record.kind == "k" and f"handler of 'k' (job {job})" in record.getMessage()


def stuck(caplog: pytest.LogCaptureFixture) -> list[Any]:
    """What was said about handlers that do not end."""
    return [one for one in caplog.records if one.name == "awa.runtime.executor"]


async def test_at_its_deadline_a_handler_that_hangs_is_cancelled_and_makes_room(
    client: awa.AsyncClient, rig: Rig, runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    """A plain function that gives something to await is cancelled there as well."""
    cancelled: list[str] = []

    async def hang(job: awa.Job[Any]) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(job.kind)
            raise

    handle(client, runs, "next")
    client.task(dict, kind="async", queue="q")(hang)
    client.task(dict, kind="plain", queue="q")(lambda job: hang(job))
    late = [(await insert(client, kind=kind, max_attempts=1))[0] for kind in ("async", "plain")]
    (after,) = await insert(client, kind="next")
    async with working(client, [SHORT]) as engine:
        await until_all(rig, [after])
        # It has ended once, by its deadline: what came of its end is sent to nobody.
        assert engine.dispatcher.counts["stale"] == 0
        assert engine.dispatcher.counts["failed"] == len(late)
    assert cancelled == ["async", "plain"]
    for job in late:
        (error,) = (await rig.job(job))["errors"]
        assert (error["error"], error["terminal"]) == (ERROR, True)
    assert stuck(caplog) == []


async def test_one_whose_deadline_passes_before_the_loop_comes_to_it_makes_room(
    client: awa.AsyncClient, url: str, rig: Rig, runs: Runs
) -> None:
    """Its task is cancelled in the turn in which it was to begin."""
    handle(client, runs)
    async with working(client, [SHORT]) as engine:
        with awa.Client(url, 1) as looking:
            job = looking.insert({}, kind="k", queue="q", max_attempts=1).id
            block_until(lambda: looking.get_job(job).state == awa.JobState.Failed)
        (slots,) = engine.dispatcher.slots.queue_by_number.values()
        await until(lambda: slots.held == 0)
        await until_all(rig, await insert(client))


async def test_a_word_that_waits_when_its_deadline_passes_is_said(
    clients: Clients, rig: Rig, runs: Runs
) -> None:
    """It has ended in time: what it said is not taken for a handler that hangs."""
    client, producer = clients(), clients()
    opened = handle_when_opened(client, runs)
    queue = {**SHORT, "max_workers": 2, "deadline_duration_ms": 1000}
    async with working(client, [queue], **RARELY) as engine:
        (ended,) = await insert(producer, max_attempts=1)
        await until(lambda: runs.began)
        await until_asleep(rig, engine)
        conn = engine.dispatcher._conn
        async with rig.gate(conn, "newest"):
            await insert(producer, kind="strange")
            await until(lambda: rig.watcher.fetchval(WAITS, conn.get_server_pid()))
            opened.set()
            await until(lambda: engine.dispatcher._finished)
            assert engine._loop is not None
            (one,) = engine.dispatcher.slots.running()
            await until(lambda: engine._loop.time() > one.started_s + 1)  # type: ignore[union-attr]
        await until_all(rig, [ended])
    runs.check_once([ended])


async def test_with_attempts_left_it_comes_back(client: awa.AsyncClient, rig: Rig) -> None:
    await rig.sow("backoff", "(2 ^ least(attempt, 30))", "0")
    attempts: list[int] = []

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> None:
        assert job.deadline is not None
        attempts.append(job.attempt)
        if job.attempt == 1:
            await asyncio.Event().wait()

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
