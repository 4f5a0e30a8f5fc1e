"""Heartbeat: where to look for what a worker holds, bounded and exact, whatever is in flight.

Owns: the floor and the held claims of a worker's row, and the question after a lost answer.
Keeps: no open claim is ever missed by who looks for it; what is looked at is bounded.
Above: nobody. Below: tests.rig, awa.
"""

import asyncio

import pytest

import awa
from tests.rig import Rig, Worker


async def row_of(rig: Rig, worker: Worker) -> tuple[list[int], int]:
    """Return which claims a worker's row names, and its floor."""
    row = await rig.conn.fetchrow(
        "select held, floor from awa.worker where worker = $1", worker.worker
    )
    return sorted(row["held"]), row["floor"]


async def beat(worker: Worker, conn: object = None) -> None:
    """Have a worker speak, on a connection of its own as its thread does."""
    store = worker.store if conn is None else type(worker.store)(conn)  # type: ignore[arg-type]
    assert (await store.heartbeat(worker.worker, [], {})).is_alive


async def held_by(rig: Rig, worker: Worker) -> set[int]:
    """Return what is open under a worker's id, as the leader would find it."""
    rows = await rig.watcher.fetch("select seqs from open_claims($1)", worker.worker)
    return {n for row in rows for one in row["seqs"] for n in range(one.lower, one.upper)}


async def test_a_worker_is_looked_for_above_its_floor_only(rig: Rig) -> None:
    worker = await rig.worker()
    await rig.enqueue(20)
    kept = (await worker.take(1))[0]
    for _ in range(9):
        await worker.end(*await worker.take(1))
    for _ in range(2):
        await beat(worker)
    held, floor = await row_of(rig, worker)
    newest = await rig.newest()
    assert held == [worker.claim_by_seq[kept]]
    assert floor == newest["ordinal"]
    assert await held_by(rig, worker) == {kept}
    await worker.end(kept)
    for _ in range(2):
        await beat(worker)
    assert (await row_of(rig, worker))[0] == []


@pytest.mark.parametrize("beats", [1, 2, 5])
async def test_a_claim_in_flight_holds_the_floor_down_and_is_found(rig: Rig, beats: int) -> None:
    """A step has drawn its claim's number and is stopped before its commit, for many heartbeats."""
    worker = await rig.worker()
    voice = await rig.connect()
    await rig.enqueue(3)
    await worker.conn.execute("begin")
    (seq,) = await worker.take(1)
    await another_queue_moves_on(rig, 3)
    for _ in range(beats):
        await beat(worker, voice)
    assert await held_by(rig, worker) == set()
    await worker.conn.execute("commit")
    for _ in range(3):
        assert await held_by(rig, worker) == {seq}
        await beat(worker, voice)
    await worker.end(seq)
    assert await held_by(rig, worker) == set()


async def test_a_heartbeat_that_was_stopped_moves_the_floor_past_no_claim(rig: Rig) -> None:
    """It has read who is at work; then a claim begins, and the next heartbeat leaves its mark."""
    worker, stopped, voice = await rig.worker(), await rig.connect(), await rig.connect()
    await rig.enqueue()
    async with rig.gate(stopped, "at_work"):
        late = asyncio.create_task(beat(worker, stopped))
        await rig.until_blocked(stopped, late)
        await worker.conn.execute("begin")
        (seq,) = await worker.take()
        await beat(worker, voice)
    await late
    await worker.conn.execute("commit")
    assert await held_by(rig, worker) == {seq}


async def another_queue_moves_on(rig: Rig, times: int) -> None:
    """Have claims elsewhere draw higher numbers."""
    busy = await rig.worker("busy")
    for _ in range(times):
        await rig.enqueue(queue="busy")
        await busy.end(*await busy.take())


async def test_the_floor_stays_bounded_while_steps_never_pause(rig: Rig) -> None:
    """There is always a step in flight when the heartbeat comes, and yet the floor follows."""
    worker, voice = await rig.worker(), await rig.connect()
    await rig.enqueue(60)
    for _ in range(10):
        await worker.conn.execute("begin")
        seqs = await worker.take(1)
        await beat(worker, voice)
        await worker.conn.execute("commit")
        await worker.end(*seqs)
    held, floor = await row_of(rig, worker)
    assert len(held) <= 2
    assert (await rig.newest())["ordinal"] - floor <= 3


