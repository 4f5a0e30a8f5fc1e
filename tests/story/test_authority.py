"""Each program with the rights of its role, and no more: a producer, a worker, an operator.

Owns: whole programs that log in as a role's member.
Keeps: nobody of them owns the schema, or may read or write a table of it.
Above: nobody. Below: tests.rig, awa.
"""

import re
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest

import awa
from awa.store.migrate import grant_roles
from tests.rig import Rig
from tests.runtime.scene import until

ROLES = ("producer", "worker", "operator", "reader")


@pytest.fixture
async def address(rig: Rig) -> AsyncIterator[dict[str, str]]:
    """An address for each role, with a login of its own."""
    await grant_roles(rig.url)
    run, secret = secrets.token_hex(4), secrets.token_hex(8)
    made = {}
    for role in ROLES:
        login = f"awa_test_{role}_{run}"
        await rig.conn.execute(f"create role {login} login password '{secret}' in role awa_{role}")
        made[role] = re.sub(r"//[^@]+@", f"//{login}:{secret}@", rig.url)
    yield made
    for role in ROLES:
        await rig.conn.execute(f"drop role awa_test_{role}_{run}")


async def test_a_job_goes_its_way_through_programs_with_the_rights_they_need(
    address: dict[str, str], rig: Rig
) -> None:
    done: list[int] = []
    async with (
        awa.AsyncClient(address["producer"]) as producer,
        awa.AsyncClient(address["worker"]) as worker,
        awa.AsyncClient(address["operator"]) as operator,
    ):

        @worker.task(dict, kind="k", queue="q")
        async def run(job: awa.Job[dict[str, Any]]) -> None:
            done.append(job.id)

        jobs = [await producer.insert({}, kind="k", queue="q")]
        jobs += await producer.insert_many_copy([{}] * 3, kind="k", queue="q")
        async with await producer.transaction() as tx:
            jobs.append(await tx.insert({}, kind="k", queue="q"))
        later = await producer.insert({}, kind="k", queue="q", run_at="2100-01-01T00:00:00Z")
        await worker.start([("q", 2)], leader_election_interval_ms=100)
        await until(lambda: len(done) == len(jobs))
        health = await worker.health_check()
        assert health.healthy and health.postgres_connected
        await worker.shutdown()
        assert {one.state for one in await operator.list_jobs()} == {
            awa.JobState.Completed,
            awa.JobState.Scheduled,
        }
        assert (await operator.cancel(later.id)).state is awa.JobState.Cancelled
        assert (await operator.queue_stats())[0].completed_last_hour == len(jobs)
        assert (await producer.health_check()).postgres_connected


async def test_nobody_does_what_another_role_is_for(address: dict[str, str], rig: Rig) -> None:
    async with awa.AsyncClient(address["reader"]) as reader:
        assert await reader.list_jobs() == []
        with pytest.raises(awa.DatabaseError, match="permission denied"):
            await reader.insert({}, kind="k")
    async with awa.AsyncClient(address["producer"]) as producer:
        job = await producer.insert({}, kind="k")
        with pytest.raises(awa.DatabaseError, match="permission denied"):
            await producer.cancel(job.id)
    assert set((await rig.states()).values()) == {"available"}
