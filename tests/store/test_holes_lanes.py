"""Holes in several lanes: each lane keeps its order, and its holes are its own.

Owns: pages of more lanes than one, and of one lane by several claims.
Keeps: what was passed over first goes first.
Above: nobody. Below: tests.rig, tests.store.test_holes.
"""

from tests.rig import Rig
from tests.store.test_holes import assert_at_rest


async def test_late_ones_of_several_pages_come_in_the_lanes_order(rig: Rig) -> None:
    worker = await rig.worker()
    await rig.conn.execute("select awa.open('q', 1)")
    one, two, three = await rig.begin(), await rig.begin(), await rig.begin()
    # The first page has holes of two lanes, the second of one.
    await rig.enqueue(priority=1, conn=one)
    early = await rig.enqueue(conn=two)
    await rig.enqueue(priority=1)
    await rig.enqueue()
    assert len(await worker.claim()) == 2
    later = await rig.enqueue(conn=three)
    await rig.enqueue()
    assert len(await worker.claim()) == 1
    assert await worker.claim() == []
    # So the first alone is written anew, behind the second.
    await one.execute("rollback")
    assert await worker.claim() == []
    await two.execute("commit")
    await three.execute("commit")
    assert [await worker.claim(room=1) for _ in range(2)] == [early, later]


async def test_a_page_of_one_lane_is_not_before_an_older_one_of_another(rig: Rig) -> None:
    """The older page has holes of the second lane alone, the newer one of both."""
    for priority in (1, 2):
        await rig.conn.execute("select awa.open('q', $1)", priority)
    worker = await rig.worker()
    one, two, three = await rig.begin(), await rig.begin(), await rig.begin()
    early = await rig.enqueue(conn=one)
    seen = await rig.enqueue()
    assert await worker.claim() == seen
    await rig.enqueue(priority=1, conn=two)
    later = await rig.enqueue(conn=three)
    seen = [*await rig.enqueue(priority=1), *await rig.enqueue()]
    assert sorted(await worker.claim()) == sorted(seen)
    await one.execute("commit")
    await three.execute("commit")
    assert [await worker.claim(room=1) for _ in range(2)] == [early, later]


async def test_holes_in_two_lanes_are_told_apart(rig: Rig) -> None:
    worker = await rig.worker()
    await rig.conn.execute("select awa.open('q', 1)")
    one, two = await rig.begin(), await rig.begin()
    low, high = await rig.enqueue(conn=one), await rig.enqueue(priority=1, conn=two)
    seen = await rig.enqueue(priority=1) + await rig.enqueue()
    assert sorted(await worker.claim()) == seen
    await two.execute("commit")
    assert await worker.claim() == high
    await one.execute("commit")
    assert await worker.claim() == low
    await assert_at_rest(rig, worker)
