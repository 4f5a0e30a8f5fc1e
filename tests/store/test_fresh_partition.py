"""Fresh partitions: a segment is made and switched to while a transaction, or a step, is under way.

Owns: the meeting of what a backend knows of the logs' partitions with a rotation that adds some.
Keeps: a transaction that stays open can go on enqueueing; no look takes a late job for a hole,
    and no rescue overlooks a claim.
Above: nobody. Below: tests.store.test_rescue, tests.rig, awa.store.
"""

import asyncio

import asyncpg
import pytest

from tests.rig import STALE_S, Leader, Rig, Worker
from tests.store.test_rescue import almost_lose

WAYS = {
    "enqueue": "select id from awa.enqueue('k', '{}', 'q')",
    "scheduled": "select id from awa.enqueue('k', '{}', 'q', run_at => now() + '1 hour')",
    "intake": "select id from awa.enqueue('k', '{}', 'unheard of')",
    "many": "select id from awa.enqueue_many('{k,k}', array['{}', '{}'], 'q')",
}
DRAW = "select nextval(sequence) from awa.lane where queue = $1 and not returning_jobs"
INSERT = """
insert into awa.entry (segment, seq, id, created_at, kind, args)
select $1, $2, nextval('awa.job_id'), now(), 'k', '{}' returning id
"""


async def use_up(rig: Rig, leader: Leader) -> None:
    """Rotate until the next segment needs partitions that do not exist yet."""
    for _ in range(await rig.count("segment") - 1):
        await leader.open_segment()
        # Left sealed: where all are closed a look learns in passing, and the guard is not missed.
        await leader.switch_segment()


async def add_partitions(rig: Rig, leader: Leader) -> None:
    """Have writers go on in a segment that has just been made."""
    before = await rig.count("segment")
    await leader.open_segment()
    await leader.switch_segment()
    assert await rig.count("segment") == before + 1


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
@pytest.mark.parametrize("way", WAYS)
async def test_an_open_transaction_goes_on_enqueueing(rig: Rig, way: str, isolation: str) -> None:
    leader = await rig.lead()
    await use_up(rig, leader)
    writer = await rig.begin(isolation)
    numbers = [row["id"] for _ in range(2) for row in await writer.fetch(WAYS[way])]
    await add_partitions(rig, leader)
    numbers += [row["id"] for _ in range(2) for row in await writer.fetch(WAYS[way])]
    await writer.execute("commit")
    assert sorted(await rig.states()) == numbers


async def test_a_late_job_in_fresh_partitions_is_no_hole(rig: Rig) -> None:
    """A writer has its number; the log grows under a step; the writer writes and commits."""
    worker, leader = await rig.worker("a", "b"), await rig.lead()
    await use_up(rig, leader)
    await warm_up(rig, worker)
    writer = await rig.begin()
    seq = await writer.fetchval(DRAW, worker.queues[1])
    ended = await have_a_hole(rig, "a")
    assert await worker.claim(settles=True) == []
    await ended.execute("rollback")
    await have_a_hole(rig, "a")
    # In queue a it has read all that it ever reads; it has not looked at the pages of b.
    async with rig.gate(worker.conn, "next_claim", f"$1.claim >> 40 = {worker.queues[1]}"):
        step = asyncio.create_task(worker.claim(settles=True))
        await rig.until_blocked(worker.conn, step)
        await add_partitions(rig, leader)
        await writer.execute("set local search_path to awa")
        segment = await writer.fetchval("select writable_segment()")
        late = await writer.fetchval(INSERT, segment, seq)
        await writer.execute("commit")
    given = await step
    for _ in range(3):
        given += await worker.claim(settles=True)
    assert given == [late]


async def test_a_rescue_knows_a_claim_in_fresh_partitions(rig: Rig) -> None:
    """A rescue is stopped between two lost workers; the second makes a last claim in new ones."""
    await rig.have_movable_clock()
    alive = await rig.worker()
    leader = await rig.lead(alive)
    await use_up(rig, leader)
    await lose_two(rig, leader, alive)
    assert len(await leader.store.rescue(leader.epoch, STALE_S, 100)) == 2
    second = await lose_two(rig, leader, alive)
    turner = Leader(await rig.connect(), leader.epoch)
    # To write an event tells a backend of new partitions: it would hide a rescue that does not ask.
    await leader.conn.execute("set awa.trace to 'off'")
    async with rig.gate(leader.conn, "rescue_worker"):
        rescue = asyncio.create_task(leader.store.rescue(leader.epoch, STALE_S, 100))
        await rig.until_blocked(leader.conn, rescue)
        await add_partitions(rig, turner)
        # Each claim lies where the one before said; all but the last end.
        for _ in range(3):
            await second.end(*second.claim_by_seq)
            await rig.enqueue(queue="b")
            assert await second.take()
    await rescue
    await rig.let_die(leader, alive)
    assert "running" not in (await rig.states()).values()


async def lose_two(rig: Rig, leader: Leader, alive: Worker) -> Worker:
    """Have two workers run a job each and say nothing for long; return the second."""
    for queue in ("a", "b"):
        worker = await rig.worker(queue)
        await rig.enqueue(queue=queue)
        await worker.take()
    await almost_lose(rig, leader, alive)
    await rig.pass_time(STALE_S / 3)
    return worker


async def have_a_hole(rig: Rig, queue: str) -> asyncpg.Connection:
    """Draw a number and leave it open; return whose it is."""
    writer = await rig.begin()
    await rig.enqueue(queue=queue, conn=writer)
    return writer


async def warm_up(rig: Rig, worker: Worker) -> None:
    """Have a worker do all that it will: to plan a statement is to learn of the partitions."""
    for _ in range(2):
        late = [await have_a_hole(rig, queue) for queue in ("a", "b")]
        await worker.step(settles=True)
        for writer in late:
            await writer.execute("commit")
        await worker.step(settles=True)
