"""A job's state as people see it and change it: in each state of the machine, by each decision.

Owns: the view awa.jobs, queue_stats, cancel, retry, retry_failed, discard_failed, pause, drain.
Keeps: a job is one row and in one state; a decision that does not fit the state changes nothing.
Above: nobody. Below: tests.story.stage, tests.rig, awa.
"""

import asyncio
from typing import Any

import asyncpg
import pytest

import awa
from tests.rig import Rig
from tests.story.stage import OVER, STATES, lead_to, lead_to_all, written

VIEW = (
    *("id", "kind", "queue", "args", "state", "priority", "attempt", "run_lease", "max_attempts"),
    *("tags", "metadata", "errors", "progress", "run_at", "created_at", "attempted_at"),
    *("deadline_at", "finalized_at", "worker"),
)
ATTEMPTED = {"running": 1, "completed": 1, "retryable": 1, "failed": 1, "cancelled": 1}


async def test_the_view_has_one_row_a_job_in_each_state(rig: Rig) -> None:
    jobs = await lead_to_all(rig)
    assert await rig.states() == {job: state for state, job in jobs.items()}
    for state, number in jobs.items():
        job = await rig.job(number)
        assert tuple(job) == VIEW
        assert (job["kind"], job["queue"], job["args"], job["priority"]) == ("k", "q", {}, 2)
        assert (job["attempt"], job["run_lease"]) == (ATTEMPTED.get(state, 0),) * 2, state
        assert (job["finalized_at"] is not None) == (state in (*OVER, "retryable")), state
        assert (job["attempted_at"] is not None) == (state in ("running", "completed")), state
        assert len(job["errors"]) == (state in ("retryable", "failed", "cancelled")), state
    assert (await rig.job(jobs["scheduled"]))["run_at"] > (await rig.job(jobs["running"]))["run_at"]


async def test_the_view_is_for_reading(rig: Rig) -> None:
    await rig.enqueue()
    for sql in (
        "insert into awa.jobs (id, kind) values (7, 'k')",
        "update awa.jobs set state = 'completed'",
        "delete from awa.jobs",
    ):
        with pytest.raises(asyncpg.PostgresError):
            await rig.conn.execute(sql)
    assert set((await rig.states()).values()) == {"available"}


async def test_a_snoozed_job_is_scheduled_and_has_its_attempt_back(
    rig: Rig, client: awa.AsyncClient
) -> None:
    worker = await rig.worker()
    (number,) = await rig.enqueue()
    await worker.end(*await worker.take(), verdict="snooze", delay_s=3600)
    job = await client.get_job(number)
    assert (job.state, job.attempt, job.errors) == (awa.JobState.Scheduled, 0, [])
    assert job.run_lease == 1


async def test_queue_stats_count_each_state(rig: Rig, client: awa.AsyncClient) -> None:
    await lead_to_all(rig)
    for queue, state in (("b", "failed"), ("b", "available"), ("a", "retryable")):
        await lead_to(rig, state, queue)
    await client.pause_queue("paused", "me")
    stats = {one.queue: one for one in await client.queue_stats()}
    assert list(stats) == ["a", "b", "paused", "q"]
    q = stats["q"]
    assert (q.scheduled, q.available, q.retryable, q.running, q.failed) == (1, 1, 1, 1, 1)
    assert (q.total_queued, q.completed_last_hour, q.waiting_external) == (4, 1, 0)
    assert q.lag_seconds is not None and q.lag_seconds > 0
    assert [stats[name].failed for name in ("a", "b", "paused")] == [0, 1, 0]
    assert [stats[name].total_queued for name in ("a", "b", "paused")] == [1, 1, 0]
    assert [one.paused for one in stats.values()] == [False, False, True, False]
    assert stats["paused"].lag_seconds is None
    assert repr(q) == "QueueStat(queue='q', total_queued=4, available=1, running=1, failed=1)"


async def test_what_was_cancelled_is_no_lag(rig: Rig, client: awa.AsyncClient) -> None:
    await rig.worker()
    first, second = await rig.enqueue(2)
    await client.cancel(first)
    (stat,) = await client.queue_stats()
    assert stat.available == 1
    assert stat.lag_seconds is not None
    await client.cancel(second)
    (stat,) = await client.queue_stats()
    assert (stat.available, stat.lag_seconds) == (0, None)


# --- Cancel ------------------------------------------------------------------------------------


async def test_what_is_not_over_is_cancelled_and_the_rest_is_left(
    rig: Rig, client: awa.AsyncClient
) -> None:
    jobs = await lead_to_all(rig)
    for state, number in jobs.items():
        before = await written(rig)
        if state in OVER:
            with pytest.raises(awa.AwaError, match=f"job not found: {number}"):
                await client.cancel(number)
            assert await written(rig) == before, state
            assert (await rig.states())[number] == state
            continue
        job = await client.cancel(number)
        assert (job.id, job.state) == (number, awa.JobState.Cancelled), state
        assert (await rig.states())[number] == "cancelled"
        with pytest.raises(awa.AwaError, match=f"job not found: {number}"):
            await client.cancel(number)
    worker = await rig.worker()
    assert await worker.claim() == []


