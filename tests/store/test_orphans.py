"""A worker that was declared lost, and is in time all the same: its rescue has not come to it yet.

Owns: each way an entry of a lost worker may end before it is rescued.
Keeps: who holds an open entry may end it, lost or not; what was rescued is over.
Above: nobody. Below: tests.rig.
"""

from typing import Any

import pytest

from tests.rig import STALE_S, Rig, Worker

VERDICTS = {
    "complete": "completed",
    "retry": "retryable",
    "snooze": "scheduled",
    "fail": "failed",
    "release": "available",
    "cancel": "cancelled",
}


async def orphaned(rig: Rig, **how: Any) -> tuple[Worker, int, int]:
    """Have a worker lost that holds two claims, of which one is rescued; return the other's job."""
    await rig.have_movable_clock()
    dead, alive = await rig.worker(), await rig.worker()
    leader = await rig.lead(alive)
    await rig.enqueue(**how)
    await dead.take(1)
    (job,) = await rig.enqueue(**how)
    (seq,) = await dead.take(1)
    for _ in range(5):
        await rig.pass_time(STALE_S / 3)
        await alive.store.heartbeat(alive.worker, [], {})
        # One entry at a time: the other has to wait for the next sweep.
        if await leader.store.rescue(leader.epoch, STALE_S, 1):
            return dead, job, seq
    raise AssertionError("nobody was lost")


@pytest.mark.parametrize("verdict", VERDICTS)
async def test_a_lost_worker_may_still_be_in_time(rig: Rig, verdict: str) -> None:
    dead, job, seq = await orphaned(rig)
    told = {"delay_s": 60, "error": "no"}
    stale = await dead.end(seq, verdict=None if verdict == "complete" else verdict, **told)
    assert stale == set()
    assert (await rig.states())[job] == VERDICTS[verdict]


async def test_the_last_attempt_of_a_lost_worker_may_fail_in_time(rig: Rig) -> None:
    dead, job, seq = await orphaned(rig, max_attempts=1)
    assert await dead.end(seq, verdict="retry", error="no") == set()
    assert (await rig.states())[job] == "failed"


async def test_a_person_may_cancel_what_a_lost_worker_runs(rig: Rig) -> None:
    dead, job, seq = await orphaned(rig)
    assert await rig.operator.cancel(job)
    assert await dead.end(seq) == {seq}


@pytest.mark.story("two-zombies")
async def test_a_finish_is_refused_while_another_lost_worker_holds_the_job(rig: Rig) -> None:
    """Two zombies: the first is told that its entry is over while the second's is not."""
    first, job, seq = await orphaned(rig)
    assert await first.end(seq, verdict="release") == set()
    second = await rig.worker()
    assert await second.claim() == [job]
    leader = await rig.lead(await rig.worker())
    for _ in range(4):
        await rig.pass_time(STALE_S / 3)
        await leader.store.rescue(leader.epoch, STALE_S, 0)
    assert await first.end(seq) == {seq}


@pytest.mark.parametrize("place", ["aside", "discarded"])
async def test_a_zombie_is_refused_wherever_its_job_is_by_now(rig: Rig, place: str) -> None:
    worker = await rig.worker()
    (job,) = await rig.enqueue(kind="k")
    (seq,) = await worker.take()
    if place == "aside":
        await worker.end(seq, verdict="release")
        await worker.claim(kinds=["another"])
    else:
        await worker.end(seq, verdict="fail", error="no")
        await rig.conn.execute("select awa.discard_failed('k')")
    assert await worker.end(seq) == {seq}
    assert (await rig.states()) == ({job: "available"} if place == "aside" else {})
