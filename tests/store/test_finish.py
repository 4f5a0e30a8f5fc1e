"""Finish: an entry ends once, by who holds it; what is refused changes nothing.

Owns: the fence, one refusal at a time, and two finishers that meet in one claim.
Keeps: `ended` is the union of the parts before, and `ran_us` stands in the order of `seqs`.
Above: nobody. Below: tests.rig, awa.
"""

import asyncio
from typing import Any

import asyncpg
import pytest

import awa
from awa.store.worker import Finish
from tests.rig import Rig, Worker

VERDICTS: dict[str, tuple[dict[str, Any], str]] = {
    "retry": ({"delay_s": 60, "error": "e"}, "retryable"),
    "snooze": ({"delay_s": 60}, "scheduled"),
    "fail": ({"error": "e"}, "failed"),
    "cancel": ({"reason": "r"}, "cancelled"),
    "release": ({}, "available"),
}


async def stored(rig: Rig) -> list[list[Any]]:
    """Return all that a finish could change, to compare."""
    tables = ("part", "ending", "deferred", "held", "entry")
    texts = ["".join(["select * from awa.", table, " t order by t::text"]) for table in tables]
    return [await rig.conn.fetch(text) for text in texts]


async def parts(rig: Rig) -> list[dict[str, Any]]:
    """Return the parts of all claims, with their sets as sorted numbers from 1."""
    rows = await rig.conn.fetch("select * from awa.part order by claim, part")
    return [
        {**dict(row), "seqs": numbers(row["seqs"]), "ended": numbers(row["ended"])} for row in rows
    ]


def numbers(multirange: Any) -> list[int]:
    """Return the numbers of a set, counted from the start of their lane."""
    return [n % 2**40 for one in multirange for n in range(one.lower, one.upper)]


def ended_by(*pairs: tuple[int, int], claim: int, ran_us: int = 1) -> list[Finish]:
    """Return finishes of seqs, with how long each ran."""
    return [Finish(claim, seq, ran_us, None) for seq, ran_us in pairs]


@pytest.mark.parametrize("verdict", VERDICTS)
async def test_each_verdict_puts_the_job_where_it_belongs(rig: Rig, verdict: str) -> None:
    worker = await rig.worker()
    (job,) = await rig.enqueue()
    (seq,) = await worker.take()
    said, state = VERDICTS[verdict]
    assert await worker.end(seq, verdict=verdict, **said) == set()
    shown = await rig.job(job)
    assert shown["state"] == state
    spends = verdict not in ("snooze", "release")
    assert (shown["attempt"], shown["run_lease"]) == (int(spends), 1)


@pytest.mark.parametrize("first", [None, *VERDICTS])
async def test_a_second_finish_is_stale_and_changes_nothing(rig: Rig, first: str | None) -> None:
    worker = await rig.worker()
    await rig.enqueue()
    (seq,) = await worker.take()
    assert await worker.end(seq, verdict=first, delay_s=60) == set()
    before = await stored(rig)
    for second in (None, *VERDICTS):
        assert await worker.end(seq, verdict=second, delay_s=60) == {seq}
        assert await stored(rig) == before


@pytest.mark.parametrize("verdict", [None, *VERDICTS])
async def test_the_finish_of_a_stranger_is_stale_and_changes_nothing(
    rig: Rig, verdict: str | None
) -> None:
    worker, stranger = await rig.worker(), await rig.worker()
    await rig.enqueue(2)
    (seq,) = await worker.take(1)
    stranger.claim_by_seq.update(worker.claim_by_seq)
    before = await stored(rig)
    assert await stranger.end(seq, verdict=verdict, delay_s=60) == {seq}
    assert await stored(rig) == before
    assert await worker.end(seq) == set()


async def test_claims_and_entries_that_nobody_knows_are_stale(rig: Rig) -> None:
    worker = await rig.worker()
    await rig.enqueue(2)
    (seq,) = await worker.take(1)
    claim = worker.claim_by_seq[seq]
    batch = [
        Finish(claim + 1000, seq, 1),
        Finish(claim, seq + 1, 1, {"verdict": "fail"}),
        Finish(claim, 7, 1, {"verdict": "retry"}),
        Finish(7, 8, 1),
    ]
    before = await stored(rig)
    assert (await worker.step(batch, room=0)).stale == {seq, seq + 1, 7, 8}
    assert await stored(rig) == before


