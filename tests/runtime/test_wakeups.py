"""Wake-ups: a sleeper is told of a job, and finds it without being told.

Owns: which of the two makes an idle worker look.
Keeps: where the notification is tested the poll comes only after a minute, and the other way round
    there is no notification: each shows itself by working alone.
Above: nobody. Below: tests.runtime.scene, awa.
"""

import asyncio
from functools import partial
from time import monotonic

import pytest

from awa.runtime.pace import Pace
from tests.rig import Rig
from tests.runtime.conftest import Clients
from tests.runtime.scene import (
    RARELY,
    RARELY_S,
    Runs,
    handle,
    insert,
    looks_in_s,
    until,
    until_all,
    until_asleep,
    working,
)

BELL = "select awa.set_bell(bell, $1) from awa.queue where name = 'q'"
WAITS = "select cardinality(pg_blocking_pids($1)) > 0"


async def test_an_idle_worker_is_told(clients: Clients, rig: Rig, runs: Runs) -> None:
    client, producer = clients(), clients()
    handle(client, runs)
    async with working(client, **RARELY) as engine:
        await until(lambda: engine.dispatcher.is_listening)
        for _ in range(3):
            await until_asleep(rig, engine)
            steps = engine.dispatcher.counts["steps"]
            job = await producer.insert({}, kind="k", queue="q")
            await until_all(rig, [job.id])
            # One that claims, one that finishes and announces the sleep: nobody polled meanwhile.
            assert engine.dispatcher.counts["steps"] - steps <= 4
    runs.check_once([1, 2, 3])


async def test_who_is_told_during_a_look_looks_again(
    clients: Clients, rig: Rig, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has looked, is stopped before its claim commits; the next job comes, and it is told."""
    client, producer = clients(), clients()
    handle(client, runs)
    heard: list[Pace] = []
    wake = Pace.wake

    def hear(pace: Pace) -> None:
        heard.append(pace)
        wake(pace)

    monkeypatch.setattr(Pace, "wake", hear)
    async with working(client, **RARELY) as engine:
        await until(lambda: engine.dispatcher.is_listening)
        await until_asleep(rig, engine)
        conn = engine.dispatcher._conn
        async with rig.gate(conn, "passed"):
            jobs = await insert(producer)
            await until(lambda: rig.watcher.fetchval(WAITS, conn.get_server_pid()))
            jobs += await rig.enqueue()
            await until(lambda: len(heard) == 2)
        await until_all(rig, jobs)
    runs.check_once(jobs)


async def test_every_way_in_wakes(clients: Clients, rig: Rig, runs: Runs) -> None:
    client, producer = clients(), clients()
    handle(client, runs)

    async def in_a_transaction() -> None:
        async with await producer.transaction() as tx:
            await tx.insert({}, kind="k", queue="q")

    async with working(client, **RARELY) as engine:
        await until(lambda: engine.dispatcher.is_listening)
        for way in (
            lambda: producer.insert({}, kind="k", queue="q"),
            lambda: producer.insert_many_copy([{}, {}], kind="k", queue="q"),
            lambda: producer.enqueue_many_copy([{}, {}], kind="k", queue="q"),
            in_a_transaction,
            rig.enqueue,
        ):
            await until_asleep(rig, engine)
            before = len(runs.began)
            await way()
            await until(partial(runs.have_begun, before + 1))


async def test_a_transaction_that_commits_late_is_found(
    clients: Clients, rig: Rig, runs: Runs
) -> None:
    """Its producer asked who sleeps before the worker did: it tells once more, after the commit."""
    client, producer = clients(), clients()
    handle(client, runs)
    async with working(client, **RARELY) as engine:
        await until(lambda: engine.dispatcher.is_listening)
        tx = await producer.transaction()
        # As if it were at work: it wants no wake-up when it is asked for.
        await rig.watcher.execute(BELL, False)
        late = (await tx.insert({}, kind="k", queue="q")).id
        await rig.watcher.execute(BELL, True)
        await until_all(rig, await insert(producer))
        # Until the worker looks no more for what it has passed over.
        await until_asleep(rig, engine)
        await until(lambda: monotonic() - tx._began_at > 1.5)
        await tx.commit()
        await until_all(rig, [late])


async def test_a_rollback_at_the_end_of_a_lane_lets_its_worker_rest(
    clients: Clients, rig: Rig, runs: Runs
) -> None:
    """Numbers are drawn that nobody will ever see: it looks again at once, but not for ever."""
    client = clients()
    handle(client, runs)
    async with working(client, **RARELY) as engine:
        await until_asleep(rig, engine)
        writer = await rig.begin()
        await rig.enqueue(conn=writer)
        await writer.execute("rollback")
        steps = engine.dispatcher.counts["steps"]
        assert engine._loop is not None
        engine._loop.call_soon_threadsafe(engine.dispatcher.look)
        await until(lambda: engine.dispatcher.counts["steps"] > steps + 1)
        await until(lambda: looks_in_s(engine) > RARELY_S / 2)


async def test_who_is_not_told_polls(
    clients: Clients, rig: Rig, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is notified is lost."""
    monkeypatch.setattr("awa.runtime.engine.Engine._listens", False)
    client, producer = clients(), clients()
    handle(client, runs)
    async with working(client) as engine:
        assert engine.listener is None
        await until_all(rig, await insert(producer, 3))


async def test_behind_a_pooler_it_polls(clients: Clients, rig: Rig, runs: Runs) -> None:
    client = clients(statement_cache_size=0)
    handle(client, runs)
    async with working(client) as engine:
        assert engine.listener is None and not engine.dispatcher.is_listening
        await until_all(rig, await insert(client, 3))


async def test_a_lost_notification_is_made_up_for_by_the_poll_of_a_listener(
    clients: Clients, rig: Rig, runs: Runs
) -> None:
    await rig.sow("wake", "pg_notify('awa', q)", "q")
    client, producer = clients(), clients()
    handle(client, runs)
    async with working(client, poll_interval_ms=20) as engine:
        await until(lambda: engine.dispatcher.is_listening)
        await until_all(rig, await insert(producer, 3))


async def test_a_busy_worker_wants_no_wake_ups(clients: Clients, rig: Rig, runs: Runs) -> None:
    """While it is at work each would only cost its producer."""
    client = clients()
    handle(client, runs)
    heard: list[str] = []
    listener = await rig.connect()
    await listener.add_listener("awa", lambda *told: heard.append(told[3]))
    jobs = await insert(client, 500)
    async with working(client, [("q", 5)]):
        for _ in range(20):
            await until(lambda: len(runs.began) > 50)
            jobs += await insert(client)
        await until_all(rig, jobs)
    await listener.execute("select 1")
    assert len(heard) < 10
    await asyncio.sleep(0)
