"""Leader: one at a time, harmless when there are two, and what it promotes and sorts is not lost.

Owns: elections, epochs, promotion of what is due, the intake, and retention of what is held.
Keeps: whoever was deposed changes nothing; nothing due is forgotten, whoever commits late.
Above: nobody. Below: tests.rig, awa.store.
"""

import asyncio
from typing import Any

import asyncpg
import pytest

from awa.errors import DatabaseError
from awa.store.leader import LeaderStore, is_deposed
from awa.store.worker import WorkerStore
from tests.rig import KIND, Leader, Rig

CALLS: dict[str, tuple[Any, ...]] = {
    "promote": (None, 10),
    "rescue": (30.0, 10),
    "expire": (5.0, 10),
    "rotate": (0.0, 1),
    "prune": (0.0, 100),
    "tally": (),
    "purge": (1.0, 1.0, 10),
    "resign": (),
}


async def test_one_leads_and_the_others_follow(rig: Rig) -> None:
    one, two = await rig.worker(), await rig.worker()
    leader = await rig.lead(one)
    store = LeaderStore(rig.conn)
    assert await store.elect(two.worker, 30) is None
    assert await store.elect(one.worker, 30) == leader.epoch


async def test_a_lease_that_ran_out_goes_to_another_in_a_greater_epoch(rig: Rig) -> None:
    await rig.have_movable_clock()
    one, two = await rig.worker(), await rig.worker()
    leader, store = await rig.lead(one), LeaderStore(rig.conn)
    await rig.pass_time(29)
    assert await store.elect(two.worker, 30) is None
    await rig.pass_time(2)
    assert await store.elect(two.worker, 30) == leader.epoch + 1
    assert await store.elect(one.worker, 30) is None


@pytest.mark.parametrize("verb", CALLS)
async def test_who_was_deposed_is_refused(rig: Rig, verb: str) -> None:
    one, two = await rig.worker(), await rig.worker()
    leader = await rig.lead(one)
    await leader.store.resign(leader.epoch)
    await rig.lead(two)
    with pytest.raises(DatabaseError) as caught:
        await getattr(leader.store, verb)(leader.epoch, *CALLS[verb])
    assert is_deposed(caught.value)


async def test_an_error_of_a_sweep_is_not_the_end_of_its_epoch(rig: Rig) -> None:
    worker = await rig.worker()
    leader = await rig.lead(worker)
    await leader.conn.execute("begin isolation level repeatable read")
    with pytest.raises(DatabaseError) as caught:
        await leader.store.tally(leader.epoch)
    assert not is_deposed(caught.value)
    await leader.conn.execute("rollback")
    assert await leader.store.elect(worker.worker, 30) == leader.epoch


async def test_the_leader_is_followed_at_once_when_it_resigns_or_is_lost(rig: Rig) -> None:
    one, two, three = await rig.worker(), await rig.worker(), await rig.worker()
    leader = await rig.lead(one)
    await leader.store.resign(leader.epoch)
    second = await rig.lead(two)
    assert await two.store.retire(two.worker)
    assert (await rig.lead(three)).epoch == second.epoch + 1 == leader.epoch + 2


async def test_nobody_is_elected_while_a_sweep_of_the_leader_is_at_work(rig: Rig) -> None:
    await rig.have_movable_clock()
    one, two = await rig.worker(), await rig.worker()
    leader = await rig.lead(one)
    await leader.conn.execute("begin")
    await leader.store.tally(leader.epoch)
    await rig.pass_time(100)
    elect = asyncio.create_task(LeaderStore(rig.conn).elect(two.worker, 30))
    await rig.until_blocked(rig.conn, elect)
    await leader.conn.execute("commit")
    assert await elect == leader.epoch + 1


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_who_waited_for_an_election_deposes_nobody(rig: Rig, end: str) -> None:
    """Two have seen that the lease ran out; one is elected while the other waits."""
    await rig.have_movable_clock()
    one, two, three = [await rig.worker() for _ in range(3)]
    leader, first = await rig.lead(one), await rig.begin()
    await rig.pass_time(100)
    assert await LeaderStore(first).elect(two.worker, 30) == leader.epoch + 1
    elect = asyncio.create_task(LeaderStore(rig.conn).elect(three.worker, 30))
    await rig.until_blocked(rig.conn, elect)
    await first.execute(end)
    assert await elect == (None if end == "commit" else leader.epoch + 1)


