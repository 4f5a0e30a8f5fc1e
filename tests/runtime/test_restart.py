"""Restart: a Postgres that crashes and comes back is an interruption and nothing else.

Owns: a whole server of the test's own, killed under load and started again.
Keeps: every committed job is completed by the worker that was there, by itself.
Above: nobody. Below: awa.embedded, tests.runtime.scene, tests.postgres, awa.
"""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import awa
from awa.embedded import EmbeddedPostgres
from tests import postgres
from tests.rig import Rig
from tests.runtime.scene import QUICK, Runs, engine_of, insert, until, until_all


async def test_a_crash_of_the_server_loses_nothing(tmp_path: Path, runs: Runs) -> None:
    server = EmbeddedPostgres(tmp_path / "data", binaries=postgres.binaries())
    await asyncio.to_thread(server.start)
    try:
        async with awa.AsyncClient(server.dsn) as client, awa.AsyncClient(server.dsn) as producer:
            await client.migrate()
            async with Rig(server.dsn) as rig:
                await rig.conn.execute("alter database postgres set awa.trace to 'on'")
            await crash_under_load(server, client, producer, runs)
    finally:
        await asyncio.to_thread(server.stop, "immediate")


async def crash_under_load(
    server: EmbeddedPostgres, client: awa.AsyncClient, producer: awa.AsyncClient, runs: Runs
) -> None:
    """Crash it twice, and see that all that was promised is done."""

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> None:
        with runs.of(job):
            await asyncio.sleep(0.01)

    await client.start([("q", 5)], **QUICK)
    engine = engine_of(client)
    dsn, promised = server.dsn, list[int]()
    for n in range(2):
        promised += await insert(producer, 200)
        await until(partial(runs.have_begun, n * 200 + 20))
        await asyncio.to_thread(server.stop, "immediate")
        await until(lambda: not engine.dispatcher.is_connected)
        assert not (await client.health_check()).healthy
        await asyncio.to_thread(server.start)
        assert server.dsn == dsn
    async with Rig(dsn) as rig:
        await until_all(rig, promised)
        assert sorted(await rig.states()) == promised
        # Nobody was declared lost for the time in which nobody could speak.
        assert "Rescue" not in await rig.acts()
        assert engine.dispatcher.worker == 1

        async def is_healthy() -> bool:
            return (await client.health_check()).healthy

        await until(is_healthy)
    assert sorted(set(runs.began)) == promised
    assert runs.overlapped == set()
    await client.shutdown()
