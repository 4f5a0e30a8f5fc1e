"""Blocking: a handler that does not let the event loop turn is a fault, and costs only itself.

Owns: what goes on while the application's loop stands still.
Keeps: the blocking handler looks at the database by itself, with a blocking client, and ends when
    it has seen what was to go on: nothing here depends on how long it takes.
Above: nobody. Below: tests.runtime.scene, awa.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import awa
from tests.rig import Rig
from tests.runtime.conftest import Clients
from tests.runtime.scene import QUICK, WITHIN_S, Runs, handle, insert, until, until_all, working

STALE_S = 1.0


def block_until(look: Callable[[], bool]) -> None:
    """Wait as no handler should: by blocking the loop it runs in."""
    until = time.monotonic() + WITHIN_S
    while not look():
        assert time.monotonic() < until, "it did not happen while the loop was blocked"
        time.sleep(0.01)


async def test_a_blocked_worker_lives_and_the_log_names_who_blocks_it(
    clients: Clients, url: str, rig: Rig, runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    client, leading = clients(), clients()
    handle(leading, runs, "other", "other")
    sql = "select clock_timestamp() - seen_at < $1 as speaks from awa.worker order by worker desc"
    sees: list[bool] = []

    @client.task(dict, kind="blocks", queue="q")
    async def blocks(job: awa.Job[Any]) -> None:
        with runs.of(job), awa.Client(url, 1) as looking:
            until = time.monotonic() + 3 * STALE_S
            block_until(lambda: time.monotonic() > until and bool(warnings(caplog)))
            with looking.transaction() as tx:
                text = sql.replace("$1", f"interval '{STALE_S} seconds'")
                sees.append(tx.fetch_one(text)["speaks"])

    options = {"heartbeat_staleness_ms": int(STALE_S * 1000)}
    async with working(leading, **options) as leader, working(client, **options):
        await until(lambda: leader.maintenance.epoch)
        (job,) = await insert(client, kind="blocks")
        await until_all(rig, [job])
    assert sees == [True], "its heartbeat did not go on"
    assert "Rescue" not in await rig.acts()
    runs.check_once([job])
    (record,) = warnings(caplog)
    assert record.kind == "blocks"
    assert f"handler of 'blocks' (job {job}) blocks the event loop for" in record.getMessage()
    assert "time.sleep" in record.getMessage()


def warnings(caplog: pytest.LogCaptureFixture) -> list[Any]:
    """What was said about a handler; the other client's watchdog knows none."""
    records = [one for one in caplog.records if one.name == "awa.runtime.watchdog"]
    return [one for one in records if one.__dict__["kind"] is not None]


async def test_what_ended_before_is_written_while_another_blocks(
    client: awa.AsyncClient, url: str, rig: Rig
) -> None:
    """They end in one turn of the loop: nobody comes to ring the bell for the first."""
    began = asyncio.Event()

    @client.task(dict, kind="ends", queue="q")
    async def ends(job: awa.Job[Any]) -> None:
        await began.wait()

    @client.task(dict, kind="blocks", queue="q")
    async def blocks(job: awa.Job[Any]) -> None:
        began.set()
        await began.wait()
        await asyncio.sleep(0)
        with awa.Client(url, 1) as looking:
            block_until(lambda: looking.get_job(first).state == awa.JobState.Completed)

    (first,), (second,) = await insert(client, kind="ends"), await insert(client, kind="blocks")
    # All slots are taken: no look into the queue takes the finish along.
    async with working(client, [("q", 2)]):
        await until_all(rig, [first, second])


async def test_other_workers_and_the_leaders_sweeps_go_on(
    client: awa.AsyncClient, url: str, rig: Rig
) -> None:
    """The blocked worker leads, and promotes; another process takes what it cannot run."""
    other = OtherProcess(url)

    @client.task(dict, kind="blocks", queue="q")
    async def blocks(job: awa.Job[Any]) -> None:
        with awa.Client(url, 1) as looking:
            due = looking.insert({}, kind="other", queue="other", run_at="2000-01-01T00:00:00Z").id
            block_until(lambda: looking.get_job(due).state == awa.JobState.Completed)

    async with working(client) as engine:
        await until(lambda: engine.maintenance.epoch)
        other.start()
        try:
            await until_all(rig, await insert(client, kind="blocks"))
        finally:
            await asyncio.to_thread(other.stop)


class OtherProcess:
    """A worker with an event loop of its own, in a thread: as far from ours as a process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_stopping.set()
        self._thread.join()

    async def _work(self) -> None:
        async with awa.AsyncClient(self._url, 1) as client:
            handle(client, Runs(), "other", "other")
            await client.start(**QUICK)
            await asyncio.to_thread(self._is_stopping.wait)
