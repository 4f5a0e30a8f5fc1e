"""Carry: what lives in a segment that is truncated goes on in another, under the same names.

Owns: what is carried out of a segment, and who meets a prune that is under way.
Keeps: what lives keeps its name, its place and its claim; nobody fails because of a prune.
Above: nobody. Below: tests.rig, awa.store.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.rig import Leader, Rig, Worker


async def have_straggler(rig: Rig, worker: Worker, leader: Leader, ended: int = 2) -> int:
    """Have one entry of a closed segment still running, and the others over; return its seq."""
    await rig.enqueue(ended + 1)
    seqs = await worker.take(ended + 1)
    assert await worker.end(*seqs[1:]) == set()
    await leader.rotate()
    return seqs[0]


# --- What is carried ---------------------------------------------------------------------


async def test_a_straggler_is_carried_with_its_names(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    seq = await have_straggler(rig, worker, leader)
    before = (await rig.conn.fetchrow("select * from awa.jobs where state = 'running'"))["id"]
    assert await leader.prune() == 1
    assert await rig.states() == {before: "running"}
    assert await worker.store.open_entries(worker.worker) == {seq: worker.claim_by_seq[seq]}
    assert await worker.end(seq, verdict="retry", delay_s=60) == set()
    assert await worker.end(seq) == {seq}
    assert await rig.states() == {before: "retryable"}


async def test_what_had_ended_before_the_prune_stays_ended(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    seq = await have_straggler(rig, worker, leader)
    others = set(worker.claim_by_seq) - {seq}
    assert await leader.prune() == 1
    assert await worker.end(*sorted(others), seq) == others
    parts = await rig.conn.fetch("select part, completed, closes from awa.part order by part")
    assert [tuple(row) for row in parts] == [(1, 2, False), (2, 1, True)]


@pytest.mark.parametrize("times", [1, 3])
async def test_a_straggler_is_carried_again_and_again(rig: Rig, times: int) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    seq = await have_straggler(rig, worker, leader)
    for _ in range(times):
        assert len(await leader.prune_all()) == 1
        await leader.rotate()
    assert await rig.count("entry") == 1
    assert await worker.end(seq) == set()
    assert await worker.end(seq) == {seq}


async def test_a_straggler_of_an_idle_queue_does_not_become_its_cursor(rig: Rig) -> None:
    """The straggler's claim goes to the open segment; the queue's newest claim lies in between."""
    worker, leader = await rig.worker(), await rig.lead()
    await rig.enqueue(4)
    (straggler,) = await worker.take(1)
    await leader.rotate()
    # Two claims, so that the newest lies in the second segment.
    await worker.end(*await worker.take(1))
    second = await worker.take(1)
    newest = await rig.newest()
    assert newest["segment"] == 1
    await leader.rotate()
    last = await worker.take(1)
    third = await rig.newest()
    await worker.end(*second, *last)
    await leader.rotate()
    assert await leader.prune() == 1
    assert (await rig.newest())["claim"] >= third["claim"]
    assert await worker.take() == []
    newer = await rig.enqueue()
    assert await worker.claim() == newer
    assert await worker.end(straggler) == set()


@pytest.mark.parametrize("rotations", [1, 2, 3])
async def test_the_newest_claim_of_an_idle_queue_survives(rig: Rig, rotations: int) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    await rig.enqueue(3)
    await worker.end(*await worker.take(2))
    cursor = (await rig.newest())["hi"]
    await worker.end(*await worker.take(1))
    await leader.rotate(rotations)
    assert await leader.prune_all() == list(range(1, rotations + 1))
    assert (await rig.newest())["hi"] > cursor
    assert await worker.claim() == []
    newer = await rig.enqueue(2)
    assert await worker.claim() == newer


async def test_who_sleeps_is_remembered_over_a_prune(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    await worker.step(asleep=True)
    await leader.rotate(2)
    assert await leader.prune_all() == [1, 2]
    assert await rig.conn.fetchval("select asleep from awa.enqueue('k', '1', 'q')")


async def test_deferred_jobs_are_carried_until_they_are_due(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    at = await rig.conn.fetchval("select awa.clock() + interval '60 s'")
    scheduled = await rig.enqueue(2, run_at=at)
    retried = await rig.enqueue()
    await worker.end(*await worker.take(), verdict="retry", delay_s=90)
    await rig.operator.cancel(scheduled[1])
    before = [await rig.job(job) for job in scheduled + retried]
    for _ in range(2):
        await leader.rotate()
        assert len(await leader.prune_all()) == 1
    assert [await rig.job(job) for job in scheduled + retried] == before
    await rig.pass_time(70)
    assert await leader.promote() == 1
    await rig.pass_time(30)
    assert await leader.promote() == 1
    assert sorted(await worker.claim()) == [scheduled[0], *retried]


async def test_a_hole_whose_writer_is_at_work_survives(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    await leader.open_segment()
    await leader.switch_segment()
    # The writer writes into the second segment; the page lies where the claim does, in the first.
    writer = await rig.begin()
    await writer.execute("set local search_path to awa")
    # Not by `enqueue`, which looks for sleepers in all segments and so keeps every prune away.
    await writer.execute(
        "insert into entry (seq, segment, id, created_at, kind, args) "
        "select nextval(sequence), writable_segment(), 77, clock(), 'k', '1' from lane "
        "where queue > 0 and not returning_jobs and priority = 2"
    )
    await rig.enqueue()
    await worker.end(*await worker.take())
    assert await leader.close_segment()
    (page,) = await rig.pages()
    assert page["segment"] == 0
    assert await leader.prune_all() == [1]
    (carried,) = await rig.pages()
    assert {**carried, "segment": 0} == page
    assert await worker.claim(settles=True) == []
    await writer.execute("commit")
    assert await worker.claim() == [77]
    assert await rig.pages() == []


# --- Whom a prune stops -----------------------------------------------------------------------


async def test_a_prune_gives_up_behind_a_long_reader_and_the_claimers_go_on(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    await rig.enqueue()
    await worker.end(*await worker.take())
    await leader.rotate()
    reader = await rig.begin()
    assert await reader.fetchval("select count(*) from awa.jobs") == 1
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await leader.prune(wait_ms=50) is None
    assert loop.time() - began < 5
    newer = await rig.enqueue()
    assert await worker.claim() == newer
    assert (await rig.count("entry")) == 2
    await reader.execute("commit")
    assert await leader.prune(wait_ms=50) == 1


async def test_a_prune_waits_for_one_reader_after_another_no_longer_than_for_one(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    await rig.enqueue()
    await worker.end(*await worker.take())
    await leader.rotate()
    first, second = await rig.begin(), await rig.begin()
    await first.execute("lock table awa.entry_0 in access share mode")
    await second.execute("lock table awa.deferred_0 in access share mode")
    prune = asyncio.create_task(leader.prune(wait_ms=60_000))
    await rig.until_blocked(leader.conn, prune)
    await rig.pass_time(60)
    await first.execute("commit")
    async with asyncio.timeout(20):
        assert await prune is None


async def test_a_prune_gives_up_while_a_claim_of_an_idle_queue_is_at_work(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    await rig.enqueue()
    await worker.end(*await worker.take())
    await leader.rotate()
    await worker.conn.execute("begin")
    assert await worker.claim() == []
    assert await leader.prune(wait_ms=50) is None
    newer = await rig.enqueue()
    assert await worker.claim() == newer
    await worker.conn.execute("commit")
    assert await leader.prune(wait_ms=50) == 1
    assert await rig.states() == {newer[0]: "running"}


async def prune_under_way(rig: Rig, worker: Worker, leader: Leader) -> None:
    """Leave a prune's transaction open that has truncated the segment of an idle queue's cursor."""
    await rig.enqueue()
    await worker.end(*await worker.take())
    await leader.rotate()
    await leader.conn.execute("begin")
    assert await leader.prune() == 1


async def test_a_prune_that_was_stopped_takes_no_segment_that_is_in_use_again(rig: Rig) -> None:
    """One has found a segment closed, is stopped; another empties it, and it is opened anew."""
    worker, leader = await rig.worker(), await rig.lead()
    await prune_under_way(rig, worker, leader)
    other = Leader(await rig.connect(), leader.epoch)
    async with rig.gate(other.conn, "open_segment"):
        stopped = asyncio.create_task(other.prune())
        await rig.until_blocked(other.conn, stopped)
        await leader.conn.execute("commit")
        await rig.until_blocked(other.conn, stopped)
        await leader.open_segment()
        await leader.switch_segment()
        (job,) = await rig.enqueue()
        await worker.end(*await worker.take())
    assert await stopped is None
    assert await rig.states() == {job: "completed"}
    newer = await rig.enqueue()
    assert await worker.claim() == newer
    assert await leader.close_segment()


async def test_an_open_producer_keeps_no_segment_from_its_prune(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    await rig.enqueue()
    await worker.end(*await worker.take())
    await leader.rotate(2)
    producer = await rig.begin()
    late = await rig.enqueue(conn=producer)
    assert await leader.prune_all() == [1, 2]
    await producer.execute("commit")
    assert await worker.claim() == late


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_an_enqueue_waits_for_no_prune(rig: Rig, end: str) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    await prune_under_way(rig, worker, leader)
    producer = await rig.begin()
    jobs = await rig.enqueue(conn=producer)
    await producer.execute("commit")
    await leader.conn.execute(end)
    assert await worker.claim() == jobs


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_a_claim_that_met_a_prune_goes_through(rig: Rig, end: str) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    await prune_under_way(rig, worker, leader)
    claim = asyncio.create_task(worker.claim())
    await rig.until_blocked(worker.conn, claim)
    await leader.conn.execute(end)
    assert await claim == []
    newer = await rig.enqueue()
    assert await worker.claim() == newer


@pytest.mark.parametrize("verb", ["queue_stats", "storage_status"])
async def test_a_look_that_met_a_prune_goes_through(rig: Rig, verb: str) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    await prune_under_way(rig, worker, leader)
    look = asyncio.create_task(getattr(rig.operator, verb)())
    await rig.until_blocked(rig.conn, look)
    await leader.conn.execute("commit")
    assert await look


@pytest.mark.parametrize("sweep", ["promote", "sort", "purge", "prune"])
async def test_a_sweep_that_met_a_prune_goes_through(rig: Rig, sweep: str) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    other = Leader(await rig.connect(), leader.epoch)
    gone = await rig.worker()
    assert await gone.store.retire(gone.worker)
    await prune_under_way(rig, worker, leader)
    sweeps: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
        "promote": other.promote,
        "sort": other.sort,
        "purge": lambda: other.store.purge(other.epoch, 3600, 3600, 100),
        "prune": other.prune,
    }
    met = asyncio.create_task(sweeps[sweep]())
    await rig.until_blocked(other.conn, met)
    await leader.conn.execute("commit")
    await met
    jobs = await rig.enqueue()
    assert await worker.claim() == jobs


async def test_the_view_is_readable_with_a_snapshot_older_than_a_prune(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    await rig.enqueue()
    await worker.end(*await worker.take())
    reader = await rig.begin("repeatable read")
    await leader.rotate(2)
    assert await leader.prune_all() == [1, 2]
    await rig.enqueue()
    assert await reader.fetch("select * from awa.jobs") == []
