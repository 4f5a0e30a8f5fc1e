"""Enqueue: visible on commit, gone on rollback, and never in anybody's way."""

from tests.rig import Rig


async def test_a_job_is_visible_on_commit_and_gone_on_rollback(rig: Rig) -> None:
    producer = await rig.connect()
    done = producer.transaction()
    await done.start()
    (kept,) = await rig.enqueue(conn=producer)
    assert await rig.states() == {}
    await done.commit()
    undone = producer.transaction()
    await undone.start()
    await rig.enqueue(conn=producer)
    await undone.rollback()
    assert await rig.states() == {kept: "available"}
