"""Holes: numbers that a claim passed over are found when they are filled, and dropped when not.

Owns: each way a number can be drawn and not be seen, one by one.
Keeps: what is committed late is claimed once; what never comes leaves nothing behind.
Above: nobody. Below: tests.rig, awa.store.
"""

import asyncio

import asyncpg
import pytest

from tests.rig import Rig, Worker


async def have_hole(rig: Rig, worker: Worker, n: int = 1) -> tuple[asyncpg.Connection, list[int]]:
    """Have a hole of n numbers born; return its writer's open connection, and the late jobs."""
    writer = await rig.begin()
    late = await rig.enqueue(n, conn=writer)
    seen = await rig.enqueue()
    assert await worker.claim() == seen
    (page,) = await rig.pages()
    assert page["seqs"] is not None
    return writer, late


async def assert_at_rest(rig: Rig, worker: Worker) -> None:
    """Assert that a few looks in vain leave no page, and no lane ahead of its cursor."""
    for _ in range(3):
        assert await worker.claim(settles=True) == []
    assert await rig.pages() == []
    for lane in (await rig.operator.storage_status())["lanes"]:
        assert lane["cursor"] == lane["last"], lane


# --- Ways to end --------------------------------------------------------------------------------


@pytest.mark.story("who-commits-late")
async def test_who_commits_late_is_found_and_claimed_once(rig: Rig) -> None:
    worker = await rig.worker()
    writer, late = await have_hole(rig, worker)
    assert await worker.claim() == []
    await writer.execute("commit")
    newer = await rig.enqueue()
    assert await worker.claim() == late + newer
    await assert_at_rest(rig, worker)


@pytest.mark.story("a-rollback-in-the-middle")
async def test_a_rollback_in_the_middle_is_dropped(rig: Rig) -> None:
    worker = await rig.worker()
    writer, _ = await have_hole(rig, worker)
    await writer.execute("rollback")
    assert await worker.claim() == []
    assert await rig.pages() == []
    await assert_at_rest(rig, worker)


async def test_a_writer_whose_backend_is_gone_is_dropped(rig: Rig) -> None:
    worker = await rig.worker()
    writer, _ = await have_hole(rig, worker)
    await rig.conn.execute("select pg_terminate_backend($1, 5000)", writer.get_server_pid())
    await assert_at_rest(rig, worker)


@pytest.mark.story("a-rollback-at-the-end")
async def test_a_rollback_at_the_end_settles_after_a_look_in_vain(rig: Rig) -> None:
    worker = await rig.worker()
    writer = await rig.begin()
    await rig.enqueue(3, conn=writer)
    await writer.execute("rollback")
    answer = await worker.step()
    assert answer.young == set(worker.queues)
    assert (await rig.operator.queue_stats())[0].available == 0
    await assert_at_rest(rig, worker)
    assert (await worker.step()).young == set()


async def test_an_end_that_was_settled_too_early_is_found_all_the_same(rig: Rig) -> None:
    worker = await rig.worker()
    writer = await rig.begin()
    late = await rig.enqueue(3, conn=writer)
    for _ in range(3):
        assert await worker.claim(settles=True) == []
    newer = await rig.enqueue()
    assert await worker.claim() == newer
    await writer.execute("commit")
    assert await worker.claim() == late
    await assert_at_rest(rig, worker)


async def test_a_rollback_to_a_savepoint_is_dropped_at_the_end_only(rig: Rig) -> None:
    worker = await rig.worker()
    writer = await rig.begin()
    first = await rig.enqueue(conn=writer)
    await writer.execute("savepoint s")
    await rig.enqueue(2, conn=writer)
    await writer.execute("rollback to s")
    second = await rig.enqueue(conn=writer)
    newer = await rig.enqueue()
    assert await worker.claim() == newer
    # The draws of the savepoint are still its transaction's: it holds the lock to its end.
    assert await worker.claim(settles=True) == []
    assert len(await rig.pages()) == 1
    await writer.execute("commit")
    assert await worker.claim() == first + second
    await assert_at_rest(rig, worker)


async def test_a_writer_that_has_only_drawn_in_a_savepoint_is_waited_for(rig: Rig) -> None:
    worker = await rig.worker()
    writer = await rig.begin()
    await writer.execute("savepoint s")
    await rig.enqueue(conn=writer)
    await writer.execute("rollback to s")
    late = await rig.enqueue(conn=writer)
    newer = await rig.enqueue()
    assert await worker.claim() == newer
    for _ in range(3):
        assert await worker.claim(settles=True) == []
    await writer.execute("commit")
    assert await worker.claim() == late


# --- Two-phase commit ---------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [0, 3])
@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_who_prepares_after_the_hole_was_born_is_waited_for(
    rig: Rig, end: str, looks: int
) -> None:
    worker = await rig.worker()
    writer, late = await have_hole(rig, worker)
    await writer.execute("prepare transaction 'p'")
    for _ in range(looks):
        assert await worker.claim(settles=True) == []
        assert len(await rig.pages()) == 1
    await rig.conn.execute(f"{end} prepared 'p'")
    assert await worker.claim() == (late if end == "commit" else [])
    await assert_at_rest(rig, worker)


