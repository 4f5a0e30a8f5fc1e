"""Cancel: a job ends wherever it is, at once, and no claim and no finish gets past it.

Owns: a cancel in each place a job can be, and its races with a claim, a drain of a queue.
Keeps: a job that was cancelled is not given out; one that was given out is cancelled as running.
Above: nobody. Below: tests.rig, awa.store.
"""

import asyncio

import pytest

from awa.store.operator import OperatorStore
from tests.rig import Rig


@pytest.mark.parametrize("times", [1, 2])
async def test_a_waiting_job_is_cancelled_once_and_not_given_out(rig: Rig, times: int) -> None:
    worker = await rig.worker()
    first, second, third = await rig.enqueue(3)
    assert [await rig.operator.cancel(second) for _ in range(times)] == [True, False][:times]
    assert await worker.claim() == [first, third]
    assert (await rig.job(second))["state"] == "cancelled"
    assert (await rig.job(second))["attempt"] == 0


@pytest.mark.story("cancelled-under-its-worker")
async def test_a_running_job_is_cancelled_under_its_worker(rig: Rig) -> None:
    worker = await rig.worker()
    (job,) = await rig.enqueue()
    (seq,) = await worker.take()
    assert await rig.operator.cancel(job)
    shown = await rig.job(job)
    assert (shown["state"], shown["attempt"], shown["run_lease"]) == ("cancelled", 1, 1)
    assert await worker.end(seq, verdict="retry") == {seq}
    assert await rig.states() == {job: "cancelled"}


@pytest.mark.parametrize("place", ["scheduled", "retryable", "aside", "intake", "returning"])
async def test_a_job_is_cancelled_in_every_place(rig: Rig, place: str) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    how = {
        "scheduled": {"run_at": await rig.conn.fetchval("select now() + interval '1 h'")},
        "aside": {"kind": "strange"},
        "intake": {"queue": "unheard", "priority": 3, "tags": ["t"]},
    }
    (job,) = await rig.enqueue(**how.get(place, {}))
    if place in ("retryable", "returning"):
        verdict = "retry" if place == "retryable" else "release"
        await worker.end(*await worker.take(), verdict=verdict, delay_s=60)
    await worker.step(room=1) if place == "aside" else None
    before = await rig.job(job)
    assert await rig.operator.cancel(job)
    after = await rig.job(job)
    assert after["state"] == "cancelled"
    for name in ("queue", "priority", "kind", "args", "tags", "max_attempts", "attempt"):
        assert after[name] == before[name], name
    await leader.sort(settles=True)
    assert await worker.claim(kinds=["k", "strange"]) == []
    assert await rig.states() == {job: "cancelled"}


@pytest.mark.story("cancelled-in-the-intake")
async def test_what_was_cancelled_in_the_intake_comes_back_to_its_queue(rig: Rig) -> None:
    leader = await rig.lead()
    (job,) = await rig.enqueue(queue="unheard", priority=3)
    assert await rig.operator.cancel(job)
    assert await rig.operator.redrive(job)
    await leader.sort(settles=True)
    worker = await rig.worker("unheard")
    assert await worker.claim() == [job]
    assert (await rig.job(job))["priority"] == 3


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_a_cancel_waits_for_a_claim_that_is_under_way(rig: Rig, end: str) -> None:
    """The claim has read the entry and not committed: the cancel must not believe it waits."""
    worker = await rig.worker()
    (job,) = await rig.enqueue()
    await worker.conn.execute("begin")
    (seq,) = await worker.take()
    cancel = asyncio.create_task(rig.operator.cancel(job))
    await rig.until_blocked(rig.conn, cancel)
    await worker.conn.execute(end)
    assert await cancel
    assert await rig.states() == {job: "cancelled"}
    assert (await rig.job(job))["run_lease"] == (1 if end == "commit" else 0)
    assert await worker.end(seq) == {seq}
    assert await worker.claim() == []


async def test_a_cancel_follows_a_job_that_a_claim_moves_meanwhile(rig: Rig) -> None:
    worker = await rig.worker()
    (job,) = await rig.enqueue(kind="strange")
    await worker.conn.execute("begin")
    assert await worker.claim() == []
    cancel = asyncio.create_task(rig.operator.cancel(job))
    await rig.until_blocked(rig.conn, cancel)
    await worker.conn.execute("commit")
    assert await cancel
    assert await rig.states() == {job: "cancelled"}
    assert await worker.claim(kinds=["strange"]) == []


@pytest.mark.parametrize("after", ["find_entry", "is_unclaimed"])
async def test_a_cancel_follows_a_job_that_is_moved_between_its_looks(rig: Rig, after: str) -> None:
    worker, operator = await rig.worker(), await rig.connect()
    (job,) = await rig.enqueue(kind="strange")
    async with rig.gate(operator, after):
        cancel = asyncio.create_task(OperatorStore(operator).cancel(job))
        await rig.until_blocked(operator, cancel)
        assert await worker.claim() == []
    assert await cancel
    assert await rig.states() == {job: "cancelled"}


