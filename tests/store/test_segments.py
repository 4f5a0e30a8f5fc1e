"""Segments: rotated in three transactions, truncated when their story is over, in any order.

Owns: what keeps a segment open, and what holds its prune back.
Keeps: a prune takes nothing but jobs that ended, and waits for no other segment.
Above: nobody. Below: tests.rig, awa.store.
"""

import asyncio
from contextlib import suppress

import pytest

from awa.errors import AwaError
from tests.rig import Leader, Rig


async def segments(rig: Rig) -> dict[int, str]:
    """Return the state of each segment that has a number, by number."""
    status = await rig.operator.storage_status()
    return {one["number"]: one["state"] for one in status["segments"] if one["number"]}


# --- Rotate -------------------------------------------------------------------------------------


async def test_a_rotation_is_three_transactions(rig: Rig) -> None:
    leader = await rig.lead()
    store, epoch = leader.store, leader.epoch
    assert await store.rotate(epoch, 1e9, 2**40) is None
    assert await store.rotate(epoch, 0, 2**40) == "opened"
    assert await segments(rig) == {1: "open", 2: "open"}
    assert await store.rotate(epoch, 1e9, 2**40) == "switched"
    assert await segments(rig) == {1: "sealed", 2: "open"}
    assert await store.rotate(epoch, 1e9, 2**40) == "closed"
    assert await segments(rig) == {1: "closed", 2: "open"}
    assert await store.rotate(epoch, 1e9, 2**40) is None


async def test_a_segment_that_is_large_enough_is_left(rig: Rig) -> None:
    leader = await rig.lead()
    assert await leader.store.rotate(leader.epoch, 1e9, 2**40) is None
    assert await leader.store.rotate(leader.epoch, 1e9, 1) == "opened"


async def test_nobody_writes_into_a_segment_whose_opening_was_rolled_back(rig: Rig) -> None:
    leader = await rig.lead()
    conn = leader.conn
    await conn.execute("begin")
    await leader.open_segment()
    await conn.execute("rollback")
    assert await segments(rig) == {1: "open"}
    (job,) = await rig.enqueue()
    assert await (await rig.worker()).claim() == [job]


async def test_a_switch_that_was_rolled_back_has_happened_and_is_made_good(rig: Rig) -> None:
    leader = await rig.lead()
    await leader.open_segment()
    conn = leader.conn
    await conn.execute("begin")
    await leader.switch_segment()
    await conn.execute("rollback")
    (job,) = await rig.enqueue()
    assert await rig.conn.fetchval("select segment from awa.entry") == 1
    assert not await leader.close_segment()
    assert await leader.close_segment()
    assert await segments(rig) == {1: "closed", 2: "open"}
    assert await (await rig.worker()).claim() == [job]


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
async def test_a_producer_in_flight_keeps_its_segment_from_being_closed(
    rig: Rig, isolation: str
) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    producer = await rig.begin(isolation)
    (job,) = await rig.enqueue(conn=producer)
    await leader.open_segment()
    await leader.switch_segment()
    assert not await leader.close_segment()
    assert await leader.prune() is None
    await producer.execute("commit")
    assert await leader.close_segment()
    assert await leader.prune() is None
    assert await worker.claim() == [job]


async def test_a_producer_that_was_stopped_before_its_lock_looks_again(rig: Rig) -> None:
    """One has read which segment is open, is stopped; the leader switches; one goes on."""
    worker, leader = await rig.worker(), await rig.lead()
    closer = await rig.begin()
    await closer.execute("select pg_advisory_xact_lock('awa.segment'::regclass::oid::int, 0)")
    producer = await rig.connect()
    enqueue = asyncio.create_task(rig.enqueue(conn=producer))
    await rig.until_blocked(producer, enqueue)
    await leader.open_segment()
    await leader.switch_segment()
    await closer.execute("commit")
    jobs = await enqueue
    assert await rig.conn.fetchval("select segment from awa.entry") == 1
    assert await worker.claim() == jobs


