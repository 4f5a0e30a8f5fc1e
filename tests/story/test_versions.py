"""Each supported Postgres runs a job from its enqueue to the truncation of its segment.

Owns: the smoke of every major, on a server of its own: migrate, roles, run, rotate, prune.
Keeps: the minor is pinned in tests.versions, and fetched once.
Above: nobody. Below: tests.versions, tests.store, tests.rig, awa.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

import awa
from awa.embedded import EmbeddedPostgres
from awa.store.migrate import grant_roles
from tests.rig import Rig
from tests.store.test_fresh_partition import (
    test_a_late_job_in_fresh_partitions_is_no_hole as no_hole,
)
from tests.versions import VERSIONS, fetch

pytestmark = [pytest.mark.versions, pytest.mark.slow]


@pytest.fixture(params=sorted(VERSIONS), ids=lambda major: f"pg{major}")
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database on a server of each major."""
    with EmbeddedPostgres(binaries=str(fetch(request.param))) as server:
        yield server.dsn


async def run_all(client: awa.AsyncClient) -> None:
    """Run jobs of every way in, one of them twice, and one that is scheduled."""
    done: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    @client.task(dict, kind="k", queue="q")
    def work(job: awa.Job[Any]) -> Any:
        if job.args["name"] == "again" and job.attempt == 1:
            return awa.RetryAfter(0)
        loop.call_soon_threadsafe(done.put_nowait, job.args["name"])
        return None

    at = "2001-01-01T00:00:00Z"
    await client.insert({"name": "again"}, kind="k", queue="q", tags=["a"], metadata={"b": 1})
    await client.insert({"name": "later"}, kind="k", queue="q", run_at=at, priority=1)
    await client.enqueue_many_copy([{"name": f"{n}"} for n in range(500)], kind="k", queue="q")
    async with await client.transaction() as tx:
        await tx.insert({"name": "tx"}, kind="k", queue="q")
    await client.start([("q", 20)], promote_interval_ms=20)
    async with asyncio.timeout(90):
        names = {await done.get() for _ in range(503)}
    assert names == {"again", "later", "tx", *(str(n) for n in range(500))}
    await client.shutdown()


async def check_roles(url: str) -> None:
    """Check that a producer enqueues and cannot cancel, and that a reader does neither."""
    conn = await asyncpg.connect(url)
    await conn.execute("set role awa_producer")
    number = await conn.fetchval("select id from awa.enqueue('k', '{}')")
    for role, sql in (
        ("awa_producer", f"select awa.cancel({number})"),
        ("awa_reader", "select awa.enqueue('k', '{}')"),
        ("awa_reader", "delete from awa.entry"),
    ):
        await conn.execute(f"set role {role}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute(sql)
    assert await conn.fetchval("select count(*) from awa.jobs where id = $1", number) == 1
    await conn.close()


async def test_a_job_lives_its_whole_life_on_every_version(address: str) -> None:
    async with awa.AsyncClient(address) as client:
        await client.migrate()
        await client.migrate()
        await run_all(client)
        jobs = await client.list_jobs(state="completed", limit=1000)
        assert (len(jobs), len(await client.list_jobs(limit=1000))) == (503, 503)
        assert sum(job.attempt for job in jobs) == 504
        (stats,) = await client.queue_stats()
        assert (stats.completed_last_hour, stats.total_queued) == (503, 0)
        async with Rig(address) as rig:
            leader = await rig.lead()
            await leader.rotate(3)
            waiting = await rig.enqueue(3)
            assert await leader.prune_all() != []
            assert await rig.states() == dict.fromkeys(waiting, "available")
            worker = await rig.worker()
            assert await worker.claim() == waiting
        await grant_roles(address)
        await check_roles(address)
        assert (await client.storage_status())["schema_version"] == awa.current_migration_version()


async def test_fresh_partitions_are_known_on_every_version(address: str) -> None:
    """When a backend learns of them is a matter of the server's own code."""
    async with awa.AsyncClient(address) as client:
        await client.migrate()
    async with Rig(address) as rig:
        await no_hole(rig)