@pytest.mark.story("one-stale-of-a-batch")
async def test_one_stale_entry_takes_no_other_with_it(rig: Rig) -> None:
    worker = await rig.worker()
    jobs = await rig.enqueue(4)
    seqs = await worker.take()
    await worker.end(seqs[1])
    batch = [worker.finish(seqs[0]), worker.finish(seqs[1], "fail")]
    batch += [worker.finish(seqs[2], "fail", error="e"), worker.finish(seqs[3])]
    assert (await worker.step(batch, room=0)).stale == {seqs[1]}
    states = await rig.states()
    assert [states[job] for job in jobs] == ["completed", "completed", "failed", "completed"]


@pytest.mark.parametrize("verdict", VERDICTS)
async def test_an_entry_that_stands_twice_in_a_batch_ends_once(rig: Rig, verdict: str) -> None:
    worker = await rig.worker()
    (job,) = await rig.enqueue()
    (seq,) = await worker.take()
    said, state = VERDICTS[verdict]
    assert await worker.end(seq, seq, verdict=verdict, **said) == set()
    assert await rig.states() == {job: state}


async def test_a_claim_that_stands_twice_in_a_batch_ends_once(rig: Rig) -> None:
    worker = await rig.worker()
    await rig.enqueue(2)
    first, second = await worker.take()
    claim = worker.claim_by_seq[first]
    sets = [f"{{[{first},{second}]}}", f"{{[{first},{first}]}}"]
    stale = await worker.conn.fetch(
        "select seq from awa.step($1, $2, $3::text[]::int8multirange[], '{1,2,3}', null, '{}', "
        "'{}', '{}', '{}', '{}', '{}', '{}') where note = 'stale'",
        worker.worker,
        [claim, claim],
        sets,
    )
    assert [row["seq"] for row in stale] == [first]
    assert [part["ended"] for part in await parts(rig)] == [[1, 2]]


async def test_parts_are_cumulative_and_the_last_one_closes(rig: Rig) -> None:
    worker = await rig.worker()
    await rig.enqueue(4)
    seqs = await worker.take()
    claim = worker.claim_by_seq[seqs[0]]
    for batch in (
        ended_by((seqs[2], 30), claim=claim),
        ended_by((seqs[0], 10), (seqs[2], 31), (seqs[3], 40), claim=claim),
        ended_by((seqs[1], 20), claim=claim),
    ):
        await worker.step(batch, room=0)
    found = await parts(rig)
    assert [part["part"] for part in found] == [1, 2, 3]
    assert [part["seqs"] for part in found] == [[3], [1, 4], [2]]
    assert [part["ended"] for part in found] == [[3], [1, 3, 4], [1, 2, 3, 4]]
    assert [part["ran_us"] for part in found] == [[30], [10, 40], [20]]
    assert [part["closes"] for part in found] == [False, False, True]
    assert sum(part["completed"] for part in found) == 4


async def test_one_transaction_may_end_twice_of_one_claim(rig: Rig) -> None:
    worker = await rig.worker()
    await rig.enqueue(3)
    one, two, _ = await worker.take()
    async with worker.conn.transaction():
        assert await worker.end(one) == set()
        assert await worker.end(one, two) == {one}
    assert [part["ended"] for part in await parts(rig)] == [[1], [1, 2]]


@pytest.mark.story("two-finishers-share-a-claim")
async def test_two_finishers_of_one_claim_meet_in_its_key_and_share(rig: Rig) -> None:
    """One has appended its part and not committed; the other waits, reads again, takes the rest."""
    worker = await rig.worker()
    await rig.enqueue(4)
    seqs = await worker.take()
    claim = worker.claim_by_seq[seqs[0]]
    await worker.end(seqs[0])
    other = Worker(await rig.connect(), worker.worker, worker.queues)
    await worker.conn.execute("begin")
    await worker.step(ended_by((seqs[1], 20), claim=claim), room=0)
    # The first of these was over when the other looked, the second is when it looks again.
    batch = ended_by((seqs[0], 10), (seqs[1], 21), (seqs[2], 30), (seqs[3], 40), claim=claim)
    second = asyncio.create_task(other.step(batch, room=0))
    await rig.until_blocked(other.conn, second)
    await worker.conn.execute("commit")
    assert (await second).stale == {seqs[0], seqs[1]}
    found = await parts(rig)
    assert [part["seqs"] for part in found] == [[1], [2], [3, 4]]
    assert [part["ended"] for part in found] == [[1], [1, 2], [1, 2, 3, 4]]
    assert [part["ran_us"] for part in found] == [[1], [20], [30, 40]]