async def test_a_handler_learns_that_its_job_was_cancelled(client: awa.AsyncClient) -> None:
    seen: asyncio.Queue[bool] = asyncio.Queue()
    go_on = asyncio.Event()

    @client.task(dict, kind="k", queue="q")
    async def work(job: awa.Job[Any]) -> None:
        seen.put_nowait(job.is_cancelled())
        await go_on.wait()
        # It asks the attempt itself: an async handler has no other way, and nothing wakes it.
        while not job.is_cancelled():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        seen.put_nowait(job.is_cancelled())

    await client.start([("q", 1)])
    job = await client.insert({}, kind="k", queue="q")
    async with asyncio.timeout(30):
        assert await seen.get() is False
        assert (await client.cancel(job.id)).state is awa.JobState.Cancelled
        go_on.set()
        assert await seen.get() is True
    await client.shutdown()
    stored = await client.get_job(job.id)
    assert (stored.state, stored.attempt) == (awa.JobState.Cancelled, 1)
    assert not stored.is_cancelled()


# --- Retry -------------------------------------------------------------------------------------


async def test_what_failed_or_was_cancelled_can_be_retried_and_nothing_else(
    rig: Rig, client: awa.AsyncClient
) -> None:
    jobs = await lead_to_all(rig)
    for state in STATES:
        number, before = jobs[state], await written(rig)
        if state not in ("failed", "cancelled"):
            with pytest.raises(awa.AwaError, match=f"job not found: {number}"):
                await client.retry(number)
            assert await written(rig) == before, state
            continue
        errors = (await client.get_job(number)).errors
        job = await client.retry(number)
        assert (job.id, job.state, job.attempt) == (number, awa.JobState.Available, 0), state
        assert (job.errors, job.finalized_at) == (errors, None)
        assert len(errors) == 1
        assert job.run_lease == 1, "a lease never goes back"
        assert job.run_at > job.created_at, "it is due from now on"
    worker = await rig.worker()
    claimed = await worker.claim()
    assert set(claimed) == {jobs["available"], jobs["failed"], jobs["cancelled"]}
    assert (await client.get_job(jobs["failed"])).run_lease == 2


async def test_failed_jobs_are_retried_by_kind_or_by_queue(
    rig: Rig, client: awa.AsyncClient
) -> None:
    for given in ({}, {"kind": "k", "queue": "q"}):
        with pytest.raises(ValueError, match="exactly one of kind or queue"):
            await client.retry_failed(**given)
    one, two = await lead_to(rig, "failed", "q1"), await lead_to(rig, "failed", "q2")
    cancelled = await lead_to(rig, "cancelled", "q3")
    done = await client.retry_failed(queue="q1")
    assert [job.id for job in done.jobs] == [one]
    assert repr(done) == "RetryFailedResult(jobs=1, matched=1, pruned_failed_count=None)"
    assert (await client.retry_failed(kind="strange")).matched == 0
    done = await client.retry_failed(kind="k")
    assert [(job.id, job.state) for job in done.jobs] == [(two, awa.JobState.Available)]
    assert (await rig.states())[cancelled] == "cancelled"


async def test_discarded_jobs_are_gone(rig: Rig, client: awa.AsyncClient) -> None:
    jobs = await lead_to_all(rig)
    assert await client.discard_failed("strange") == 0
    assert await client.discard_failed("k") == 1
    assert await client.discard_failed("k") == 0
    with pytest.raises(awa.AwaError, match="job not found"):
        await client.get_job(jobs["failed"])
    assert len(await rig.states()) == len(STATES) - 1


# --- Queues ------------------------------------------------------------------------------------


async def test_a_paused_queue_gives_out_nothing_until_it_is_resumed(
    rig: Rig, client: awa.AsyncClient
) -> None:
    worker = await rig.worker()
    jobs = await rig.enqueue(2)
    assert await worker.claim(1) == jobs[:1]
    await client.pause_queue("q", paused_by="me")
    assert await worker.claim() == []
    assert (await rig.states())[jobs[0]] == "running"
    await client.resume_queue("q")
    await client.resume_queue("nobody's")
    assert await worker.claim() == jobs[1:]


async def test_a_drained_queue_holds_what_runs_and_what_is_over(
    rig: Rig, client: awa.AsyncClient
) -> None:
    jobs = await lead_to_all(rig)
    other = await lead_to(rig, "available", "other")
    assert await client.drain_queue("q") == 3
    assert await client.drain_queue("q") == 0
    assert await client.drain_queue("nobody's") == 0
    states = await rig.states()
    assert states.pop(other) == "available"
    waiting = ("scheduled", "available", "retryable")
    assert states == {
        job: "cancelled" if state in waiting else state for state, job in jobs.items()
    }