async def test_a_cancel_follows_a_job_that_is_retried_between_its_looks(rig: Rig) -> None:
    """It has seen nothing deferred, and the entries it may not see before the retry is there."""
    worker = await rig.worker()
    (job,) = await rig.enqueue()
    (seq,) = await worker.take()
    await worker.conn.execute("begin")
    await worker.conn.execute("lock table awa.entry")
    await worker.end(seq, verdict="retry", delay_s=60)
    cancel = asyncio.create_task(rig.operator.cancel(job))
    await rig.until_blocked(rig.conn, cancel)
    await worker.conn.execute("commit")
    assert await cancel
    assert await rig.states() == {job: "cancelled"}


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_a_claim_waits_for_a_cancel_that_is_under_way(rig: Rig, end: str) -> None:
    worker = await rig.worker()
    (job,) = await rig.enqueue()
    await rig.conn.execute("begin")
    assert await rig.operator.cancel(job)
    claim = asyncio.create_task(worker.claim())
    await rig.until_blocked(worker.conn, claim)
    await rig.conn.execute(end)
    assert await claim == ([] if end == "commit" else [job])


@pytest.mark.story("two-cancels-at-once")
async def test_two_cancels_at_once_are_one(rig: Rig) -> None:
    worker = await rig.worker()
    other = await rig.connect()
    for running in (False, True):
        (job,) = await rig.enqueue()
        if running:
            await worker.take()
        await rig.conn.execute("begin")
        assert await rig.operator.cancel(job)
        second = asyncio.create_task(other.fetchval("select awa.cancel($1)", job))
        await rig.until_blocked(other, second)
        await rig.conn.execute("commit")
        assert not await second


async def test_nobody_and_nothing_is_cancelled_twice_over(rig: Rig) -> None:
    worker = await rig.worker()
    done, failed = await rig.enqueue(2)
    seqs = await worker.take()
    await worker.end(seqs[0])
    await worker.end(seqs[1], verdict="fail")
    assert [await rig.operator.cancel(job) for job in (done, failed, 10**6)] == [False] * 3
    assert await rig.states() == {done: "completed", failed: "failed"}


@pytest.mark.story("a-drain")
async def test_a_drain_takes_all_that_does_not_run(rig: Rig) -> None:
    worker = await rig.worker()
    (running,) = await rig.enqueue()
    await worker.take()
    waiting = await rig.enqueue(3)
    waiting += await rig.enqueue(kind="strange", run_at=await rig.conn.fetchval("select now()"))
    others = await rig.enqueue(queue="other")
    assert await rig.operator.drain("q") == 4
    states = await rig.states()
    assert states.pop(running) == "running"
    assert states == dict.fromkeys(waiting, "cancelled") | dict.fromkeys(others, "available")


async def test_a_drain_in_portions_cancels_each_once(rig: Rig) -> None:
    await rig.worker()
    await rig.enqueue(5)
    reached, cancelled = 0, []
    while True:
        row = await rig.conn.fetchrow("select * from awa.drain('q', $1, 2)", reached)
        cancelled.append(row["cancelled"])
        reached = row["reached"]
        if row["done"]:
            break
    assert cancelled == [2, 2, 1]
    assert set((await rig.states()).values()) == {"cancelled"}


async def test_a_drain_takes_what_waits_in_the_intake(rig: Rig) -> None:
    (job,) = await rig.enqueue(queue="unheard")
    assert await rig.operator.drain("unheard") == 1
    assert await rig.states() == {job: "cancelled"}


async def test_a_job_is_cancelled_where_it_is_and_not_where_it_was(rig: Rig) -> None:
    """An entry that was moved has no ending of its own, and may bear the greater number."""
    leader = await rig.lead()
    knows, knows_not = await rig.worker(kinds=("x",)), await rig.worker(kinds=("k",))
    (job,) = await rig.enqueue(kind="x")
    await knows.end(*await knows.take(kinds=("x",)), verdict="retry", delay_s=0)
    assert await leader.promote() == 1
    assert await knows_not.claim() == []
    await knows.end(*await knows.take(kinds=("x",)), verdict="fail")
    assert await rig.operator.redrive(job)
    moved = await rig.conn.fetchval(
        "select upper(range_merge(moved)) - 1 from awa.claim where not isempty(moved)"
    )
    (present,) = await rig.conn.fetch(
        "select e.seq from awa.entry e cross join awa.queue q "
        "where e.id = $1 and q.name = 'q' and awa.is_unclaimed(q.queue, e.seq)",
        job,
    )
    assert moved > present["seq"]
    assert await rig.operator.cancel(job)
    assert await rig.states() == {job: "cancelled"}


async def test_what_fails_again_is_not_brought_back_again_and_again(rig: Rig) -> None:
    worker = await rig.worker()
    jobs = await rig.enqueue(3)
    verbs = rig.operator.verbs

    async def fail_all() -> None:
        await worker.end(*await worker.take(), verdict="fail")

    await fail_all()
    first = await verbs("redrive_failed", "k", None, 0, 2)
    assert [row["redrive_failed"] for row in first] == jobs[:2]
    await fail_all()
    rest = await verbs("redrive_failed", "k", None, jobs[1], 2)
    assert [row["redrive_failed"] for row in rest] == jobs[2:]
