"""Plans: what a verb reads does not grow with what waits, nor with what has happened.

Owns: counts of rows and blocks around each hot verb, on small and on large logs.
Keeps: no log is scanned; a million jobs cost a claim and a finish what ten do. The statistics are
    those of empty tables, as after a truncation.
Above: nobody. Below: tests.rig, awa.store.
"""

import json
from dataclasses import dataclass

import asyncpg
import pytest

from tests.rig import Rig, Worker

LOGS = ("entry", "claim", "hole", "part", "ending", "deferred", "held")
SIZES = [
    pytest.param(10_000, id="10k"),
    pytest.param(1_000_000, id="1M", marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
]
HISTORIES = [
    pytest.param(20_000, id="20k"),
    pytest.param(1_000_000, id="1M", marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
]
BLOCKS_MAX = 1.5
"""Times as many blocks at most: a deeper index has a block more for each descent."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call has read: log rows by index and by scan, and blocks of anything."""

    fetched: int
    scanned: int
    blocks: int

    def is_like(self, other: "Cost", slack: int = 5) -> bool:
        """Return whether this costs what the other does, give or take."""
        return (
            self.scanned == 0
            and self.fetched <= other.fetched + slack
            and self.blocks <= other.blocks * BLOCKS_MAX + 20
        )


READ = """
select coalesce(sum(idx_tup_fetch), 0)::int as fetched,
  coalesce(sum(seq_tup_read), 0)::int as scanned
from pg_stat_xact_user_tables
where schemaname = 'awa' and split_part(relname, '_', 1) = any($1)
"""


async def cost(conn: asyncpg.Connection, call: str) -> Cost:
    """Call a verb, in a transaction of its own, and return what it has read."""
    async with conn.transaction():
        # The counters go on from transaction to transaction until they are flushed.
        before = await conn.fetchrow(READ, LOGS)
        told = await conn.fetchval(text("explain (analyze, buffers, format json)", call))
        after = await conn.fetchrow(READ, LOGS)
    plan = json.loads(told)[0]["Plan"]
    return Cost(
        after["fetched"] - before["fetched"],
        after["scanned"] - before["scanned"],
        plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
    )


def text(*words: object) -> str:
    """Return a statement of these words, which are all our own."""
    return " ".join(str(word) for word in words)


def step(worker: Worker, room: int, batch: str = "'{}', '{}', '{}'", settles: bool = False) -> str:
    """Return a call of step for the worker's first queue."""
    asks = f"array[{worker.queues[0]}], array[{room}], '{{k}}', '{{60000}}', '{{0}}', '{{f}}'"
    return text(
        "select * from awa.step(", f"{worker.worker}, {batch}, null, {asks}, '{{{settles}}}')"
    )


def finished(worker: Worker, *seqs: int) -> str:
    """Return entries of one claim as step takes them."""
    ranges = ",".join(f"[{seq},{seq}]" for seq in seqs)
    claim = worker.claim_by_seq[seqs[0]]
    times = ",".join("1" for _ in seqs)
    return f"array[{claim}], array['{{{ranges}}}'::int8multirange], '{{{times}}}'"


async def fill(rig: Rig, n: int, kind: str = "k", **how: object) -> None:
    """Have n more jobs wait."""
    options = "".join(f", {name} => {value}" for name, value in how.items())
    call = text("select count(*) from awa.enqueue_many($1, $2, 'q'", options, ")")
    for _ in range(0, n, 100_000):
        few = min(n, 100_000)
        await rig.conn.execute(call, [kind] * few, ["1"] * few, timeout=600)


async def warm(rig: Rig, worker: Worker) -> None:
    """Have every plan made, and the statistics say that the logs are empty."""
    await rig.conn.execute("analyze")
    for _ in range(3):
        await rig.enqueue(2)
        await worker.end(*await worker.take(1))
        await worker.end(*await worker.take(1))
        await cost(worker.conn, step(worker, 0))


# --- What waits ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n", SIZES)
async def test_a_claim_and_a_finish_cost_the_same_whatever_waits(rig: Rig, n: int) -> None:
    worker = await rig.worker()
    await warm(rig, worker)

    async def claim_and_finish() -> tuple[Cost, Cost]:
        claim = await cost(worker.conn, step(worker, 10))
        worker.claim_by_seq = await worker.store.open_entries(worker.worker)
        return claim, await cost(
            worker.conn, step(worker, 0, finished(worker, *worker.claim_by_seq))
        )

    await rig.enqueue(30)
    await claim_and_finish()
    few = await claim_and_finish()
    await fill(rig, n)
    many = await claim_and_finish()
    assert [one.is_like(other) for one, other in zip(many, few, strict=True)] == [True, True], (
        few,
        many,
    )


@pytest.mark.parametrize("n", SIZES)
async def test_two_lanes_cost_the_same_whatever_waits(rig: Rig, n: int) -> None:
    worker = await rig.worker()
    await rig.conn.execute("select awa.open('q', 3)")
    await warm(rig, worker)
    for priority in (2, 3):
        await rig.enqueue(20, priority=priority)
    await cost(worker.conn, step(worker, 10))
    few = await cost(worker.conn, step(worker, 10))
    await fill(rig, n, priority=2)
    await fill(rig, 1000, priority=3)
    many = await cost(worker.conn, step(worker, 10))
    assert many.is_like(few), (few, many)


async def test_a_backlog_of_a_strange_kind_is_diverted_in_portions(rig: Rig) -> None:
    worker = await rig.worker()
    await warm(rig, worker)
    await rig.enqueue(40, kind="strange")
    await cost(worker.conn, step(worker, 10))
    few = await cost(worker.conn, step(worker, 10))
    await fill(rig, 5000, kind="strange")
    await cost(worker.conn, step(worker, 20))
    many = await cost(worker.conn, step(worker, 10))
    assert many.is_like(few), (few, many)


async def test_a_bulk_that_commits_late_is_given_out_in_portions(rig: Rig) -> None:
    """One copies many jobs in an hour; another's small job, drawn after them, goes first."""
    worker = await rig.worker()
    await warm(rig, worker)

    async def late(n: int) -> Cost:
        writer = await rig.begin()
        sql = (
            "select count(*) from awa.enqueue_many(array_fill('k'::text, array[$1::int]), $2, 'q')"
        )
        await writer.execute(sql, n, ["1"] * n)
        await rig.enqueue()
        assert len(await worker.take()) == 1
        await writer.execute("commit")
        await cost(worker.conn, step(worker, 10))
        return await cost(worker.conn, step(worker, 10))

    few = await late(40)
    while await worker.take(100):
        pass
    many = await late(5000)
    assert many.is_like(few), (few, many)


async def test_a_writer_that_stays_open_costs_a_claim_nothing(rig: Rig) -> None:
    worker = await rig.worker()
    await warm(rig, worker)
    await rig.enqueue(20)
    few = await cost(worker.conn, step(worker, 10))
    writer = await rig.begin()
    await writer.execute("select from awa.enqueue_many($1, $2, 'q')", ["k"] * 5000, ["1"] * 5000)
    await rig.enqueue(40)
    # The first claims read over the numbers that are not visible yet; the later ones do not.
    for _ in range(3):
        await cost(worker.conn, step(worker, 10))
    many = await cost(worker.conn, step(worker, 10))
    assert many.is_like(few), (few, many)
    await writer.execute("commit")


# --- What has happened --------------------------------------------------------------------------

HISTORY = """
with q as (select q.queue, n.* from queue q cross join lateral newest(q.queue) n where q.name = 'q')
insert into claim
select q.claim + i, nextval('claim_ordinal'), clock(), null, $1, q.segment, q.next_segment,
  int8multirange(int8range(l.lane::bigint * 1099511627776 + 1000 + i * 10,
    l.lane::bigint * 1099511627776 + 1010 + i * 10)),
  '{}', q.lanes, array[l.lane::bigint * 1099511627776 + 1009 + i * 10], q.reads_from, '{}', '{}'
from q, lane l, generate_series(1, $2::int) i
where l.lane = q.lanes[1] order by i
"""
ENDED = """
insert into part
select c.claim, 1, c.segment, clock(), 10, true, c.seqs, c.seqs, null
from claim c where c.worker = $1 and not isempty(c.seqs)
and not exists (select from part p where p.claim = c.claim)
"""


async def have_history(rig: Rig, worker: Worker, n: int) -> None:
    """Have n claims of a worker behind the cursor, all of them over."""
    await rig.watcher.execute(HISTORY, worker.worker, n, timeout=600)
    await rig.watcher.execute(ENDED, worker.worker, timeout=600)
    await rig.watcher.execute(
        "select setval(l.sequence, c.hi[1]) from lane l, queue q, newest(q.queue) c "
        "where q.name = 'q' and l.lane = c.lanes[1]"
    )
    for _ in range(2):
        assert (await worker.store.heartbeat(worker.worker, [], {})).is_alive


@pytest.mark.parametrize("n", HISTORIES)
async def test_a_step_costs_the_same_whatever_has_happened(rig: Rig, n: int) -> None:
    worker = await rig.worker()
    await warm(rig, worker)

    async def round_trip() -> dict[str, Cost]:
        await rig.enqueue(10)
        found = {"enqueue": await cost(rig.conn, "select * from awa.enqueue('k', '1', 'q')")}
        found["claim"] = await cost(worker.conn, step(worker, 11))
        worker.claim_by_seq = await worker.store.open_entries(worker.worker)
        batch = finished(worker, *worker.claim_by_seq)
        found["finish"] = await cost(worker.conn, step(worker, 0, batch))
        return found

    for _ in range(3):
        few = await round_trip()
    await have_history(rig, worker, n)
    for verb, spent in (await round_trip()).items():
        assert spent.is_like(few[verb]), (verb, few[verb], spent)


@pytest.mark.parametrize("verb", ["open_entries", "heartbeat", "rescue", "expire"])
async def test_what_a_worker_holds_is_found_without_its_history(rig: Rig, verb: str) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    await warm(rig, worker)
    await rig.enqueue(3)
    await worker.take()
    about = leader.epoch if verb in ("rescue", "expire") else worker.worker
    more = {"heartbeat": ", '{}', '{}'", "open_entries": ""}.get(verb, ", 30, 10")
    call = text("select * from", f"awa.{verb}({about}{more})")
    for _ in range(4):
        few = await cost(leader.conn, call)
    await have_history(rig, worker, 5000)
    for _ in range(2):
        many = await cost(leader.conn, call)
    assert many.is_like(few), (few, many)


async def test_the_last_finish_of_a_claim_costs_what_the_first_does(rig: Rig) -> None:
    worker = await rig.worker()
    await warm(rig, worker)
    await fill(rig, 300)
    seqs = await worker.take(300)
    costs = [await cost(worker.conn, step(worker, 0, finished(worker, seq))) for seq in seqs]
    assert costs[-2].is_like(costs[1]), (costs[1], costs[-2])


# --- What people look at ------------------------------------------------------------------------


async def test_a_look_at_the_queues_costs_the_same_whatever_waits(rig: Rig) -> None:
    await rig.worker()
    call = "select * from awa.queue_stats()"
    await rig.enqueue(5)
    await cost(rig.conn, call)
    few = await cost(rig.conn, call)
    await fill(rig, 10_000)
    many = await cost(rig.conn, call)
    # A hundred waiting jobs are counted one by one, so that a rollback does not show.
    assert many.fetched <= few.fetched + 120 and many.scanned == 0, (few, many)


async def test_a_look_at_the_queues_costs_the_same_whatever_has_happened(rig: Rig) -> None:
    worker = await rig.worker()
    await warm(rig, worker)
    await rig.have_movable_clock()
    call = "select * from awa.queue_stats()"
    few = [await cost(rig.conn, call) for _ in range(3)][-1]
    await have_history(rig, worker, 5000)
    await rig.pass_time(2 * 3600)
    many = [await cost(rig.conn, call) for _ in range(3)][-1]
    assert many.is_like(few), (few, many)


@pytest.mark.parametrize("n", SIZES)
async def test_one_job_is_found_by_its_id_in_any_place(rig: Rig, n: int) -> None:
    worker = await rig.worker()
    await warm(rig, worker)
    (job,) = await rig.enqueue()
    call = text("select * from awa.jobs where id =", job)
    await cost(rig.conn, call)
    few = await cost(rig.conn, call)
    await fill(rig, n)
    many = await cost(rig.conn, call)
    assert many.fetched <= few.fetched + 5, (few, many)


@pytest.mark.parametrize("n", SIZES)
async def test_a_short_list_costs_what_it_shows(rig: Rig, n: int) -> None:
    worker = await rig.worker()
    await rig.enqueue(600)
    await worker.end(*(await worker.take(room=3))[:2])
    lists = ["null", "'available'", "'running'", "'failed'", "'scheduled'"]
    calls = [text("select * from awa.search(", state, ", null, null, 5)") for state in lists]
    few = [await cost(rig.conn, call) for call in calls * 2][len(calls) :]
    await fill(rig, n)
    many = [await cost(rig.conn, call) for call in calls]
    for before, after in zip(few, many, strict=True):
        assert after.fetched <= before.fetched * 1.1 + 50 and after.scanned == 0, (before, after)
