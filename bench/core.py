"""The core's costs: what a job costs from enqueue to completed, beside the machine and awa-pg.

Owns: which phases are run, how often and in which order, and how they become one result.
Keeps: rounds are interleaved, each on a fresh database, and the median of them counts; so a noisy
    minute of the machine meets all. awa-pg that cannot be had is said to be absent.
Above: __main__. Below: limits, ours, peers, phases, server.
"""

import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from awa.embedded import EmbeddedPostgres
from bench import ours, phases
from bench.limits import limits
from bench.peers import Peer, installed_awa_pg, our_peer
from bench.phases import Costs
from bench.server import make_database, started

__all__ = ["Sizes", "core"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much of each thing is done."""

    rounds: int = 3
    drained: int = 200_000
    peer_drained: int = 20_000
    singles: int = 1_000
    pickup_s: float = 10.0
    idle_s: float = 10.0
    waiting: int = 1_000_000
    claims: int = 1_000_000
    remembered: int = 1_000_000
    mixed: int = 12_000


BUDGET = Sizes(
    rounds=2,
    drained=60_000,
    peer_drained=6_000,
    singles=300,
    pickup_s=4.0,
    idle_s=4.0,
    waiting=0,
    claims=0,
    remembered=0,
    mixed=0,
)
"""Small enough for the gate: a few minutes."""


def say(text: str) -> None:
    """Say on stderr how far it is."""
    print(text, file=sys.stderr, flush=True)


async def core(
    sizes: Sizes, binaries: str | None, keep: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Run everything; return one flat object, with `vs_awa_pg` in it.

    `keep` is given what there is after each part, so that a fault in the last loses no other.
    """
    peers = [our_peer()]
    with contextlib.suppress(OSError, RuntimeError):
        peers.append(installed_awa_pg())
    with started(binaries) as server:
        try:
            return await _core(sizes, peers, server, keep)
        finally:
            for peer in peers:
                peer.kill_all()


async def _core(
    sizes: Sizes,
    peers: list[Peer],
    server: EmbeddedPostgres,
    keep: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {peer.name: [] for peer in peers}
    limited = []
    for number in range(sizes.rounds):
        limited.append(
            await limits(await make_database(server.dsn, "bench_limits"), 20_000, 500, 2_000)
        )
        # Whoever goes first in one round goes last in the next.
        for peer in peers if number % 2 == 0 else peers[::-1]:
            say(f"round {number + 1} of {sizes.rounds}: {peer.name}")
            url = await make_database(server.dsn, "bench")
            at = Costs(peer, url, server.pid)
            found[peer.name].append(await _round(at, sizes))
    mine = _median(found["awa"])
    result = {**_median(limited), **mine}
    if "awa-pg" in found:
        theirs = _median(found["awa-pg"])
        result["awa_pg"] = theirs
        result["vs_awa_pg"] = _versus(mine, theirs)
    keep(_told(result))
    async for part in _alone(sizes, our_peer(), server):
        result.update(part)
        keep(_told(result))
    return _told(result)


async def _round(at: Costs, sizes: Sizes) -> dict[str, Any]:
    """Take one library through all phases on a fresh database."""
    is_ours = at.peer.name == "awa"
    await at.peer.migrate(at.url)
    count = sizes.drained if is_ours else sizes.peer_drained
    results: list[dict[str, Any]] = [
        await phases.bulk(at, count),
        await phases.drain(at, count),
    ]
    if is_ours:
        results.append(await ours.logs_dead(at.url))
    results.append(await phases.single(at, sizes.singles))
    results.extend([await phases.pickup(at, rate, sizes.pickup_s) for rate in (50, 200)])
    results.append(await phases.idle(at, sizes.idle_s))
    return phases.merged(*results)


async def _alone(
    sizes: Sizes, peer: Peer, server: EmbeddedPostgres
) -> AsyncIterator[dict[str, Any]]:
    """Run the phases that only Awa is asked, one by one."""
    say("two processes, an old snapshot, an open writer")
    url = await make_database(server.dsn, "bench")
    await peer.migrate(url)
    at = Costs(peer, url, server.pid)
    few = min(sizes.drained, 100_000)
    yield await ours.two_processes(at, few, sizes.rounds)
    yield await ours.disturbed(at, few, sizes.rounds)
    say("traced")
    yield await ours.traced(at, few, sizes.rounds)
    if sizes.mixed:
        say("mixed load")
        yield await ours.mixed(at, sizes.mixed, 50)
    if sizes.claims:
        say("history")
        yield await ours.history(at, sizes.claims, 50_000)
    if sizes.waiting:
        say("depth")
        url = await make_database(server.dsn, "bench")
        await peer.migrate(url)
        yield await ours.depth(Costs(peer, url, server.pid), sizes.waiting, 50_000)
    if sizes.remembered:
        say("memory")
        url = await make_database(server.dsn, "bench")
        await peer.migrate(url)
        at = Costs(peer, url, server.pid)
        yield await ours.memory(at, 10_000, sizes.remembered)


def _median(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median of each figure over the rounds."""
    return {name: median(one[name] for one in rounds) for name in rounds[0]}


def _versus(mine: dict[str, Any], theirs: dict[str, Any]) -> dict[str, float]:
    """Return ours divided by theirs."""

    def ratio(name: str) -> float:
        return float(mine[name] / theirs[name]) if theirs[name] else float("inf")

    return {
        "drain": ratio("drain_per_s"),
        "worker_cpu": ratio("drain_worker_us"),
        "postgres_cpu": ratio("drain_postgres_us"),
        "wal": (mine["bulk_wal_bytes"] + mine["drain_wal_bytes"])
        / (theirs["bulk_wal_bytes"] + theirs["drain_wal_bytes"]),
        # The worse of the two rates.
        "pickup_p50": max(ratio("pickup_p50_ms_50"), ratio("pickup_p50_ms_200")),
        "pickup_p99": max(ratio("pickup_p99_ms_50"), ratio("pickup_p99_ms_200")),
        "postgres_cpu_at_50": ratio("postgres_us_at_50"),
        "postgres_cpu_at_200": ratio("postgres_us_at_200"),
        "idle": ratio("idle_core_percent"),
        "bulk": ratio("bulk_per_s"),
        "single": ratio("single_per_s"),
    }


def _told(result: dict[str, Any]) -> dict[str, Any]:
    """Return the result with the figures that are told of it first."""
    first = {
        "drain_per_s": result["drain_per_s"],
        "wal_bytes_per_job": result["bulk_wal_bytes"] + result["drain_wal_bytes"],
        "xact_per_job": result["drain_xact_per_job"],
        "dead_tuples": result["dead_tuples"],
        "bulk_vs_copy": result["bulk_per_s"] / result["limit_copy_per_s"],
        "single_vs_commit": result["single_per_s"] / result["limit_commit_per_s"],
        "pickup_p50_vs_round_trip": result["pickup_p50_ms_50"]
        * result["limit_round_trip_per_s"]
        / 1000,
    }
    return first | result
