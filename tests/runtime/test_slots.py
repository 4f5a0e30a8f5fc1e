"""Slots: how many handlers run at once, and which jobs come first.

Owns: max_workers, claim_batch_size, priorities, several queues and kinds in one worker.
Keeps: a slot is taken from the claim until the handler has really ended.
Above: nobody. Below: tests.runtime.scene, awa.
"""

import asyncio
import threading
from typing import Any

import awa
from awa.attempt import Attempt
from awa.config import QueueConfig
from awa.runtime.pace import Pace
from awa.runtime.slots import QueueSlots, Slots
from tests.rig import Rig
from tests.runtime.conftest import Clients
from tests.runtime.scene import Runs, handle, insert, until, until_all, working


async def test_slots_are_filled_and_never_exceeded(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    full, released = asyncio.Event(), asyncio.Event()

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> None:
        with runs.of(job):
            if len(runs.began) >= 3:
                full.set()
            await released.wait()
            await asyncio.sleep(0.001)

    jobs = await insert(client, 60)
    async with working(client, [("q", 3)]) as engine:
        await full.wait()
        # What is claimed fills a slot as well as what runs.
        assert len(await claimed(rig)) == 3
        (slots,) = engine.dispatcher.slots.queue_by_number.values()
        assert slots.room == 0
        released.set()
        await until_all(rig, jobs)
    assert runs.most == 3
    runs.check_once(jobs)


async def claimed(rig: Rig) -> list[int]:
    return [number for number, state in (await rig.states()).items() if state == "running"]


async def test_plain_functions_run_beside_each_other_in_threads(
    client: awa.AsyncClient, rig: Rig
) -> None:
    """Each waits for all: with one thread less they would wait for ever."""
    meeting = threading.Barrier(4)

    @client.task(dict, kind="k", queue="q")
    def handler(job: awa.Job[Any]) -> None:
        meeting.wait(timeout=20)

    jobs = await insert(client, 8)
    async with working(client, [("q", 4)]):
        await until_all(rig, jobs)
    assert not meeting.broken


async def test_urgent_jobs_run_first_and_equals_in_their_order(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    handle(client, runs)
    by_priority = {
        priority: await insert(client, 3, priority=priority) for priority in (4, 2, 1, 3)
    }
    async with working(client, [("q", 1)]):
        for jobs in by_priority.values():
            await until_all(rig, jobs)
    assert runs.began == [job for priority in (1, 2, 3, 4) for job in by_priority[priority]]


async def test_each_queue_has_slots_of_its_own(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    release = asyncio.Event()
    handle(client, runs, "quick", "quick")

    @client.task(dict, kind="slow", queue="slow")
    async def slow(job: awa.Job[Any]) -> None:
        await release.wait()

    slow_jobs = await insert(client, 5, kind="slow", queue="slow")
    quick_jobs = await insert(client, 20, kind="quick", queue="quick")
    async with working(client, [("slow", 2), ("quick", 2), ("unserved", 0)]):
        await until_all(rig, quick_jobs)
        assert len(await claimed(rig)) == 2
        release.set()
        await until_all(rig, slow_jobs)
    assert runs.most <= 2


def test_what_runs_can_be_gone_through_while_it_changes() -> None:
    """The heartbeat's thread does, at any moment."""
    slots = Slots([QueueSlots(QueueConfig(name="q"), 1, Pace(0.2))])
    for seq in range(3):
        slots.take(Attempt({"claim": 1 << 40, "seq": seq}, "q", None))
    running = slots.running()
    seen = [next(running).seq]
    slots.take(Attempt({"claim": 1 << 40, "seq": 3}, "q", None))
    assert [*seen, *(one.seq for one in running)] == [0, 1, 2]


async def test_a_kind_is_handled_whichever_queue_it_comes_from(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    handle(client, runs, "k", "home")
    jobs = await insert(client, queue="home") + await insert(client, queue="away")
    async with working(client, [("home", 1), {"name": "away", "max_workers": 1}]):
        await until_all(rig, jobs)
    runs.check_once(jobs)


async def test_a_kind_without_a_handler_is_left_for_who_has_one(
    clients: Clients, rig: Rig, runs: Runs
) -> None:
    knows, ignorant = clients(), clients()
    handle(ignorant, runs, "known")
    unknown = await insert(ignorant, 3, kind="unknown")
    known = await insert(ignorant, 3, kind="known")
    async with working(ignorant):
        await until_all(rig, known)
        assert [(await rig.states())[job] for job in unknown] == ["available"] * 3
        handle(knows, runs, "unknown")
        async with working(knows):
            await until_all(rig, unknown)
    runs.check_once(known + unknown)


async def test_two_workers_share_a_queue_and_no_job(clients: Clients, rig: Rig, runs: Runs) -> None:
    both = [clients(), clients()]
    for client in both:
        handle(client, runs)
    jobs = await insert(both[0], 300)
    async with working(both[0], [("q", 5)]) as first, working(both[1], [("q", 5)]) as second:
        await until_all(rig, jobs)
        counts = [engine.dispatcher.counts["claimed"] for engine in (first, second)]
    runs.check_once(jobs)
    assert sum(counts) == 300
    assert runs.most <= 10


async def test_a_paused_queue_runs_nothing_until_it_is_resumed(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    handle(client, runs)
    handle(client, runs, "k2", "q2")
    await client.pause_queue("q", "a test")
    jobs = await insert(client, 2)
    async with working(client) as engine:
        others = await insert(client, 2, kind="k2", queue="q2")
        await until_all(rig, others)
        # Both queues are asked alike.
        steps = engine.dispatcher.counts["steps"]
        await until(lambda: engine.dispatcher.counts["steps"] > steps + 1)
        assert set(runs.began) == set(others)
        await client.resume_queue("q")
        await until_all(rig, jobs)