async def test_who_waited_for_a_finish_that_was_rolled_back_ends_all(rig: Rig) -> None:
    worker = await rig.worker()
    jobs = await rig.enqueue(2)
    seqs = await worker.take()
    other = Worker(await rig.connect(), worker.worker, worker.queues)
    other.claim_by_seq = worker.claim_by_seq
    await worker.conn.execute("begin")
    await worker.end(*seqs, verdict="fail", error="e")
    second = asyncio.create_task(other.end(*seqs))
    await rig.until_blocked(other.conn, second)
    await worker.conn.execute("rollback")
    assert await second == set()
    assert set((await rig.states()).values()) == {"completed"}
    assert len(jobs) == 2


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_a_cancel_waits_for_a_finish_that_is_under_way(rig: Rig, end: str) -> None:
    worker = await rig.worker()
    (job,) = await rig.enqueue()
    (seq,) = await worker.take()
    await worker.conn.execute("begin")
    assert await worker.end(seq) == set()
    cancel = asyncio.create_task(rig.operator.cancel(job))
    await rig.until_blocked(rig.conn, cancel)
    await worker.conn.execute(end)
    assert await cancel == (end == "rollback")
    assert await rig.states() == {job: "completed" if end == "commit" else "cancelled"}
    assert await worker.end(seq) == {seq}


async def test_a_cancel_does_not_wait_for_ever_for_a_finish_that_stays_open(rig: Rig) -> None:
    """It may be the finish of another entry: the part that follows is one for the whole claim."""
    settings = "select proconfig from pg_proc where oid = 'awa.cancel(bigint)'::regprocedure"
    assert "lock_timeout=10s" in await rig.conn.fetchval(settings)
    await rig.conn.execute("alter function awa.cancel(bigint) set lock_timeout to '50ms'")
    worker = await rig.worker()
    finished, job = await rig.enqueue(2)
    seqs = await worker.take()
    await worker.conn.execute("begin")
    assert await worker.end(seqs[0]) == set()
    with pytest.raises(awa.DatabaseError, match=f"job {job} is not cancelled: a transaction stays"):
        await rig.operator.cancel(job)
    await worker.conn.execute("commit")
    assert await rig.operator.cancel(job)
    assert await rig.states() == {finished: "completed", job: "cancelled"}


async def test_a_finish_waits_for_a_cancel_that_is_under_way(rig: Rig) -> None:
    worker = await rig.worker()
    (job,) = await rig.enqueue()
    (seq,) = await worker.take()
    await rig.conn.execute("begin")
    assert await rig.operator.cancel(job)
    finish = asyncio.create_task(worker.end(seq))
    await rig.until_blocked(worker.conn, finish)
    await rig.conn.execute("commit")
    assert await finish == {seq}
    assert await rig.states() == {job: "cancelled"}


@pytest.mark.parametrize("verb", ["step", "finish", "open_entries", "retire", "cancel", "drain"])
@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
async def test_an_old_snapshot_is_refused(rig: Rig, verb: str, isolation: str) -> None:
    worker = await rig.worker()
    calls = {
        "step": "select awa.step($1, '{}', '{}', '{}', null, " + ", ".join(["'{}'"] * 7) + ")",
        "finish": "select awa.finish($1, '{}', '{}', '{}')",
        "open_entries": "select awa.open_entries($1)",
        "retire": "select awa.retire($1)",
        "cancel": "select awa.cancel($1)",
        "drain": "select awa.drain('q', 0, $1)",
    }
    await worker.conn.execute(f"begin isolation level {isolation}")
    with pytest.raises(asyncpg.PostgresError) as caught:
        await worker.conn.execute(calls[verb], worker.worker)
    assert caught.value.sqlstate == "25001"
    await worker.conn.execute("rollback")
    assert await worker.store.retire(worker.worker)
