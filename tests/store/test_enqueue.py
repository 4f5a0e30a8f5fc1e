"""Enqueue: visible on commit, gone on rollback, and never in anybody's way.

Owns: what a producer's transaction may do, in every isolation level, around a rotation, by COPY.
Keeps: a job that was committed is where the claims look; what was refused has left no trace.
Above: nobody. Below: tests.rig, awa.store.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from awa.options import InsertOptions
from awa.store.producer import NewJob, ProducerStore
from tests.rig import KIND, Leader, Rig

SNAPSHOTS = ("repeatable read", "serializable")

STEPS: dict[str, list[Callable[[Leader], Awaitable[object]]]] = {
    "opened": [Leader.open_segment],
    "switched": [Leader.open_segment, Leader.switch_segment],
    "closed": [Leader.rotate],
    "rotated thrice": [Leader.rotate, Leader.rotate, Leader.rotate],
}


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


# --- Isolation levels, around a rotation --------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("isolation", ("read committed", *SNAPSHOTS))
async def test_a_transaction_older_than_a_rotation_writes_where_claims_look(
    rig: Rig, isolation: str, step: str
) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    producer = await rig.begin(isolation)
    for take in STEPS[step]:
        await take(leader)
    (job,) = await rig.enqueue(conn=producer)
    await producer.execute("commit")
    # The claims go on in the newest segment before they look back.
    assert await worker.claim() == [job]
    assert await rig.states() == {job: "running"}


@pytest.mark.parametrize("isolation", SNAPSHOTS)
async def test_a_transaction_that_spans_a_switch_keeps_both_of_its_segments_open(
    rig: Rig, isolation: str
) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    producer = await rig.begin(isolation)
    jobs = await rig.enqueue(conn=producer)
    await leader.open_segment()
    await leader.switch_segment()
    assert not await leader.close_segment()
    jobs += await rig.enqueue(conn=producer)
    await producer.execute("commit")
    assert await leader.close_segment()
    segments = await rig.conn.fetch("select distinct segment from awa.entry")
    assert len(segments) == 2
    assert await worker.claim() == jobs


@pytest.mark.parametrize("isolation", SNAPSHOTS)
async def test_a_snapshot_older_than_a_prune_does_not_stop_an_enqueue(
    rig: Rig, isolation: str
) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    await rig.enqueue()
    await worker.end(*await worker.take())
    producer = await rig.begin(isolation)
    await leader.rotate(2)
    assert await leader.prune_all() == [1, 2]
    (job,) = await rig.enqueue(conn=producer)
    await producer.execute("commit")
    assert await worker.claim() == [job]


@pytest.mark.parametrize("isolation", SNAPSHOTS)
async def test_two_producers_with_snapshots_never_fail_each_other(rig: Rig, isolation: str) -> None:
    worker = await rig.worker()
    one, two = await rig.begin(isolation), await rig.begin(isolation)
    jobs = await rig.enqueue(conn=one) + await rig.enqueue(conn=two)
    jobs += await rig.enqueue(conn=one) + await rig.enqueue(conn=two)
    await two.execute("commit")
    await one.execute("commit")
    assert await worker.claim() == jobs


async def test_a_savepoint_takes_back_just_what_came_after_it(rig: Rig) -> None:
    worker = await rig.worker()
    producer = await rig.begin()
    first = await rig.enqueue(conn=producer)
    await producer.execute("savepoint s")
    await rig.enqueue(2, conn=producer)
    await producer.execute("rollback to s")
    second = await rig.enqueue(conn=producer)
    await producer.execute("release s")
    await producer.execute("commit")
    assert await worker.claim() == first + second


async def test_a_savepoint_that_goes_back_over_a_switch_leaves_the_segment_open(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    producer = await rig.begin()
    await producer.execute("savepoint s")
    await rig.enqueue(conn=producer)
    await leader.open_segment()
    await leader.switch_segment()
    await producer.execute("rollback to s")
    (job,) = await rig.enqueue(conn=producer)
    await leader.close_segment()
    await producer.execute("commit")
    assert await worker.claim() == [job]


# --- Nobody waits -------------------------------------------------------------------------------


async def test_two_producers_cross_two_queues_and_nobody_waits(rig: Rig) -> None:
    worker = await rig.worker("a", "b")
    one, two = await rig.begin(), await rig.begin()
    jobs = await rig.enqueue(queue="a", conn=one)
    jobs += await rig.enqueue(queue="b", conn=two)
    jobs += await rig.enqueue(queue="b", conn=one)
    jobs += await rig.enqueue(queue="a", conn=two)
    await one.execute("commit")
    await two.execute("commit")
    assert sorted(await worker.claim()) == jobs


@pytest.mark.parametrize("n_many", [False, True])
async def test_a_queue_that_nobody_knows_blocks_nobody(rig: Rig, n_many: bool) -> None:
    leader = await rig.lead()
    one, two = await rig.begin(), await rig.begin()
    if n_many:
        sql = "select id from awa.enqueue_many('{k}', '{1}', 'unheard', 3)"
        jobs = [await conn.fetchval(sql) for conn in (one, two)]
    else:
        jobs = await rig.enqueue(queue="unheard", priority=3, conn=one)
        jobs += await rig.enqueue(queue="unheard", priority=3, conn=two)
    await two.execute("commit")
    await one.execute("commit")
    assert [(await rig.job(job))["queue"] for job in jobs] == ["unheard", "unheard"]
    assert [(await rig.job(job))["priority"] for job in jobs] == [3, 3]
    assert {row[0] for row in await rig.conn.fetch("select seq >> 40 from awa.entry")} == {1}
    await leader.sort()
    worker = await rig.worker("unheard")
    assert await worker.claim() == jobs


async def test_a_lane_that_is_missing_blocks_nobody(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    one, two = await rig.begin(), await rig.begin()
    jobs = [await rig.enqueue(priority=1, conn=conn) for conn in (one, two)]
    await one.execute("commit")
    await leader.sort()
    # The lane is there by now: who comes later goes straight to it.
    later = await rig.enqueue(priority=1)
    await two.execute("commit")
    await leader.sort(settles=True)
    assert sorted(await worker.claim()) == sorted(jobs[0] + jobs[1] + later)


async def test_what_was_asked_for_survives_the_intake(rig: Rig) -> None:
    leader = await rig.lead()
    asked: dict[str, Any] = {
        "priority": 4,
        "max_attempts": 3,
        "tags": ["a", "b"],
        "metadata": '{"queue": 1}',
    }
    (job,) = await rig.enqueue(queue="unheard", **asked)
    before = await rig.job(job)
    await leader.sort()
    after = await rig.job(job)
    assert before == after
    assert after["tags"] == ["a", "b"] and after["metadata"] == {"queue": 1}
    assert after["queue"] == "unheard" and after["priority"] == 4 and after["max_attempts"] == 3


# --- Bad input ----------------------------------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "priority 9": ({"priority": 9}, "23514"),
    "priority 0": ({"priority": 0}, "23514"),
    "no priority": ({"priority": None}, "23514"),
    "max_attempts 0": ({"max_attempts": 0}, "23514"),
    "max_attempts 1001": ({"max_attempts": 1001}, "23514"),
    "21 tags": ({"tags": ["t"] * 21}, "23514"),
    "21 tags in rows of seven": ({"tags": [["t"] * 7] * 3}, "23514"),
    "a queue of 300": ({"queue": "q" * 300}, "22001"),
    "a kind of 201": ({"kind": "k" * 201}, "22001"),
    "no kind": ({"kind": None}, "22001"),
    "no args": ({"args": None}, "23502"),
    "NUL in args": ({"args": r'{"a": "\u0000"}'}, "22P05"),
    "NUL in a key of args": ({"args": r'{"\u0000": 1}'}, "22P05"),
    "NUL in metadata": ({"metadata": r'{"a": "\u0000"}'}, "22P05"),
    "args that are no JSON": ({"args": "{"}, "22P02"),
    "half a surrogate pair in args": ({"args": r'{"a": "\ud800"}'}, "22P02"),
    "a number beyond numeric in args": ({"args": '{"a": 1e400000}'}, "22003"),
}


async def written(rig: Rig) -> tuple[int, ...]:
    """Return what an enqueue would leave: rows, events, and the last numbers drawn."""
    counts = [await rig.count(table) for table in ("entry", "deferred", "trace_event")]
    drawn = await rig.conn.fetch(
        "select coalesce(pg_sequence_last_value(s), 0) from (select sequence from awa.lane "
        "union select 'awa.job_id' union select 'awa.deferred_seq') k (s) order by s"
    )
    return *counts, *(row[0] for row in drawn)


@pytest.mark.parametrize("what", REFUSED)
async def test_what_cannot_be_stored_is_refused_and_leaves_nothing(rig: Rig, what: str) -> None:
    worker = await rig.worker()
    given, state = REFUSED[what]
    before = await written(rig)
    later: dict[str, Any] = {"run_at": datetime(2100, 1, 1, tzinfo=UTC)}
    for due in ({}, later):
        with pytest.raises(asyncpg.PostgresError) as caught:
            await rig.enqueue(**given, **due)
        assert caught.value.sqlstate == state
    assert await written(rig) == before
    (job,) = await rig.enqueue()
    assert await worker.claim() == [job]


@pytest.mark.parametrize("what", ["-infinity", "infinity"])
async def test_a_time_that_is_no_time_stops_no_queue(rig: Rig, what: str) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    try:
        await rig.conn.execute(
            "select from awa.enqueue('k', '1', 'q', run_at => $1::text::timestamptz)", what
        )
    except asyncpg.PostgresError as error:
        assert error.sqlstate is not None and error.sqlstate.startswith("22")
    await leader.promote()
    # Two lanes, so that their heads are compared.
    jobs = await rig.enqueue(2)
    await worker.claim(1)
    await worker.end(*worker.claim_by_seq, verdict="release")
    for _ in range(3):
        await worker.claim()
    states = await rig.states()
    assert {states[job] for job in jobs} == {"running"}


async def test_the_limits_themselves_are_accepted(rig: Rig) -> None:
    worker = await rig.worker("q" * 200, kinds=["k" * 200])
    (job,) = await rig.enqueue(
        queue="q" * 200,
        kind="k" * 200,
        max_attempts=1000,
        tags=["t"] * 20,
        args=r'{"a": "\\u0000", "b": "\\\\u0000"}',
    )
    assert await worker.claim(kinds=["k" * 200]) == [job]
    assert (await rig.job(job))["args"] == {"a": r"\u0000", "b": r"\\u0000"}


# --- Many at once -------------------------------------------------------------------------------


async def test_many_keep_their_order_and_their_kinds(rig: Rig) -> None:
    worker = await rig.worker()
    rows = await rig.conn.fetch(
        "select * from awa.enqueue_many($1, $2, 'q')", ["k", "l", "k"], ["1", "2", "3"]
    )
    answer = await worker.step(kinds=["k", "l"])
    assert [row["id"] for row in answer.rows] == [row["id"] for row in rows]
    assert [(row["kind"], row["args"]) for row in answer.rows] == [
        ("k", "1"),
        ("l", "2"),
        ("k", "3"),
    ]


BAD_BATCHES = {
    "no JSON": (["k"] * 1000, ["1"] * 999 + ["{"], 2, "22P02"),
    "NUL": (["k"] * 1000, ["1"] * 999 + [r'"\u0000"'], 2, "22P05"),
    "a long kind": (["k"] * 999 + ["k" * 201], ["1"] * 1000, 2, "22001"),
    "fewer args than kinds": (["k"] * 3, ["1"] * 2, 2, "23502"),
    "fewer kinds than args": (["k"] * 2, ["1"] * 3, 2, "22001"),
    "a bad priority": (["k"] * 3, ["1"] * 3, 7, "23514"),
}


@pytest.mark.parametrize("what", BAD_BATCHES)
async def test_one_bad_job_of_a_thousand_leaves_no_gap(rig: Rig, what: str) -> None:
    await rig.worker()
    kinds, args, priority, state = BAD_BATCHES[what]
    before = await written(rig)
    with pytest.raises(asyncpg.PostgresError) as caught:
        await rig.conn.execute(
            "select from awa.enqueue_many($1, $2, 'q', $3)", kinds, args, priority
        )
    assert caught.value.sqlstate == state
    assert await written(rig) == before


async def test_many_that_are_due_later_wait_until_then(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    at = await rig.conn.fetchval("select awa.clock()") + timedelta(seconds=60)
    sql = "select id from awa.enqueue_many($1, $2, 'q', run_at => $3)"
    jobs = [row["id"] for row in await rig.conn.fetch(sql, ["k"] * 3, ["1"] * 3, at)]
    assert set((await rig.states()).values()) == {"scheduled"}
    assert await leader.promote() == 0
    await rig.pass_time(61)
    assert await leader.promote() == 3
    assert await worker.claim() == jobs


@pytest.mark.parametrize("queue", ["q", "unheard"])
async def test_a_batch_is_copied_in_order(rig: Rig, queue: str) -> None:
    leader = await rig.lead()
    producer = await rig.begin()
    jobs = [NewJob(KIND, str(n)) for n in range(50)]
    store = ProducerStore(producer)
    wrote = await store.copy(jobs, InsertOptions(queue=queue, tags=("t",)), wake=False)
    assert await rig.states() == {}
    await producer.execute("commit")
    await leader.sort()
    worker = await rig.worker(queue)
    answer = await worker.step(room=100)
    assert [row["id"] for row in answer.rows] == wrote.ids
    assert [row["args"] for row in answer.rows] == [str(n) for n in range(50)]
    assert (await rig.job(wrote.ids[0]))["tags"] == ["t"]


@pytest.mark.unjudged("numbers are reserved and not written, which no event says")
async def test_numbers_reserved_and_never_used_hold_nobody_up(rig: Rig) -> None:
    worker = await rig.worker()
    producer = await rig.begin()
    row = await producer.fetchrow("select * from awa.reserve('q', 2, 5)")
    used = [(row["segment"], row["seqs"][2], row["ids"][2], row["created_at"], KIND, "1")]
    columns = ("segment", "seq", "id", "created_at", "kind", "args")
    await producer.copy_records_to_table("entry", schema_name="awa", columns=columns, records=used)
    await producer.execute("commit")
    assert await worker.claim() == [row["ids"][2]]
    for _ in range(3):
        assert await worker.claim(settles=True) == []
    assert await rig.pages() == []
    assert (await rig.newest())["hi"][0] == row["seqs"][-1]


# --- Wake-ups -----------------------------------------------------------------------------------


async def test_a_producer_wakes_only_who_sleeps(rig: Rig) -> None:
    heard: list[str] = []
    listener = await rig.connect()
    await listener.add_listener("awa", lambda *told: heard.append(told[3]))
    worker = await rig.worker()
    sql = "select asleep from awa.enqueue('k', '1', 'q', wake => $1)"
    assert not await rig.conn.fetchval(sql, True)
    await worker.step()
    await worker.step(asleep=True)
    assert await rig.conn.fetchval(sql, False)
    await listener.execute("select 1")
    assert heard == []
    assert await rig.conn.fetchval(sql, True)
    await listener.execute("select 1")
    assert heard == ["q"]
    await worker.step(asleep=False)
    assert not await rig.conn.fetchval(sql, True)


async def test_a_worker_that_left_in_its_sleep_is_woken_no_more(rig: Rig) -> None:
    worker = await rig.worker()
    await worker.step(asleep=True)
    assert await worker.store.retire(worker.worker)
    assert not await rig.conn.fetchval("select asleep from awa.enqueue('k', '1', 'q')")