async def test_a_prepared_producer_keeps_its_segment_from_being_closed(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    producer = await rig.begin()
    (job,) = await rig.enqueue(conn=producer)
    await producer.execute("prepare transaction 'p'")
    await leader.open_segment()
    await leader.switch_segment()
    assert not await leader.close_segment()
    await rig.conn.execute("commit prepared 'p'")
    assert await leader.close_segment()
    assert await worker.claim() == [job]


async def test_segments_are_added_when_all_are_full(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    jobs = []
    for _ in range(14):
        jobs += await rig.enqueue()
        await leader.rotate()
        assert await leader.prune() is None
    status = await rig.operator.storage_status()
    assert len(status["segments"]) == 15
    assert [await worker.claim(1) for _ in range(14)] == [[job] for job in jobs]
    for seq in list(worker.claim_by_seq):
        await worker.end(seq)
    assert await leader.prune_all() == list(range(1, 15))
    assert await rig.states() == {}
    await leader.rotate(2)
    # What was emptied is used again, under a number that none has had.
    assert len((await rig.operator.storage_status())["segments"]) == 15
    assert sorted(await segments(rig)) == [15, 16, 17]


async def test_no_segment_is_named_like_another_one(rig: Rig) -> None:
    """The open segment is told as number * 1000 + segment: there must never be a thousandth."""
    worker, leader = await rig.worker(), await rig.lead()
    await rig.conn.execute(
        "insert into awa.segment (segment) values (999);"
        "update awa.segment set number = -segment, opened_at = now(), sealed_at = now(), "
        "closed_at = now() where number is null"
    )
    # Whatever it says, three times: the producers go on where the cursor finds it.
    for how in ((0.0, 1), (1e9, 2**60), (1e9, 2**60)):
        with suppress(AwaError):
            await leader.store.rotate(leader.epoch, *how)
    (job,) = await rig.enqueue()
    found = await rig.conn.fetch(
        "select s.segment, e.id from awa.open_segment o, awa.segment s, awa.entry e "
        "where s.number = o.last_value / 1000 and s.sealed_at is null"
    )
    written = await rig.conn.fetchval("select segment from awa.entry")
    assert [tuple(row) for row in found] == [(written, job)]
    assert await worker.claim() == [job]


async def test_a_rotation_that_was_stopped_switches_to_nothing_older(rig: Rig) -> None:
    """One has begun, is stopped; its answer is lost, and the leader asks anew; one goes on."""
    leader = await rig.lead()
    other = Leader(await rig.connect(), leader.epoch)
    async with rig.gate(leader.conn, "tracing"):
        # It has seen that its epoch is the present one, and looked at no segment.
        stopped = asyncio.create_task(leader.store.rotate(leader.epoch, 1e9, 2**60))
        await rig.until_blocked(leader.conn, stopped)
        await other.rotate(2)
    assert await stopped is None
    assert await rig.conn.fetchval("select last_value / 1000 from awa.open_segment") == 3
    assert await segments(rig) == {1: "closed", 2: "closed", 3: "open"}


async def test_nobody_else_rotates_while_a_rotation_goes_by_what_it_read(rig: Rig) -> None:
    leader = await rig.lead()
    other = Leader(await rig.connect(), leader.epoch)
    await leader.open_segment()
    async with rig.gate(leader.conn, "open_segment"):
        stopped = asyncio.create_task(leader.store.rotate(leader.epoch, 1e9, 2**60))
        await rig.until_blocked(leader.conn, stopped)
        assert [await other.store.rotate(other.epoch, 0, 2**60) for _ in range(4)] == [None] * 4
    assert await stopped == "switched"
    assert await segments(rig) == {1: "sealed", 2: "open"}


# --- Prune: what is over ------------------------------------------------------------------------


@pytest.mark.story("a-prune")
async def test_pruned_jobs_are_gone_and_nothing_else(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    done, failed, cancelled, retried, later = await rig.enqueue(5)
    seqs = dict(zip((done, failed, cancelled, retried), await worker.take(4), strict=True))
    await worker.end(seqs[done])
    await worker.end(seqs[failed], verdict="fail", error="e")
    await rig.operator.cancel(cancelled)
    await worker.end(seqs[retried], verdict="retry", delay_s=1000)
    await leader.rotate()
    before = await rig.states()
    assert await leader.prune() is None
    assert await worker.claim() == [later]
    assert await leader.prune_all() == [1]
    before[later] = "running"
    del before[done]
    assert await rig.states() == before
    assert set(before) == {failed, cancelled, retried, later}
    (newer,) = await rig.enqueue()
    assert await worker.claim() == [newer]


@pytest.mark.story("carried-to-where-was-open")
async def test_what_a_slow_prune_carries_goes_where_it_had_chosen(rig: Rig) -> None:
    """A prune waits for a reader; the leader, which lost its answer, rotates meanwhile."""
    worker, leader = await rig.worker(), await rig.lead()
    await rig.enqueue()
    (seq,) = await worker.take()
    await leader.rotate()
    reader = await rig.begin()
    await reader.execute("lock table awa.entry_0 in access share mode")
    slow = Leader(await rig.connect(), leader.epoch)
    prune = asyncio.create_task(slow.prune(wait_ms=60_000))
    await rig.until_blocked(slow.conn, prune)
    await leader.open_segment()
    await leader.switch_segment()
    assert not await leader.close_segment()
    await reader.execute("commit")
    assert await prune == 1
    assert await rig.conn.fetchval("select segment from awa.entry") == 1
    assert await leader.close_segment()
    assert await worker.end(seq) == set()


async def test_a_rotation_that_misses_a_prune_makes_a_slot(rig: Rig) -> None:
    leader = await rig.lead()
    await leader.rotate()
    slow = Leader(await rig.begin(), leader.epoch)
    assert await slow.prune() == 1
    await leader.open_segment()
    await slow.conn.execute("commit")
    await leader.switch_segment()
    assert await segments(rig) == {2: "sealed", 3: "open"}


async def test_a_segment_is_kept_for_its_retention(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    (job,) = await rig.enqueue()
    await worker.end(*await worker.take())
    await leader.rotate()
    assert await leader.prune(3600) is None
    await rig.pass_time(3500)
    assert await leader.prune(3600) is None
    assert await rig.states() == {job: "completed"}
    await rig.pass_time(200)
    assert await leader.prune(3600) == 1
    assert await rig.states() == {}


@pytest.mark.parametrize("running", [60, 120])
async def test_many_stragglers_cost_nobody_the_retention(rig: Rig, running: int) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    await rig.conn.execute(
        "select from awa.enqueue_many(array_fill('k'::text, array[$1::int]), "
        "array_fill('1'::text, array[$1::int]), 'q')",
        running + 1,
    )
    done, *stragglers = await worker.take(1000)
    await worker.end(done)
    await leader.rotate()
    assert await leader.prune(3600) is None
    assert await leader.prune(3600) is None
    states = list((await rig.states()).values())
    assert states.count("completed") == 1 and states.count("running") == running
    assert await segments(rig) == {1: "quiet" if running <= 99 else "closed", 2: "open"}
    assert await worker.end(*stragglers) == set()


async def test_what_completed_a_moment_ago_is_shown_for_its_retention(rig: Rig) -> None:
    """A queue that was idle writes its next claim into an old segment, for a job of today."""
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    await rig.enqueue()
    await worker.end(*await worker.take())
    await leader.rotate()
    assert await leader.prune(3600) is None
    await rig.pass_time(3599)
    jobs = await rig.enqueue(2)
    for _ in jobs:
        await worker.end(*await worker.take(1))
    await rig.pass_time(10)
    await leader.prune(3600)
    states = await rig.states()
    assert [states.get(job) for job in jobs] == ["completed", "completed"]


# --- Prune: in any order ------------------------------------------------------------------------


async def test_old_backlog_holds_back_its_own_segment_only(rig: Rig) -> None:
    worker, leader = await rig.worker("q"), await rig.lead()
    slow = await rig.worker("slow")
    old = await rig.enqueue(3, queue="slow")
    for _ in range(4):
        await rig.enqueue()
        await worker.end(*await worker.take())
        await leader.rotate()
    assert await leader.prune_all() == [2, 3, 4]
    assert await slow.claim() == old
    for seq in list(slow.claim_by_seq):
        await slow.end(seq)
    assert await leader.prune_all() == [1]


async def test_a_paused_queue_loses_nothing(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    old = await rig.enqueue(3)
    await rig.operator.pause("q", None)
    await leader.rotate(3)
    assert await leader.prune_all() == [2, 3]
    await rig.operator.unpause("q")
    assert await worker.claim() == old


async def test_backlog_aside_and_in_the_intake_is_backlog(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    strange = await rig.enqueue(kind="strange")
    assert await worker.claim() == []
    unheard = await rig.enqueue(queue="unheard")
    await leader.rotate()
    assert await leader.prune_all() == []
    await leader.sort()
    other = await rig.worker("q", "unheard", kinds=["strange", "k"])
    assert sorted(await other.claim(kinds=["strange", "k"])) == strange + unheard


async def test_a_late_job_in_a_hole_holds_its_segment_back(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    writer = await rig.begin()
    late = await rig.enqueue(conn=writer)
    await rig.enqueue()
    await worker.end(*await worker.take())
    await writer.execute("commit")
    await leader.rotate()
    assert await leader.prune_all() == []
    assert await worker.claim() == late
