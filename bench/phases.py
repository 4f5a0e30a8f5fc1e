"""The phases that Awa and awa-pg both go through, one measured thing each.

Owns: what is done in a phase and which counters are read around it.
Keeps: a rate is of what was done, a cost is of one job. These phases leave the queue empty.
Above: core. Below: peers, server.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from bench.peers import Peer, Process
from bench.server import Watch

__all__ = ["Costs", "bulk", "drain", "idle", "pickup", "single"]

SLOTS = 1024
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Costs:
    """Where a phase is measured: which library, on which database of which server."""

    peer: Peer
    url: str
    postmaster: int

    def watch(self) -> Watch:
        """Return what reads the server's counters around a phase."""
        return Watch(self.url, self.postmaster)


async def bulk(at: Costs, count: int) -> dict[str, float]:
    """Enqueue in bulk, a thousand a call."""
    async with at.watch() as watch:
        said = await at.peer.call("bulk", at.url, count, BATCH)
    return {
        "bulk_per_s": count / said["seconds"],
        "bulk_postgres_us": watch.spent.cpu_s / count * 1e6,
        "bulk_wal_bytes": watch.spent.wal_bytes / count,
    }


async def single(at: Costs, count: int) -> dict[str, float]:
    """Enqueue one by one, each in a transaction of its own."""
    async with at.watch() as watch:
        said = await at.peer.call("single", at.url, count)
    return {
        "single_per_s": count / said["seconds"],
        "single_postgres_us": watch.spent.cpu_s / count * 1e6,
    }


async def workers(at: Costs, processes: int, *, stamps: bool = False) -> list[Process]:
    """Start worker processes and wait until they serve."""
    how = "stamps" if stamps else "no"
    started = [await at.peer.start("work", at.url, SLOTS, how) for _ in range(processes)]
    for one in started:
        await one.until("ready")
    return started


async def drain(at: Costs, count: int, processes: int = 1) -> dict[str, float]:
    """Run so many no-op jobs that wait already."""
    async with at.watch() as watch:
        started = await workers(at, processes)
        await _all_counted(started, count)
        ended = [await one.stop() for one in started]
    first = min(one["first"] for one in ended if one["first"] is not None)
    last = max(one["last"] for one in ended if one["last"] is not None)
    done = sum(one["count"] for one in ended)
    return {
        "drain_per_s": done / (last - first),
        "drain_worker_us": sum(one["cpu_s"] for one in ended) / done * 1e6,
        "drain_postgres_us": watch.spent.cpu_s / done * 1e6,
        "drain_wal_bytes": watch.spent.wal_bytes / done,
        "drain_xact_per_job": watch.spent.commits / done,
        "rss_kb": max(one["rss_kb"] for one in ended),
    }


async def _all_counted(started: list[Process], count: int) -> None:
    """Wait until these processes together have run so many jobs; raise if one ends before."""
    lines = {asyncio.create_task(one.line()): one for one in started}
    while sum(one.count for one in started) < count:
        for said in (await asyncio.wait(lines, return_when=asyncio.FIRST_COMPLETED))[0]:
            one = lines.pop(said)
            said.result()
            lines[asyncio.create_task(one.line())] = one
    for line in lines:
        line.cancel()
    await asyncio.gather(*lines, return_exceptions=True)


async def pickup(at: Costs, rate: int, seconds: float) -> dict[str, float]:
    """Enqueue at a steady rate in one process, run in another; from insert returned to start."""
    (worker,) = await workers(at, 1, stamps=True)
    # Elections, first heartbeats and the like are over after a second.
    await asyncio.sleep(1)
    async with at.watch() as watch:
        said = await at.peer.call("pace", at.url, rate, seconds)
    began: dict[str, float] = (await worker.stop())["began"]
    returned: dict[str, float] = said["returned"]
    waits = sorted(max(0.0, began[n] - at_s) * 1000 for n, at_s in returned.items() if n in began)
    assert len(waits) == len(returned), "a job was not run"
    return {
        f"pickup_p50_ms_{rate}": percentile(waits, 50),
        f"pickup_p99_ms_{rate}": percentile(waits, 99),
        f"postgres_us_at_{rate}": watch.spent.cpu_s / len(waits) * 1e6,
    }


def percentile(values: list[float], percent: int) -> float:
    """Return the smallest of these sorted values that is not below so many percent of them."""
    return values[min(len(values) - 1, len(values) * percent // 100)]


async def idle(at: Costs, seconds: float) -> dict[str, float]:
    """Have one worker wait for nothing; the server's own idling is taken off."""
    async with at.watch() as without:
        await asyncio.sleep(seconds)
    (worker,) = await workers(at, 1)
    await asyncio.sleep(2)
    async with at.watch() as watch:
        await asyncio.sleep(seconds)
    await worker.stop()
    spent = watch.spent.cpu_s - without.spent.cpu_s
    return {"idle_core_percent": max(0.0, spent) / seconds * 100}


def merged(*results: dict[str, Any]) -> dict[str, Any]:
    """Return several phases' results as one."""
    return {name: value for one in results for name, value in one.items()}