async def test_a_long_sweep_delays_neither_the_lease_nor_a_short_sweep(rig: Rig) -> None:
    worker = await rig.worker()
    leader = await rig.lead(worker)
    await leader.conn.execute("begin")
    await leader.store.tally(leader.epoch)
    # The leader stays the leader while one of its sweeps takes its time.
    renewal = await rig.begin()
    assert await LeaderStore(renewal).elect(worker.worker, 30) == leader.epoch
    await renewal.execute("commit")
    short = await rig.begin()
    assert (await LeaderStore(short).promote(leader.epoch, None, 10)).count == 0


async def test_a_leader_that_waits_for_its_own_rescue_stays_the_leader(rig: Rig) -> None:
    """The rescue has the leader's row, and takes longer than the lease lasts."""
    await rig.have_movable_clock()
    worker, renewal = await rig.worker(), await rig.connect()
    leader = await rig.lead(worker)
    await leader.conn.execute("begin")
    await leader.store.rescue(leader.epoch, 30, 10)
    renew = asyncio.create_task(LeaderStore(renewal).elect(worker.worker, 30))
    await rig.until_blocked(renewal, renew)
    await rig.pass_time(100)
    await leader.conn.execute("commit")
    assert await renew == leader.epoch
    other = await rig.worker()
    assert await LeaderStore(renewal).elect(other.worker, 30) is None


# --- Promotion ----------------------------------------------------------------------------------


async def due_in(rig: Rig, seconds: float, **how: Any) -> int:
    """Enqueue a job that is due in so many seconds."""
    at = await rig.conn.fetchval("select awa.clock() + $1 * interval '1 s'", seconds)
    return (await rig.enqueue(run_at=at, **how))[0]


class Promoter:
    """Promotes as the sweep does: each call says up to when the last one left nothing behind."""

    def __init__(self, leader: Leader) -> None:
        self.leader = leader
        self.clean_to: Any = None

    async def __call__(self, n: int = 100) -> int:
        done = await self.leader.store.promote(self.leader.epoch, self.clean_to, n)
        self.clean_to = done.clean_to
        return done.count


