"""Every deed at least once: a story in which each verb changes what it can change.

Owns: the deeds, in an order in which each finds something to do.
Keeps: nothing is written by hand: each deed is a verb's.
Above: test_audit, test_lies. Below: tests.rig, awa.store.
"""

from awa.options import InsertOptions
from awa.store.leader import LeaderStore
from awa.store.producer import NewJob, ProducerStore
from tests.rig import STALE_S, Leader, Rig, Worker

__all__ = ["do_all"]

DAY_S = 86_400


async def do_all(rig: Rig) -> None:
    """Do everything that there is to do."""
    await rig.have_movable_clock()
    worker = await rig.worker("q", "other")
    leader = await rig.lead(worker)
    await come_in(rig, worker)
    await end_in_each_way(rig, worker)
    await sweep(rig, worker, leader)
    await operate(rig, worker, leader)
    await carry_all(rig, worker, leader)
    await carry_a_cursor(rig, leader)
    await leave(rig, worker, leader)


async def come_in(rig: Rig, worker: Worker) -> None:
    """Enqueue in each way, and roll some of it back; claim, with a hole that is filled later."""
    at = await rig.conn.fetchval("select awa.clock()")
    await rig.conn.execute("select from awa.enqueue_many('{k,k,k}', '{1,2,3}', 'q')")
    await rig.conn.execute("select from awa.enqueue_many('{k}', '{1}', 'q', run_at => $1)", at)
    for options in (InsertOptions(queue="q"), InsertOptions(queue="q", run_at=at)):
        async with rig.conn.transaction():
            await ProducerStore(rig.conn).copy([NewJob("k", "{}")] * 2, options, wake=False)
    lost, late = await rig.begin(), await rig.begin()
    await rig.enqueue(2, conn=lost)
    await rig.enqueue(conn=late)
    await rig.enqueue(2, args='{"text": "{\\"quoted\\", plain}"}')
    await rig.enqueue(kind='strange, \\ and "quoted"')
    await worker.end(*await worker.take())
    await lost.execute("rollback")
    await late.execute("commit")
    await worker.end(*await worker.take(settles=True))
    await worker.step(asleep=True)


async def end_in_each_way(rig: Rig, worker: Worker) -> None:
    """End attempts with each verdict, the last one of a job too; and some that are over."""
    await rig.enqueue(5)
    await rig.enqueue(max_attempts=1)
    seqs = await worker.take()
    verdicts = ("retry", "snooze", "fail", "cancel", "release", "retry")
    for seq, verdict in zip(seqs, verdicts, strict=True):
        await worker.end(seq, verdict=verdict, delay_s=1, error="it was so", reason="it was asked")
    assert await worker.end(*seqs) == set(seqs)
    (seq,) = await worker.take()
    await worker.end(seq)


async def sweep(rig: Rig, worker: Worker, leader: Leader) -> None:
    """Promote, sort, expire and rescue."""
    await rig.enqueue(queue="unheard")
    await rig.pass_time(2)
    assert await leader.promote()
    await leader.sort()
    await worker.end(*await worker.take(20))
    dead = await rig.worker()
    await rig.enqueue(3)
    await rig.enqueue(max_attempts=1)
    await worker.take(1, deadline_s=1)
    await dead.take(2)
    await dead.step(room=1, asleep=True)
    await rig.pass_time(STALE_S / 2)
    assert await leader.store.expire(leader.epoch, 1, 10)
    assert await rig.let_die(leader, worker)
    assert await dead.store.retire(dead.worker)
    await leader.store.tally(leader.epoch)


async def operate(rig: Rig, worker: Worker, leader: Leader) -> None:
    """Do what people do, and see that retention ends."""
    held = [job for job, state in (await rig.states()).items() if state == "failed"]
    assert await rig.operator.redrive(held[0])
    assert await rig.operator.redrive_failed("k", None)
    await worker.end(*await worker.take(1), verdict="fail")
    assert await rig.operator.discard_failed("k")
    at = await rig.conn.fetchval("select awa.clock() + interval '1 hour'")
    waiting, running, deferred = *await rig.enqueue(2), *await rig.enqueue(run_at=at)
    await rig.operator.pause("q", "somebody")
    await rig.operator.cancel(waiting)
    await rig.operator.unpause("q")
    await worker.take(20)
    await rig.operator.cancel(running)
    await rig.operator.cancel(deferred)
    await rig.enqueue(2, priority=1)
    assert await rig.operator.drain("q")
    await worker.end(*await worker.store.open_entries(worker.worker))
    await rig.pass_time(60)
    assert await leader.store.purge(leader.epoch, 1, 1, 100)


async def carry_all(rig: Rig, worker: Worker, leader: Leader) -> None:
    """Have all that lives carried: an entry, its claim and part, what is deferred, and a page."""
    await leader.rotate()
    for _ in range(2):
        # The first claim of each queue lies where the last one says; the second in the new segment.
        await rig.enqueue()
        await rig.enqueue(queue="other")
        await worker.end(*await worker.take(20))
    at = await rig.conn.fetchval("select awa.clock() + interval '9 hours'")
    await rig.enqueue(run_at=at)
    await rig.enqueue(3)
    running, *rest = await worker.take(20)
    await worker.end(*rest)
    await leader.open_segment()
    await leader.switch_segment()
    # The writer writes into the next segment; the page lies where the claim does, in this one.
    writer = await rig.begin()
    await rig.enqueue(conn=writer, queue="other")
    await rig.enqueue(queue="other")
    await worker.end(*await worker.take(1))
    assert await leader.close_segment()
    assert await leader.prune_all()
    # Its successor lies in the next one, and the page comes along.
    for _ in range(2):
        await rig.enqueue(queue="other")
        await worker.end(*await worker.take(1))
    await writer.execute("commit")
    await worker.end(running, *await worker.take())


async def carry_a_cursor(rig: Rig, leader: Leader) -> None:
    """Prune the segment that the next claim of a queue is to go to."""
    worker = await rig.worker("third")
    writer = await rig.begin()
    await rig.enqueue(conn=writer)
    await rig.enqueue(queue="third")
    await leader.open_segment()
    await leader.switch_segment()
    await worker.end(*await worker.take())
    await leader.open_segment()
    await leader.switch_segment()
    newest = (await rig.newest("third"))["claim"]
    assert await leader.close_segment()
    assert await leader.prune_all()
    assert (await rig.newest("third"))["claim"] == newest + 1
    await writer.execute("rollback")
    # More than there are partitions for.
    await leader.rotate(4)


async def leave(rig: Rig, worker: Worker, leader: Leader) -> None:
    """Resign, be elected anew, retire, and be forgotten."""
    await leader.store.resign(leader.epoch)
    last = await rig.worker()
    epoch = await LeaderStore(rig.conn).elect(last.worker, STALE_S)
    assert epoch == leader.epoch + 1
    assert await worker.store.retire(worker.worker)
    await rig.pass_time(DAY_S)
    leader.epoch = epoch
    await leader.store.tally(epoch)
    await leader.store.purge(epoch, 1, 1, 100)
