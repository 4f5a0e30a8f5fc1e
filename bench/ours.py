"""What only Awa is asked: what grows with backlog, history, time and others' transactions.

Owns: those phases, each beside the plain one it is compared with.
Keeps: what is compared is interleaved in the same run. A history that is made up by SQL has the
    rows that a real one has.
Above: core. Below: phases, server.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from awa.client import AsyncClient
from awa.demo.command import dead_tuples
from awa.lab.check import check
from awa.lab.collect import collect
from awa.lab.monitor import Monitor
from awa.store.recorder import recorder
from bench.phases import Costs, bulk, drain, workers

__all__ = [
    "depth",
    "disturbed",
    "history",
    "logs_dead",
    "memory",
    "mixed",
    "traced",
    "two_processes",
]

ROOT = Path(__file__).parent


async def two_processes(at: Costs, count: int, rounds: int) -> dict[str, float]:
    """Drain with two worker processes, beside one."""
    one, two = [], []
    for _ in range(rounds):
        await bulk(at, count)
        one.append((await drain(at, count))["drain_per_s"])
        await bulk(at, count)
        two.append((await drain(at, count, 2))["drain_per_s"])
    return {"drain_two_processes_vs_one": median(two) / median(one)}


@asynccontextmanager
async def _snapshot(url: str) -> AsyncIterator[None]:
    """Hold an old snapshot open."""
    conn = await asyncpg.connect(url)
    try:
        async with conn.transaction(isolation="repeatable_read"):
            await conn.fetchval("select count(*) from awa.queue")
            yield
    finally:
        await conn.close()


@asynccontextmanager
async def _writer(url: str) -> AsyncIterator[None]:
    """Hold a transaction open that has enqueued one job."""
    async with AsyncClient(url, 2) as client:
        tx = await client.transaction()
        await tx.insert({"n": -1}, kind="noop", queue="bench")
        try:
            yield
        finally:
            await tx.rollback()


async def disturbed(at: Costs, count: int, rounds: int) -> dict[str, float]:
    """Drain while others hold an old snapshot, or a transaction with one job in it, open."""
    plain, snapshot, writer = [], [], []
    for _ in range(rounds):
        await bulk(at, count)
        plain.append((await drain(at, count))["drain_per_s"])
        async with _snapshot(at.url):
            await bulk(at, count)
            snapshot.append((await drain(at, count))["drain_per_s"])
        async with _writer(at.url):
            await bulk(at, count)
            writer.append((await drain(at, count))["drain_per_s"])
    return {
        "drain_under_old_snapshot_vs_plain": median(snapshot) / median(plain),
        "drain_under_open_writer_vs_plain": median(writer) / median(plain),
    }


async def traced(at: Costs, count: int, rounds: int) -> dict[str, float]:
    """Drain while every transition writes its event, beside plain; and judge what was traced."""
    monitor, after = Monitor(), 0
    plain, told, traces = [], [], []
    for _ in range(rounds):
        await bulk(at, count)
        plain.append(await drain(at, count))
        async with recorder(at.url) as store:
            await store.record(True)
        await bulk(at, count)
        told.append(await drain(at, count))
        async with recorder(at.url) as store:
            await store.record(False)
            # By themselves: of what came between, nothing is known.
            traces.append(await collect(store, "bench", after))
            after = traces[-1].events[-1].n
    reports = [check(trace, monitor) for trace in traces]
    return {
        "drain_traced_vs_plain": _ratio("drain_per_s", told, plain),
        "drain_traced_postgres_vs_plain": _ratio("drain_postgres_us", told, plain),
        "traced_illegal": sum(report.illegal for report in reports),
    }


def _ratio(name: str, ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> float:
    """Return one median by another."""
    return median(one[name] for one in ours) / median(one[name] for one in theirs)


async def memory(at: Costs, few: int, many: int) -> dict[str, float]:
    """Have one worker run few jobs, then many, and compare what it occupies."""
    (worker,) = await workers(at, 1)
    await bulk(at, few)
    await worker.until_count(few)
    before = worker.rss_kb
    for _ in range(0, many - few, 100_000):
        await bulk(at, 100_000)
        await worker.until_count(worker.count)
    await worker.until_count(many)
    after = worker.rss_kb
    await worker.stop()
    return {"rss_kb_after_few": before, "rss_kb_after_many": after}


async def depth(at: Costs, waiting: int, count: int) -> dict[str, float]:
    """Drain the first jobs of a deep backlog, beside as many on a shallow one; the rest stays."""
    await bulk(at, count)
    shallow = await drain(at, count)
    await bulk(at, waiting)
    deep = await drain(at, count)
    deep_looks = await looks(at.url)
    return {
        "deep_postgres_us": deep["drain_postgres_us"],
        "shallow_postgres_us": shallow["drain_postgres_us"],
        "deep_vs_shallow_postgres": deep["drain_postgres_us"] / shallow["drain_postgres_us"],
        **{f"deep_{name}": value for name, value in deep_looks.items()},
    }


async def history(at: Costs, claims: int, count: int) -> dict[str, float]:
    """Drain with a day of segments and so many finished claims behind, beside a drain before."""
    await bulk(at, count)
    before = await drain(at, count)
    fresh_looks = await looks(at.url)
    conn = await asyncpg.connect(at.url)
    try:
        await conn.execute((ROOT / "history.sql").read_text().replace("{claims}", str(claims)))
        # Or autovacuum would, in the middle of what is measured.
        for log in ("claim", "part"):
            await conn.execute(f"vacuum analyze awa.{log}")
    finally:
        await conn.close()
    await bulk(at, count)
    after = await drain(at, count)
    old_looks = await looks(at.url)
    return {
        "history_vs_fresh_postgres": after["drain_postgres_us"] / before["drain_postgres_us"],
        "history_vs_fresh_drain": after["drain_per_s"] / before["drain_per_s"],
        **{f"fresh_{name}": value for name, value in fresh_looks.items()},
        **{f"history_{name}": value for name, value in old_looks.items()},
    }


async def looks(url: str) -> dict[str, float]:
    """Return how long get_job, queue_stats and "what is open under this worker" take, in ms."""
    async with AsyncClient(url, 2) as client:
        job = await client.insert({"n": 0}, kind="look", queue="look")
        conn = await asyncpg.connect(url)
        worker = await conn.fetchval("select max(worker) from awa.worker")

        async def held() -> None:
            await conn.fetch("select * from awa.open_entries($1)", worker)

        try:
            return {
                "get_job_ms": await _time(lambda: client.get_job(job.id)),
                "queue_stats_ms": await _time(client.queue_stats),
                "open_entries_ms": await _time(held),
            }
        finally:
            await conn.close()


async def _time(call: Any) -> float:
    """Return the median of some calls, in ms."""
    times = []
    for _ in range(25):
        began = time.perf_counter()
        await call()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


async def mixed(at: Costs, count: int, slots: int) -> dict[str, float]:
    """Run handlers of 0 to 200 ms, 5 % of them failing, over many queues, in two processes."""
    said = await at.peer.call("bulk_mixed", at.url, count)
    total = said["count"]
    async with at.watch() as watch:
        started = [await at.peer.start("mixed", at.url, slots) for _ in range(2)]
        for one in started:
            await one.until("ready")
        while sum(one.count for one in started) < total:
            await asyncio.gather(*(one.line() for one in started))
        ended = [await one.stop() for one in started]
    first = min(one["first"] for one in ended)
    last = max(one["last"] for one in ended)
    return {
        "mixed_per_s": total / (last - first),
        "mixed_worker_us": sum(one["cpu_s"] for one in ended) / total * 1e6,
        "mixed_postgres_us": watch.spent.cpu_s / total * 1e6,
        "mixed_wal_bytes": watch.spent.wal_bytes / total,
        "mixed_xact_per_job": watch.spent.commits / total,
    }


async def logs_dead(url: str) -> dict[str, int]:
    """Return the dead tuples of the logs, counted on their pages."""
    conn = await asyncpg.connect(url)
    try:
        dead = await dead_tuples(conn)
    finally:
        await conn.close()
    logs = ("entry", "claim", "hole", "part", "ending", "deferred")
    return {
        "dead_tuples": sum(n for name, n in dead.items() if name.startswith(logs)),
        "dead_tuples_elsewhere": sum(n for name, n in dead.items() if not name.startswith(logs)),
    }