async def test_what_is_due_is_promoted_once_in_its_order(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, promote = await rig.worker(), Promoter(await rig.lead())
    jobs = [await due_in(rig, seconds) for seconds in (3, 1, 2, 50)]
    assert await promote() == 0
    await rig.pass_time(10)
    assert [await promote(2), await promote(2), await promote(2)] == [2, 1, 0]
    assert await worker.claim() == [jobs[1], jobs[2], jobs[0]]
    assert (await rig.states())[jobs[3]] == "scheduled"


async def test_who_commits_a_deferred_job_late_is_not_forgotten(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, promote = await rig.worker(), Promoter(await rig.lead())
    writer = await rig.begin()
    at = await rig.conn.fetchval("select awa.clock()")
    late = await rig.enqueue(run_at=at, conn=writer)
    for _ in range(4):
        await rig.pass_time(10)
        assert await promote() == 0
    await writer.execute("commit")
    assert await promote() == 1
    assert await worker.claim() == late


async def test_what_came_due_during_a_pause_is_promoted_after_it(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, promote = await rig.worker(), Promoter(await rig.lead())
    job = await due_in(rig, 1)
    await rig.operator.pause("q", None)
    for _ in range(4):
        await rig.pass_time(10)
        assert await promote() == 0
    await rig.operator.unpause("q")
    assert await promote() == 1
    assert await worker.claim() == [job]


@pytest.mark.parametrize("back_s", [0.5, 30])
async def test_a_clock_that_is_put_back_hides_nothing_for_long(rig: Rig, back_s: float) -> None:
    await rig.have_movable_clock()
    worker, promote = await rig.worker(), Promoter(await rig.lead())
    await rig.pass_time(100)
    assert await promote() == 0
    await rig.pass_time(-back_s)
    job = await due_in(rig, 0)
    await rig.pass_time(0.6)
    assert await promote() == 1
    assert await worker.claim() == [job]


async def test_a_cancel_and_a_promotion_exclude_each_other(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    job = await due_in(rig, 0)
    await leader.conn.execute("begin")
    assert await leader.promote() == 1
    cancel = asyncio.create_task(rig.operator.cancel(job))
    await rig.until_blocked(rig.conn, cancel)
    await leader.conn.execute("commit")
    # It is elsewhere by now, and is cancelled there.
    assert await cancel
    assert await rig.states() == {job: "cancelled"}
    assert await worker.claim() == []


async def test_a_promotion_waits_for_a_cancel_and_leaves_its_job(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    job, other = await due_in(rig, 0), await due_in(rig, 0)
    await rig.conn.execute("begin")
    assert await rig.operator.cancel(job)
    promote = asyncio.create_task(leader.promote())
    await rig.until_blocked(leader.conn, promote)
    await rig.conn.execute("commit")
    await promote
    assert await rig.states() == {job: "cancelled", other: "available"}
    assert await worker.claim() == [other]


async def test_two_promotions_at_once_make_one_entry_of_a_job(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    jobs = [await due_in(rig, 0) for _ in range(3)]
    other = Leader(await rig.connect(), leader.epoch)
    await leader.conn.execute("begin")
    await leader.promote()
    second = asyncio.create_task(other.promote())
    await rig.until_blocked(other.conn, second)
    await leader.conn.execute("commit")
    await second
    assert await worker.claim() == jobs
    assert await rig.count("entry") == 3


# --- The intake, and what is held ---------------------------------------------------------------


async def test_the_intake_is_sorted_in_portions_and_in_order(rig: Rig) -> None:
    leader = await rig.lead()
    jobs = await rig.enqueue(5, queue="unheard")
    assert await leader.sort(2) == {"more"}
    while "more" in await leader.sort(2):
        pass
    worker = await rig.worker("unheard")
    assert await worker.claim() == jobs


async def test_a_sort_and_a_registration_of_the_same_queues_wait_in_no_ring(rig: Rig) -> None:
    """One opens b and then a, as the jobs came; the other a and then b, as their names are."""
    leader = await rig.lead()
    await rig.enqueue(queue="b")
    await rig.enqueue(queue="a")
    conn = await rig.connect()
    async with rig.gate(leader.conn, "open_lane"):
        sort = asyncio.create_task(leader.sort())
        await rig.until_blocked(leader.conn, sort)
        register = asyncio.create_task(WorkerStore(conn).register("test", ["a", "b"], [KIND]))
        await rig.until_blocked(conn, register)
    # An error, if there is one, comes after the server's deadlock_timeout.
    done = await asyncio.gather(sort, register, return_exceptions=True)
    assert [one for one in done if isinstance(one, BaseException)] == []


async def test_held_jobs_go_after_their_retention(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    failed, cancelled = await rig.enqueue(2)
    await worker.end(*(await worker.take(1)), verdict="fail")
    await rig.operator.cancel(cancelled)
    await rig.pass_time(100)
    assert await leader.store.purge(leader.epoch, 50, 500, 10) == 1
    assert await rig.states() == {failed: "failed"}
    await rig.pass_time(500)
    assert await leader.store.purge(leader.epoch, 50, 500, 10) == 1
    assert await rig.states() == {}


async def test_completions_are_counted_once_over_a_tally(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    for n in range(1, 4):
        await rig.enqueue()
        await worker.end(*await worker.take())
        await rig.pass_time(20)
        await leader.store.tally(leader.epoch)
        (stat,) = await rig.operator.queue_stats()
        assert stat.completed_last_hour == n
    assert await rig.conn.fetchval("select sum(completed) from awa.tally") == 3
    with pytest.raises(asyncpg.PostgresError):
        await rig.conn.execute("insert into awa.leader default values")


PLANS = ("hashjoin", "mergejoin", "hashagg", "sort", "material", "memoize", "indexscan")


async def test_a_purge_takes_no_more_than_its_portion(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    await rig.enqueue(6)
    await worker.end(*await worker.take(6), verdict="fail", error="no")
    await rig.pass_time(10)
    # Where rows are few, the planner may go through them all for each that is to be chosen.
    await leader.conn.execute("; ".join(f"set enable_{how} to off" for how in PLANS))
    for left in (4, 2, 0):
        assert await leader.store.purge(leader.epoch, 1, 1, 2) == 2
        assert await rig.count("held") == left