async def test_who_prepared_before_the_hole_was_born_is_waited_for(rig: Rig) -> None:
    worker = await rig.worker()
    writer = await rig.begin()
    late = await rig.enqueue(conn=writer)
    await writer.execute("prepare transaction 'p'")
    newer = await rig.enqueue()
    assert await worker.claim() == newer
    for _ in range(3):
        assert await worker.claim(settles=True) == []
    await rig.conn.execute("commit prepared 'p'")
    assert await worker.claim() == late
    await assert_at_rest(rig, worker)


async def test_a_prepared_stranger_costs_looks_and_nothing_else(rig: Rig) -> None:
    worker = await rig.worker()
    stranger, others = await have_hole(rig, worker)
    await stranger.execute("prepare transaction 'p'")
    writer, late = await rig.begin(), []
    late += await rig.enqueue(conn=writer)
    newer = await rig.enqueue()
    assert await worker.claim() == newer
    await writer.execute("commit")
    assert await worker.claim() == late
    await rig.conn.execute("commit prepared 'p'")
    assert await worker.claim() == others
    await assert_at_rest(rig, worker)


# --- What it costs, and whom it does not concern ------------------------------------------------


async def test_a_writer_that_stays_open_costs_no_look_and_no_row(rig: Rig) -> None:
    worker = await rig.worker()
    writer, late = await have_hole(rig, worker)
    await worker.claim()
    page, claims = await rig.pages(), await rig.count("claim")
    for _ in range(5):
        assert await worker.claim(settles=True) == []
    assert await rig.pages() == page
    assert await rig.count("claim") == claims
    for _ in range(5):
        newer = await rig.enqueue()
        assert await worker.claim() == newer
    assert await rig.pages() == page
    await writer.execute("commit")
    assert await worker.claim() == late


@pytest.mark.story("a-page-is-split")
async def test_a_page_is_split_when_one_of_its_writers_ends(rig: Rig) -> None:
    worker = await rig.worker()
    one, two = await rig.begin(), await rig.begin()
    first, second = await rig.enqueue(conn=one), await rig.enqueue(conn=two)
    third, newer = await rig.enqueue(conn=one), await rig.enqueue()
    assert await worker.claim() == newer
    await two.execute("commit")
    assert await worker.claim() == second
    (page,) = await rig.pages()
    seqs = await rig.seqs(newer)
    assert {r.lower for r in page["seqs"]} == {seqs[0] - 3, seqs[0] - 1}
    await one.execute("commit")
    assert await worker.claim() == first + third
    await assert_at_rest(rig, worker)


@pytest.mark.parametrize("isolation", ["repeatable read", "read committed"])
async def test_strangers_with_old_snapshots_keep_no_hole_alive(rig: Rig, isolation: str) -> None:
    worker, other = await rig.worker(), await rig.worker("other")
    reader = await rig.begin(isolation)
    await reader.execute("select count(*) from pg_class")
    old_writer = await rig.begin(isolation)
    await rig.enqueue(queue="other", conn=old_writer)
    writer, _ = await have_hole(rig, worker)
    await writer.execute("rollback")
    await assert_at_rest_in(rig, worker)
    await old_writer.execute("commit")
    assert len(await other.claim()) == 1
    await reader.execute("commit")


async def test_who_came_after_a_hole_was_born_keeps_it_not_alive(rig: Rig) -> None:
    worker = await rig.worker()
    writer, _ = await have_hole(rig, worker)
    younger = await rig.begin()
    late = await rig.enqueue(conn=younger)
    newer = await rig.enqueue()
    assert await worker.claim() == newer
    await writer.execute("rollback")
    assert await worker.claim() == []
    # The younger one's own hole is left, and no other.
    (page,) = await rig.pages()
    (seq,) = await rig.seqs(newer)
    assert [(one.lower, one.upper) for one in page["seqs"]] == [(seq - 1, seq)]
    await younger.execute("commit")
    assert await worker.claim() == late
    await assert_at_rest(rig, worker)


async def assert_at_rest_in(rig: Rig, worker: Worker) -> None:
    """Assert that the worker's queue has no page left after a look in vain."""
    for _ in range(2):
        assert await worker.claim(settles=True) == []
    assert await rig.pages() == []


async def test_a_number_that_nobody_drew_for_a_job_is_dropped(rig: Rig) -> None:
    worker = await rig.worker()
    await rig.conn.execute("select nextval(l.sequence) from awa.lane l where l.queue > 0")
    jobs = await rig.enqueue()
    # What a crash skips, or a sequence that was set on by hand.
    await rig.conn.execute(
        "select setval(l.sequence, (l.lane::bigint << 40) + 100) from awa.lane l where l.queue > 0"
    )
    jobs += await rig.enqueue()
    assert await worker.claim() == jobs
    await rig.conn.execute("select nextval(l.sequence) from awa.lane l where l.queue > 0")
    await assert_at_rest(rig, worker)