async def test_a_heartbeat_tells_what_is_over(rig: Rig) -> None:
    worker = await rig.worker()
    jobs = await rig.enqueue(3)
    seqs = await worker.take()
    await rig.operator.cancel(jobs[1])
    said = await worker.store.heartbeat(worker.worker, seqs, {"n": 1})
    assert said.is_alive and list(said.over) == [seqs[1]]


async def test_a_cancel_is_told_to_the_worker_at_once(rig: Rig) -> None:
    heard: list[str] = []
    listener = await rig.connect()
    await listener.add_listener("awa_over", lambda *told: heard.append(told[3]))
    worker = await rig.worker()
    waiting, running = await rig.enqueue(2)
    await rig.operator.cancel(waiting)
    assert await worker.claim() == [running]
    await rig.operator.cancel(running)
    await listener.execute("select 1")
    assert heard == [str(worker.worker)]


# --- Lost answers -------------------------------------------------------------------------------


async def test_what_a_lost_answer_gave_out_is_found_and_given_back(rig: Rig) -> None:
    worker = await rig.worker()
    jobs = await rig.enqueue(4)
    known = await worker.take(1)
    await worker.step(room=2)
    lost = {seq: claim for seq, claim in worker.claim_by_seq.items() if seq not in known}
    assert await worker.store.open_entries(worker.worker) == worker.claim_by_seq
    assert await worker.end(*lost, verdict="release") == set()
    assert await worker.store.open_entries(worker.worker) == {
        seq: worker.claim_by_seq[seq] for seq in known
    }
    assert sorted(await worker.claim()) == jobs[1:]


async def test_a_finish_that_is_sent_again_is_refused_where_it_landed(rig: Rig) -> None:
    worker = await rig.worker()
    await rig.enqueue(4)
    seqs = await worker.take()
    batch = [worker.finish(seq) for seq in seqs[:2]]
    await worker.step(batch, room=0)
    again = [*batch, worker.finish(seqs[2])]
    assert (await worker.step(again, room=0)).stale == set(seqs[:2])
    assert (await worker.store.open_entries(worker.worker)).keys() == {seqs[3]}


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_a_step_of_an_earlier_connection_does_not_begin_any_more(rig: Rig, end: str) -> None:
    """It was on its way when its worker asked on the next: nobody asks what it gives out."""
    worker, again = await rig.worker(), Worker(await rig.connect(), 1, [])
    first, second = await rig.enqueue(2)
    (seq,) = await worker.take(1)
    await again.conn.execute("begin")
    assert (await again.store.open_entries(worker.worker, 1)).keys() == {seq}
    late = asyncio.create_task(worker.step([worker.finish(seq)]))
    await rig.until_blocked(worker.conn, late)
    await again.conn.execute(end)
    if end == "rollback":
        assert [row["id"] for row in (await late).rows] == [second]
        return
    with pytest.raises(awa.DatabaseError, match="has asked on connection 1, and this is of 0"):
        await late
    assert await rig.states() == {first: "running", second: "available"}
    worker.connection = 1
    assert await worker.end(seq) == set()
    assert await worker.claim() == [second]


async def test_the_question_of_an_earlier_connection_takes_nothing_back(rig: Rig) -> None:
    worker = await rig.worker()
    for connection in (2, 1):
        await worker.store.open_entries(worker.worker, connection)
    worker.connection = 2
    (job,) = await rig.enqueue()
    assert await worker.claim() == [job]


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_who_asks_waits_for_a_step_that_is_still_at_work(rig: Rig, end: str) -> None:
    """The connection broke, but its backend has not noticed, and commits after the question."""
    worker, again = await rig.worker(), await rig.connect()
    await rig.enqueue(2)
    await worker.conn.execute("begin")
    seqs = await worker.take()
    ask = asyncio.create_task(type(worker.store)(again).open_entries(worker.worker))
    await rig.until_blocked(again, ask)
    await worker.conn.execute(end)
    assert (await ask).keys() == (set(seqs) if end == "commit" else set())
