"""Clean: after a stop there is no thread, task or connection of ours.

Owns: what is left, of a quiet life and of one with faults in it.
Keeps: a warning of Python's about something that was not closed fails the test by itself.
Above: nobody. Below: tests.runtime.scene, awa.
"""

import asyncio
import gc
import threading
from typing import Any

import awa
from tests.rig import Rig
from tests.runtime.scene import (
    QUICK,
    Runs,
    backends,
    cut,
    handle,
    insert,
    runtime_threads,
    until,
    until_all,
)


async def leaves_nothing(rig: Rig, tasks: set["asyncio.Task[Any]"]) -> None:
    """Check that nothing is left, once the server has noticed that its clients have gone."""
    await until(lambda: runtime_threads() == [])
    assert asyncio.all_tasks() == tasks
    await until(lambda: nobody(rig))
    # What was not closed says so when it is collected.
    gc.collect()


async def nobody(rig: Rig) -> bool:
    return await backends(rig) == []


async def test_a_quiet_life_leaves_nothing(url: str, rig: Rig, runs: Runs) -> None:
    tasks = asyncio.all_tasks()
    async with awa.AsyncClient(url) as client:
        handle(client, runs)

        @client.task(dict, kind="plain", queue="q")
        def plain(job: awa.Job[Any]) -> None:
            assert threading.current_thread().name.startswith("awa-handler")

        for _ in range(2):
            await client.start(**QUICK)
            assert {"awa-engine", "awa-heartbeat"} <= set(runtime_threads())
            await until_all(rig, await insert(client, 5) + await insert(client, 5, kind="plain"))
            await client.shutdown()
            await until(lambda: runtime_threads() == [])
            # The pool is the client's, and stays.
            assert len(await backends(rig)) <= 2
    await leaves_nothing(rig, tasks)


async def test_a_life_with_faults_leaves_nothing(url: str, rig: Rig, runs: Runs) -> None:
    tasks = asyncio.all_tasks()
    cancelled: list[int] = []
    async with awa.AsyncClient(url) as client:

        @client.task(dict, kind="k", queue="q")
        async def endless(job: awa.Job[Any]) -> None:
            with runs.of(job):
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    cancelled.append(job.id)
                    raise

        await client.start([("q", 5)], **QUICK)
        jobs = await insert(client, 5)
        await until(lambda: len(runs.began) == 5)
        await cut(rig, "%")
        await client.shutdown(100)
        await until(lambda: sorted(cancelled) == jobs)
    await leaves_nothing(rig, tasks)


async def test_a_client_that_never_worked_leaves_nothing(url: str, rig: Rig) -> None:
    tasks = asyncio.all_tasks()
    async with awa.AsyncClient(url) as client:
        await insert(client)
    async with awa.AsyncClient(url):
        pass
    await leaves_nothing(rig, tasks)