# --- In a step ----------------------------------------------------------------------------------


@pytest.mark.story("a-step-that-finishes-first")
async def test_a_step_that_finishes_first_loses_no_hole(rig: Rig) -> None:
    worker, other = await rig.worker(), await rig.worker()
    running = await rig.enqueue(2)
    one, two = await worker.take()
    # The step's transaction has its id long before the hole is born.
    await worker.conn.execute("begin")
    assert await worker.end(one) == set()
    writer = await rig.begin()
    late = await rig.enqueue(conn=writer)
    newer = await rig.enqueue()
    answer = await worker.step([worker.finish(two)])
    assert [row["id"] for row in answer.rows] == newer
    await worker.conn.execute("commit")
    assert await other.claim() == []
    await writer.execute("commit")
    assert await other.claim() == late
    states = await rig.states()
    assert [states[job] for job in running] == ["completed", "completed"]


async def test_a_step_that_gives_back_may_claim_that_itself(rig: Rig) -> None:
    worker = await rig.worker()
    (job,) = await rig.enqueue()
    (seq,) = await worker.take()
    answer = await worker.step([worker.finish(seq, "release")])
    assert [row["id"] for row in answer.rows] == [job]
    await assert_at_rest(rig, worker)


async def test_a_claim_that_breaks_off_takes_nothing_with_it(rig: Rig) -> None:
    worker, other = await rig.worker(), await rig.worker()
    writer, late = await have_hole(rig, worker)
    newer = await rig.enqueue()
    await writer.execute("commit")
    await worker.conn.execute("begin")
    assert await worker.claim() == late + newer
    await worker.conn.execute("rollback")
    assert await other.claim() == late + newer


# --- Room and order -----------------------------------------------------------------------------


async def test_late_ones_without_room_wait_for_the_next_claim(rig: Rig) -> None:
    worker = await rig.worker()
    writer, late = await have_hole(rig, worker, n=5)
    await writer.execute("commit")
    newer = await rig.enqueue(2)
    given = [await worker.claim(room=2) for _ in range(4)]
    assert given == [late[:2], late[2:4], [late[4], newer[0]], newer[1:]]
    await assert_at_rest(rig, worker)


async def test_late_ones_without_room_wait_for_no_stranger(rig: Rig) -> None:
    worker = await rig.worker()
    stranger = await rig.begin()
    others = await rig.enqueue(conn=stranger)
    writer, late = await have_hole(rig, worker, n=3)
    await writer.execute("commit")
    assert [await worker.claim(room=1) for _ in range(3)] == [[job] for job in late]
    await stranger.execute("commit")
    assert await worker.claim() == others
    await assert_at_rest(rig, worker)


@pytest.mark.story("late-ones-one-by-one")
async def test_late_ones_of_one_page_come_one_by_one(rig: Rig) -> None:
    worker = await rig.worker()
    writer = await rig.begin()
    late, newer = [], []
    for _ in range(3):
        late += await rig.enqueue(conn=writer)
        newer += await rig.enqueue()
    assert await worker.claim() == newer
    await writer.execute("commit")
    assert [await worker.claim(room=1) for _ in range(3)] == [[job] for job in late]
    await assert_at_rest(rig, worker)


async def test_a_late_job_of_a_strange_kind_goes_to_who_knows_it(rig: Rig) -> None:
    worker, other = await rig.worker(), await rig.worker(kinds=["other"])
    writer = await rig.begin()
    late = await rig.enqueue(kind="other", conn=writer)
    newer = await rig.enqueue()
    assert await worker.claim() == newer
    await writer.execute("commit")
    assert await worker.claim() == []
    assert await other.claim(kinds=["other"]) == late
    await assert_at_rest(rig, worker)


@pytest.mark.story("late-and-cancelled")
async def test_a_late_job_that_was_cancelled_is_not_given_out(rig: Rig) -> None:
    worker = await rig.worker()
    writer, (one, two) = await have_hole(rig, worker, n=2)
    await writer.execute("commit")
    assert await rig.operator.cancel(one)
    assert await worker.claim() == [two]
    assert (await rig.states())[one] == "cancelled"
    await assert_at_rest(rig, worker)


async def test_a_look_soon_is_asked_for_while_a_hole_is_young(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker = await rig.worker()
    writer, late = await have_hole(rig, worker)
    assert (await worker.step()).young == set(worker.queues)
    await rig.pass_time(2)
    assert (await worker.step()).young == set()
    await writer.execute("commit")
    assert await worker.claim() == late


@pytest.mark.story("two-claims-share-the-late")
async def test_two_claims_at_once_share_the_late_ones_without_a_double(rig: Rig) -> None:
    worker, other = await rig.worker(), await rig.worker()
    writer, late = await have_hole(rig, worker, n=4)
    await writer.execute("commit")
    await worker.conn.execute("begin")
    first = await worker.claim(room=3)
    second = asyncio.create_task(other.claim(room=3))
    await rig.until_blocked(other.conn, second)
    await worker.conn.execute("commit")
    assert (first, await second) == (late[:3], late[3:])
