"""Holes over a rotation: what is late, unread or passed over is found in whatever segment it lies.

Owns: the meeting of a claim with a rotation, a close and a prune, between any two statements.
Keeps: nothing that was committed is forgotten because a segment was sealed, closed or truncated.
Above: nobody. Below: tests.rig, awa.store.
"""

import asyncio

import pytest

from tests.rig import Rig, Worker


@pytest.mark.parametrize("times", [1, 3])
async def test_a_late_job_is_found_in_its_old_segment(rig: Rig, times: int) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    writer = await rig.begin()
    late = await rig.enqueue(conn=writer)
    seen = await rig.enqueue()
    assert await worker.claim() == seen
    for _ in range(times):
        await leader.open_segment()
        await leader.switch_segment()
        seen = await rig.enqueue()
        assert await worker.claim() == seen
    await writer.execute("commit")
    assert await worker.claim() == late


async def test_idle_looks_after_a_rotation_change_nothing(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    writer = await rig.begin()
    late = await rig.enqueue(conn=writer)
    seen = await rig.enqueue()
    assert await worker.claim() == seen
    await leader.open_segment()
    await leader.switch_segment()
    # The claim after the next will lie in the fresh segment, and its pages with it.
    seen = await rig.enqueue()
    assert await worker.claim() == seen
    for _ in range(4):
        assert await worker.claim(settles=True) == []
    seen = await rig.enqueue()
    assert await worker.claim() == seen
    for _ in range(4):
        assert await worker.claim() == []
    await writer.execute("commit")
    assert await worker.claim() == late


async def test_pages_follow_the_cursor_from_segment_to_segment(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    writer = await rig.begin()
    late = await rig.enqueue(conn=writer)
    for _ in range(4):
        seen = await rig.enqueue()
        assert await worker.claim() == seen
        await leader.open_segment()
        await leader.switch_segment()
        newest = await rig.newest()
        assert {page["segment"] for page in await rig.pages()} == {newest["segment"]}
    await writer.execute("commit")
    assert await worker.claim() == late
    assert await rig.pages() == []


@pytest.mark.parametrize("room", [0, 1])
async def test_a_claim_without_room_does_not_pass_over_a_closed_segment(
    rig: Rig, room: int
) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    writer = await rig.begin()
    jobs = await rig.enqueue(conn=writer)
    jobs += await rig.enqueue(4)
    given = await worker.claim(room=1)
    await writer.execute("commit")
    await leader.rotate()
    # The late one takes all the room there is; what waits in the closed segment is not looked at.
    given += await claim_for_sleep(worker, room)
    for _ in range(4):
        given += await worker.claim()
    assert sorted(given) == jobs


async def claim_for_sleep(worker: Worker, room: int) -> list[int]:
    """Claim with so little room as the store's door would not ask for."""
    rows = await worker.conn.fetch(
        "select * from awa.step($1, '{}', '{}', '{}', null, $2, array[$3::int], '{k}', '{0}', "
        "'{0}', '{t}', '{f}') where note is null",
        worker.worker,
        worker.queues,
        room,
    )
    return [row["id"] for row in rows]


async def test_a_segment_that_is_closed_while_a_claim_reads_it_is_read_again(rig: Rig) -> None:
    """One reads the segment, is stopped; another commits into it; the leader closes it."""
    worker, leader = await rig.worker(), await rig.lead()
    writer = await rig.begin()
    late = await rig.enqueue(conn=writer)
    await leader.open_segment()
    await leader.switch_segment()
    newer = await rig.enqueue()
    async with rig.gate(worker.conn, "tracing"):
        # The read of the old segment has its snapshot when it asks whether it is traced.
        claim = asyncio.create_task(worker.claim())
        await rig.until_blocked(worker.conn, claim)
        await writer.execute("commit")
        assert await leader.close_segment()
    given = await claim
    for _ in range(3):
        given += await worker.claim(settles=True)
    assert sorted(given) == late + newer


async def test_what_comes_after_a_claim_has_read_how_far_the_lane_goes_is_not_left_behind(
    rig: Rig,
) -> None:
    """One has read the lane's last number, is stopped; more is committed; the segment is closed."""
    worker, leader = await rig.worker(), await rig.lead()
    jobs = await rig.enqueue(2)
    async with rig.gate(worker.conn, "clock"):
        # The clock is read for the claim's row, before its segment is locked.
        claim = asyncio.create_task(worker.claim())
        await rig.until_blocked(worker.conn, claim)
        jobs += await rig.enqueue(3)
        await leader.rotate()
    given = await claim
    for _ in range(3):
        given += await worker.claim(settles=True)
    assert given == jobs
    assert (await rig.newest())["reads_from"] == [2]


READ_LANE = """
select (r.t).reads_from from lane l cross join pg_sequence_last_value(l.sequence) n
cross join read_lane((l.lane, l.priority, l.sequence, n, n, 1, null, '{}')::turn, 10, null, '{k}') r
where l.lane = $1
"""


async def test_a_slot_that_is_a_younger_segments_by_now_moves_no_lane_past_an_older_one(
    rig: Rig,
) -> None:
    """One knows in which slots to look, is stopped; the first is emptied, and used once more.

    A claim has the tables locked by then; this is the rule by itself.
    """
    worker, leader = await rig.worker(), await rig.lead()
    await rig.enqueue()
    (seq,) = await worker.take()
    await worker.end(seq)
    await leader.rotate()
    reader = await rig.connect()
    await reader.execute("set search_path to awa")
    async with rig.gate(reader, "slots_from"):
        read = asyncio.create_task(reader.fetchval(READ_LANE, seq >> 40))
        await rig.until_blocked(reader, read)
        assert await leader.prune() == 1
        jobs = await rig.enqueue()
        await leader.rotate(2)
    # Its first slot is the third segment, which is closed, and holds nothing of the lane.
    assert await read == 1
    assert await worker.claim() == jobs


async def test_a_prune_gives_way_to_a_claim_that_knows_where_to_look(rig: Rig) -> None:
    """One knows in which segments to look, is stopped; the leader would truncate one of them."""
    worker, leader = await rig.worker(), await rig.lead()
    await leader.open_segment()
    await leader.switch_segment()
    # The newest claim lies in the second segment, and the lane is read from the first one on.
    for _ in range(3):
        await rig.enqueue()
        await worker.end(*await worker.take())
    newest = await rig.newest()
    assert newest["reads_from"] == [1] and newest["segment"] == 1
    assert await leader.close_segment()
    newer = await rig.enqueue()
    async with rig.gate(worker.conn, "slots_from"):
        claim = asyncio.create_task(worker.claim())
        await rig.until_blocked(worker.conn, claim)
        assert await leader.prune() is None
    assert await claim == newer
    assert await leader.prune() == 1
    newer = await rig.enqueue()
    assert await worker.claim() == newer
    assert None not in (await rig.newest())["reads_from"]
