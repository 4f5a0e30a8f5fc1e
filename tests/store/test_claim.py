"""Claim: never more than asked for, never twice, the most urgent first, whoever else is at work.

Owns: room, pauses, kinds, priorities and ageing, and what two claims at once may do.
Keeps: an entry is in at most one claim; what a claim may not take is neither lost nor read again.
Above: nobody. Below: tests.rig, awa.store.
"""

import asyncio
from itertools import chain

import asyncpg
import pytest

from awa.errors import AwaError, DatabaseError
from tests.rig import Rig

MINUTE = 60.0


@pytest.mark.parametrize("room", [1, 3, 10])
async def test_never_more_than_there_is_room_for(rig: Rig, room: int) -> None:
    worker = await rig.worker()
    jobs = await rig.enqueue(7)
    given = []
    while got := await worker.claim(room):
        assert len(got) <= room
        given += got
    assert given == jobs


async def test_room_is_shared_by_lanes_and_late_ones(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    for priority in (1, 2, 3, 4):
        await rig.conn.execute("select awa.open('q', $1)", priority)
    writer = await rig.begin()
    jobs = await rig.enqueue(2, conn=writer)
    for priority in (4, 2, 1, 3):
        jobs += await rig.enqueue(3, priority=priority)
    given = await worker.claim(5)
    await writer.execute("commit")
    jobs += await rig.enqueue(3)
    answer = await worker.step(room=5)
    assert len(given) == 5 and len(answer.rows) == 5 and answer.more == set(worker.queues)
    given += [row["id"] for row in answer.rows]
    while got := await worker.claim(5):
        assert len(got) <= 5
        given += got
    assert sorted(given) == sorted(jobs)
    assert leader.epoch


async def test_a_paused_queue_gives_nothing_and_loses_nothing(rig: Rig) -> None:
    worker = await rig.worker("q", "other")
    jobs = await rig.enqueue(2)
    others = await rig.enqueue(queue="other")
    await rig.operator.pause("q", "me")
    assert await worker.claim() == others
    jobs += await rig.enqueue()
    answer = await worker.step(asleep=True)
    assert (answer.rows, answer.paused) == ([], {worker.queues[0]})
    await rig.operator.unpause("q")
    assert await worker.claim() == jobs


# --- Kinds --------------------------------------------------------------------------------------


@pytest.mark.story("a-strange-kind-is-diverted")
async def test_a_strange_kind_is_diverted_once_and_found_by_who_knows_it(rig: Rig) -> None:
    worker, other = await rig.worker(), await rig.worker(kinds=["k", "strange"])
    strange = await rig.enqueue(3, kind="strange")
    mine = await rig.enqueue()
    assert await worker.claim() == mine
    assert (await rig.acts()).count("Divert") == 3
    entries = await rig.count("entry")
    for _ in range(3):
        assert await worker.claim() == []
    assert await rig.count("entry") == entries
    assert set((await rig.states()).values()) == {"available", "running"}
    assert await other.claim(kinds=["k", "strange"]) == strange


async def test_a_bounded_number_is_diverted_a_call(rig: Rig) -> None:
    worker = await rig.worker()
    await rig.enqueue(5, kind="strange")
    mine = await rig.enqueue()
    answer = await worker.step(room=2)
    assert answer.rows == [] and answer.more == set(worker.queues)
    assert (await rig.acts()).count("Divert") == 2
    given = [await worker.claim(2) for _ in range(3)]
    assert given == [[], mine, []]


async def test_a_kind_that_is_known_later_joins_its_queue_by_age(rig: Rig) -> None:
    worker = await rig.worker()
    strange = await rig.enqueue(2, kind="strange")
    await worker.claim()
    mine = await rig.enqueue(2)
    other = await rig.worker(kinds=["k", "strange"])
    assert await other.claim(2, kinds=["k", "strange"]) == strange
    assert await other.claim(2, kinds=["k", "strange"]) == mine


async def test_a_strange_kind_keeps_its_priority_and_its_place_among_returns(rig: Rig) -> None:
    worker = await rig.worker()
    other = await rig.worker(kinds=["strange"])
    (job,) = await rig.enqueue(kind="strange", priority=3, tags=["t"])
    assert await (await rig.lead()).sort() == set()
    assert await worker.claim() == []
    shown = await rig.job(job)
    assert (shown["priority"], shown["tags"], shown["state"]) == (3, ["t"], "available")
    (seq,) = await other.take(kinds=["strange"])
    await other.end(seq, verdict="release")
    assert await worker.claim() == []
    assert await other.claim(kinds=["strange"]) == [job]
    assert (await rig.job(job))["run_lease"] == 2


# --- Urgency ------------------------------------------------------------------------------------


async def test_a_smaller_priority_goes_first(rig: Rig) -> None:
    worker = await rig.worker()
    for priority in (1, 2, 3, 4):
        await rig.conn.execute("select awa.open('q', $1)", priority)
    jobs = {priority: await rig.enqueue(2, priority=priority) for priority in (4, 2, 3, 1)}
    given = [await worker.claim(2) for _ in range(4)]
    assert given == [jobs[1], jobs[2], jobs[3], jobs[4]]


@pytest.mark.parametrize(("waited", "first"), [(0.9, 1), (1.1, 1), (1.9, 1), (2.1, 3)])
async def test_who_waits_an_interval_rises_by_one(rig: Rig, waited: float, first: int) -> None:
    await rig.have_movable_clock()
    worker = await rig.worker()
    for priority in (1, 3):
        await rig.conn.execute("select awa.open('q', $1)", priority)
    await rig.enqueue(priority=3)
    await rig.pass_time(MINUTE * waited)
    await rig.enqueue(priority=1)
    answer = await worker.step(room=1)
    # As urgent as the other, it goes first, for it is older.
    assert [row["priority"] for row in answer.rows] == [first]


async def test_ageing_decides_at_the_head_of_the_lane(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker = await rig.worker()
    await rig.conn.execute("select awa.open('q', 3)")
    low = await rig.enqueue(2, priority=3)
    await rig.pass_time(MINUTE / 2)
    high = await rig.enqueue(2)
    # Not a whole interval yet.
    assert await worker.claim(1) == high[:1]
    await rig.pass_time(MINUTE * 3 / 4)
    # Now both are as urgent as two: the older goes first, and all that is older than the other.
    assert await worker.claim(2) == low
    assert await worker.claim(2) == high[1:]


@pytest.mark.parametrize("ageing_ms", [0, 60_000])
async def test_without_ageing_nobody_rises(rig: Rig, ageing_ms: int) -> None:
    await rig.have_movable_clock()
    worker = await rig.worker()
    await rig.conn.execute("select awa.open('q', 4)")
    low = await rig.enqueue(2, priority=4)
    await rig.pass_time(MINUTE * 1000)
    high = await rig.enqueue(2)
    first = await worker.claim(2, ageing_ms=ageing_ms)
    assert first == (low if ageing_ms else high)


@pytest.mark.parametrize("years", [1, 250])
async def test_an_entry_that_waited_for_years_breaks_nothing(rig: Rig, years: int) -> None:
    await rig.have_movable_clock()
    worker = await rig.worker()
    await rig.conn.execute("select awa.open('q', 4)")
    old = await rig.enqueue(priority=4)
    await rig.pass_time(years * 365 * 24 * 60 * MINUTE)
    newer = await rig.enqueue()
    assert [await worker.claim(1, ageing_ms=1) for _ in range(2)] == [old, newer]


async def test_what_comes_back_goes_before_what_came_later(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    returning = await rig.enqueue(3)
    seqs = await worker.take(3)
    await rig.enqueue(5)
    await worker.end(seqs[0], verdict="release")
    await worker.end(seqs[1], verdict="retry", delay_s=0)
    await worker.end(seqs[2], verdict="snooze", delay_s=0)
    await rig.enqueue(5)
    assert await leader.promote() == 2
    assert sorted(await worker.claim(3)) == returning


async def test_a_scheduled_job_is_judged_by_when_it_was_due(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    await rig.conn.execute("select awa.open('q', 3)")
    at = await rig.conn.fetchval("select awa.clock() + interval '100 s'")
    low = await rig.enqueue(priority=3, run_at=at)
    await rig.pass_time(110)
    high = await rig.enqueue()
    assert await leader.promote() == 1
    # By its creation it would be as urgent as two and older; it is due since ten seconds.
    assert [await worker.claim(1) for _ in range(2)] == [high, low]


@pytest.mark.story("a-lane-over-two-segments")
async def test_the_order_of_a_lane_holds_over_two_segments(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    await rig.pass_time(5)
    back = await rig.enqueue()
    (seq,) = await worker.take()
    await rig.pass_time(-5)
    first = await rig.enqueue()
    await rig.pass_time(10)
    second = await rig.enqueue()
    await leader.rotate()
    # By its time it is older than all others, yet it came behind them in the lane.
    await rig.pass_time(-110)
    third = await rig.enqueue()
    await rig.pass_time(200)
    await worker.end(seq, verdict="release")
    given = [sorted(await worker.claim(2)) for _ in range(2)]
    assert given == [sorted(first + back), second + third]


# --- Two at once --------------------------------------------------------------------------------


async def test_two_workers_are_never_given_the_same_entry(rig: Rig) -> None:
    workers = [await rig.worker() for _ in range(4)]
    jobs = await rig.enqueue(60)

    async def work(n: int) -> list[int]:
        given: list[int] = []
        while got := await workers[n].claim(1 + n):
            given += got
        return given

    given = await asyncio.gather(*(work(n) for n in range(4)))
    assert sorted(chain.from_iterable(given)) == jobs


async def test_who_also_finished_is_told_busy_and_does_not_wait(rig: Rig) -> None:
    worker, other = await rig.worker(), await rig.worker()
    await rig.enqueue(2)
    (seq,) = await worker.take(1)
    await other.conn.execute("begin")
    assert len(await other.claim()) == 1
    answer = await worker.step([worker.finish(seq)])
    assert answer.busy == set(worker.queues) and answer.rows == []
    # The finish is written whatever came of the claim.
    assert list((await rig.states()).values()).count("completed") == 1
    waits = asyncio.create_task(worker.claim())
    await rig.until_blocked(worker.conn, waits)
    await other.conn.execute("rollback")
    assert len(await waits) == 1


async def test_a_users_own_advisory_locks_stop_no_claim(rig: Rig) -> None:
    worker = await rig.worker()
    user = await rig.begin()
    await user.execute("select pg_advisory_lock(n) from generate_series(-10, 10) n")
    await user.execute(
        "select pg_advisory_lock(n, q.queue) from generate_series(0, 10) n, awa.queue q"
    )
    jobs = await rig.enqueue()
    assert await worker.claim() == jobs
    await user.execute("select pg_advisory_unlock_all()")


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
async def test_a_claim_with_an_old_snapshot_is_refused(rig: Rig, isolation: str) -> None:
    worker, other = await rig.worker(), await rig.worker()
    jobs = await rig.enqueue()
    await worker.conn.execute(f"begin isolation level {isolation}")
    with pytest.raises(DatabaseError) as caught:
        await worker.claim()
    assert isinstance(caught.value.__cause__, asyncpg.PostgresError)
    assert caught.value.__cause__.sqlstate == "25001"
    assert await other.claim() == jobs


async def test_a_setting_of_the_role_does_not_make_old_snapshots_pass(rig: Rig) -> None:
    worker = await rig.worker()
    await worker.conn.execute("set default_transaction_isolation to 'serializable'")
    with pytest.raises(DatabaseError):
        await worker.claim()


async def test_two_claims_of_one_number_meet_in_the_key(rig: Rig) -> None:
    """The lock is passed by: one row by hand follows the same claim as another's."""
    worker = await rig.worker()
    jobs = await rig.enqueue(2)
    bypass = await rig.begin()
    await bypass.execute("set local search_path to awa")
    await bypass.execute(
        "insert into claim select (next_claim(newest(q.queue), $1, false, 0)).* from queue q "
        "where q.name = 'q'",
        worker.worker,
    )
    claim = asyncio.create_task(worker.claim())
    await rig.until_blocked(worker.conn, claim)
    await bypass.execute("commit")
    with pytest.raises(AwaError, match="claim_0_for_claim"):
        await claim
    assert await worker.claim() == jobs


async def test_the_key_holds_over_a_rotation(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    jobs = await rig.enqueue(2)
    bypass = await rig.begin()
    await bypass.execute("set local search_path to awa")
    await bypass.execute(
        "insert into claim select (next_claim(newest(q.queue), $1, false, 0)).* from queue q "
        "where q.name = 'q'",
        worker.worker,
    )
    await leader.open_segment()
    await leader.switch_segment()
    # The other believes in another open segment, and yet writes where the first one did.
    claim = asyncio.create_task(worker.claim())
    await rig.until_blocked(worker.conn, claim)
    await bypass.execute("commit")
    with pytest.raises(AwaError, match="claim_0_for_claim"):
        await claim
    assert await worker.claim() == jobs


async def test_a_sequence_that_was_set_back_is_told_and_nothing_is_given(rig: Rig) -> None:
    worker = await rig.worker("q", "other")
    await rig.enqueue(3)
    await worker.claim()
    await rig.conn.execute(
        "select setval(l.sequence, (l.lane::bigint << 40) + 1) from awa.lane l "
        "join awa.queue q on q.queue = l.queue where q.name = 'q' and not l.returning_jobs"
    )
    others = await rig.enqueue(queue="other")
    answer = await worker.step()
    assert answer.behind == {worker.queues[0]}
    assert [row["id"] for row in answer.rows] == others


# --- The answer ---------------------------------------------------------------------------------


async def test_a_job_is_given_with_all_that_was_stored(rig: Rig) -> None:
    worker = await rig.worker()
    (job,) = await rig.enqueue(
        args='{"a":  [1, 2.50]}', tags=["t"], metadata='{"m": 1}', max_attempts=7
    )
    answer = await worker.step(deadline_s=60)
    (row,) = answer.rows
    assert (row["id"], row["args"], row["kind"], row["priority"]) == (
        job,
        '{"a":  [1, 2.50]}',
        "k",
        2,
    )
    assert answer.deadline_by_claim.keys() == {row["claim"]}
    shown = await rig.job(job)
    assert shown["deadline_at"] == answer.deadline_by_claim[row["claim"]]
    assert (shown["attempt"], shown["run_lease"], shown["worker"]) == (1, 1, worker.worker)
    assert shown["max_attempts"] == 7 and shown["metadata"] == {"m": 1}


@pytest.mark.story("a-sleeper")
async def test_a_sleeper_is_named_once_and_forgotten_when_it_is_up(rig: Rig) -> None:
    worker, other = await rig.worker(), await rig.worker()
    for _ in range(3):
        await worker.step(asleep=True)
        await other.step(asleep=True)
    assert (await rig.newest())["sleepers"] == [worker.worker, other.worker]
    claims = await rig.count("claim")
    await worker.step(asleep=True)
    assert await rig.count("claim") == claims
    await worker.step(asleep=False)
    assert (await rig.newest())["sleepers"] == [other.worker]
