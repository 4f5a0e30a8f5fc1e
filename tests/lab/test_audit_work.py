"""The audit of real work: clients, failures, kills and sweeps at the same time.

Owns: that what concurrent work commits is all told, and nothing is told that was not done.
Keeps: the work is the client's and the leader's own; only who is cut off is decided here.
Above: nobody. Below: awa, awa.lab, tests.
"""

import asyncio
import contextlib
import random
from typing import Any

import pytest

import awa
from awa.store.leader import LeaderStore
from tests.lab.audit import audited_database, by_acts, logical
from tests.rig import Rig
from tests.runtime.scene import Runs, backends, insert, working

WORK_S = 10.0
BOTH = ("k", "strange")
TELLS = {"Enqueue", "Claim", "Complete", "Retry", "Fail", "Snooze", "Cancel", "Promote", "Divert"}
TELLS |= {"Lose", "Rescue", "Done", "Redrive", "Discard", "Register", "Elect", "Open", "Prune"}


def handle(client: awa.AsyncClient, runs: Runs, chance: random.Random) -> None:
    """Have a handler that does whatever a handler can do."""

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> Any:
        with runs.of(job):
            await asyncio.sleep(chance.random() / 50)
            match chance.randrange(12):
                case 0 if job.attempt < 3:
                    raise ValueError("it failed")
                case 1:
                    return awa.Snooze(0.1)
                case 2:
                    return awa.Cancel("it is not wanted")
                case 3:
                    return awa.RetryAfter(0.1)
        return None


async def produce(client: awa.AsyncClient, rig: Rig, jobs: list[int]) -> None:
    """Enqueue without end: alone, in batches, later, into unheard queues, and rolled back."""
    at = await rig.conn.fetchval("select clock_timestamp()::text")
    while True:
        await asyncio.sleep(0.02)
        # Whoever is cut off does not know whether it was committed.
        with contextlib.suppress(awa.AwaError):
            jobs += await insert(client, 20)
            jobs += await insert(client, 2, run_at=at)
            await insert(client, 1, kind="strange")
            jobs.append((await client.insert({}, kind="k", queue="q", max_attempts=1)).id)
            tx = await client.transaction()
            await tx.insert({}, kind="k", queue="q")
            await tx.rollback()


async def disturb(rig: Rig, jobs: list[int], chance: random.Random) -> None:
    """Cut connections, let a worker die, and do what operators do."""
    while True:
        await asyncio.sleep(0.3)
        for job in chance.sample(jobs, min(10, len(jobs))):
            await rig.operator.cancel(job)
        # It takes what nobody else knows, ends most of it, and is never heard of again.
        dead = await rig.worker(kinds=BOTH)
        seqs = await dead.take(30, kinds=BOTH, asleep=True)
        for pid in chance.sample(found := await backends(rig, "%awa.%"), min(1, len(found))):
            await rig.conn.execute("select pg_terminate_backend($1)", pid)
        await rig.operator.redrive_failed("k", None)
        await dead.end(*seqs[4:])
        await dead.end(*seqs[2:4], verdict="fail", error="it was so")
        await rig.operator.discard_failed("k")


async def turn(rig: Rig) -> None:
    """Rotate and prune as the leader of the moment does, far more often."""
    store = LeaderStore(await rig.connect())
    while True:
        epoch = await rig.watcher.fetchval("select epoch from leader")
        with contextlib.suppress(awa.AwaError):
            while await store.rotate(epoch, 0.5, 2**40) is not None:
                pass
            while await store.prune(epoch, 0, 100) is not None:
                pass
        await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_what_concurrent_work_commits_is_all_told() -> None:
    chance, runs, jobs = random.Random(7), Runs(), list[int]()
    with logical() as server:
        async with audited_database(server) as audit, Rig(audit.url) as rig:
            await work(audit.url, rig, runs, jobs, chance)
            assert [str(one) for one in await audit.findings()] == []
    told = by_acts(audit.ledger.explained)
    assert {act for _, _, act in told} >= TELLS
    assert len(runs.ended) > 500 and audit.transactions > 1000


async def work(url: str, rig: Rig, runs: Runs, jobs: list[int], chance: random.Random) -> None:
    """Work for a while, with two clients and all that gets in their way."""
    async with awa.AsyncClient(url) as one, awa.AsyncClient(url) as two, awa.AsyncClient(url) as p:
        for client in (one, two):
            handle(client, runs, chance)
        options: dict[str, Any] = {"heartbeat_staleness_ms": 1000}
        async with working(one, [("q", 10)], **options), working(two, [("q", 10)], **options):
            others = [produce(p, rig, jobs), disturb(rig, jobs, chance), turn(rig)]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WORK_S), asyncio.TaskGroup() as group:
                    for other in others:
                        group.create_task(other)
