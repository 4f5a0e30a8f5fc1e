"""Sweeps: what the leading worker does for all, and who leads.

Owns: that promotion, rescue, rotation and pruning happen by themselves; elections between clients.
Keeps: one leads at a time, and when it goes another does.
Above: nobody. Below: tests.runtime.proxy, tests.runtime.scene, awa.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

import awa
from awa.runtime.engine import Engine
from awa.store.leader import LeaderStore
from tests.rig import Rig
from tests.runtime.conftest import Clients
from tests.runtime.proxy import Proxy
from tests.runtime.scene import Runs, handle, insert, until, until_all, working


async def leaders(*some: awa.AsyncClient) -> list[awa.AsyncClient]:
    """Return which of these clients say that they lead."""
    return [client for client in some if (await client.health_check()).leader]


async def test_what_is_due_is_promoted_and_runs(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    await rig.have_movable_clock()
    handle(client, runs)
    past = await insert(client, 3, run_at="2000-01-01T00:00:00Z")
    future = await insert(client, 2, run_at="2999-01-01T00:00:00Z")
    async with working(client):
        await until_all(rig, past)
        assert {(await rig.states())[job] for job in future} == {"scheduled"}
    runs.check_once(past)


async def test_a_failed_job_comes_back_by_itself(client: awa.AsyncClient, rig: Rig) -> None:
    await rig.have_movable_clock()

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> None:
        if job.attempt == 1:
            raise ValueError("not yet")

    jobs = await insert(client, 3)
    async with working(client):
        await until_all(rig, jobs, "retryable")
        await rig.pass_time(3)
        await until_all(rig, jobs)


async def left_by_a_dead_worker(rig: Rig) -> tuple[int, list[int]]:
    """Have a worker die that runs three jobs, which come back at once; return both."""
    await rig.sow("backoff", "(2 ^ least(attempt, 30))", "0")
    dead = await rig.worker()
    jobs = await rig.enqueue(3)
    assert len(await dead.take()) == 3
    return dead.worker, jobs


async def test_a_dead_workers_jobs_are_rescued_and_run_elsewhere(
    client: awa.AsyncClient, rig: Rig, runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    dead, jobs = await left_by_a_dead_worker(rig)
    handle(client, runs)
    async with working(client, heartbeat_staleness_ms=1000):
        await until_all(rig, jobs)
    runs.check_once(jobs)
    assert {(await rig.job(job))["attempt"] for job in jobs} == {2}
    assert f"worker {dead} is lost; 3 entries rescued" in caplog.text


async def test_a_slow_rescue_follows_a_short_staleness(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    """Sweeps that are farther apart than half the staleness would find nobody lost, ever."""
    _, jobs = await left_by_a_dead_worker(rig)
    handle(client, runs)
    rarely = {"heartbeat_rescue_interval_ms": 1000}
    async with working(client, heartbeat_staleness_ms=1200, **rarely):
        await until_all(rig, jobs)
    runs.check_once(jobs)


async def test_what_came_before_its_queue_is_sorted(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    """A job in a transaction for a queue that nobody knows waits in the intake."""
    handle(client, runs, "k", "q")
    async with working(client, [("q", 1), ("fresh", 1)]):
        pass
    async with await client.transaction() as tx:
        job = (await tx.insert({}, kind="k", queue="fresh", priority=4)).id
    async with working(client, [("q", 1), ("fresh", 1)]):
        await until_all(rig, [job])


async def test_segments_are_rotated_and_pruned_by_themselves(
    client: awa.AsyncClient, rig: Rig, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ROTATE_S", 0.05), ("CLEANUP_S", 0.05), ("SEGMENT_S_MIN", 0.2)):
        monkeypatch.setattr(f"awa.runtime.maintenance.{name}", value)
    handle(client, runs)

    @client.task(dict, kind="fails", queue="q")
    async def fails(job: awa.Job[Any]) -> None:
        raise awa.TerminalError("never")

    done, failed = await insert(client, 5), await insert(client, kind="fails")
    asleep = await insert(client, run_at="2999-01-01T00:00:00Z")
    async with working(client, completed_retention_hours=1e-5):
        await until(lambda: gone(rig, *done))
        # What is not over outlives its segment, and what failed has a retention of its own.
        assert await rig.states() == {failed[0]: "failed", asleep[0]: "scheduled"}
    acts = set(await rig.acts())
    assert {"Open", "Switch", "Close", "Prune"} & acts, acts
    async with working(client, failed_retention_hours=0):
        await until(lambda: gone(rig, *failed))


async def gone(rig: Rig, *jobs: int) -> bool:
    """Return whether none of these jobs is known any more."""
    return not set(jobs) & set(await rig.states())


async def test_one_leads_and_when_it_stops_the_other_does_at_once(
    clients: Clients, rig: Rig, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It resigns, once: its lease would last half a minute, and longer than any wait here.
    monkeypatch.setattr("awa.runtime.maintenance.LEASE_TIMES", 300)
    first, second = clients(), clients()
    for client in (first, second):
        handle(client, runs)
    async with working(second):
        await until(lambda: leaders(second))
        async with working(first) as engine:
            ran = engine.maintenance.ran
            for _ in range(2):
                ran.clear()
                await until(ran.is_set)
            assert await leaders(first, second) == [second]
            await second.shutdown()
            await until(lambda: leaders(first))
            jobs = await insert(first, run_at="2000-01-01T00:00:00Z")
            await until_all(rig, jobs)
    epochs = [row["act"] for row in await rig.conn.fetch(ELECTIONS)]
    assert len(epochs) == 2


ELECTIONS = "select act from awa.trace_event where act = 'Elect'"


async def test_who_has_resigned_is_not_elected_again(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    """Between the resignation and the end of the worker its election may well be due."""
    handle(client, runs)
    async with working(client) as engine:
        leads = engine.maintenance
        await until(lambda: leads.epoch)
        await on_engine(engine, leads.resign())
        await on_engine(engine, leads.run_once())
        assert leads.epoch is None
    assert (await rig.acts()).count("Elect") == 1


async def on_engine(engine: Engine, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run something in the engine's loop; return what it returned."""
    assert engine._loop is not None
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, engine._loop))


async def test_a_leader_that_is_cut_off_is_followed_and_does_no_more(
    clients: Clients, url: str, rig: Rig, runs: Runs
) -> None:
    async with Proxy(url) as proxy:
        first, second = clients(proxy.url), clients()
        for client in (first, second):
            handle(client, runs)
        async with working(first) as engine, working(second) as other:
            await until(lambda: engine.maintenance.epoch)
            assert other.maintenance.epoch is None
            proxy.stand_still()
            later = await until(lambda: other.maintenance.epoch)
            # It cannot know it yet; the epoch keeps it from doing harm.
            assert engine.maintenance.epoch is not None
            assert engine.maintenance.epoch < later
            proxy.go_on()
            await until(lambda: engine.maintenance.epoch is None)
            await until(lambda: leaders(second))
            await until_all(rig, await insert(second, run_at="2000-01-01T00:00:00Z"))
            assert await leaders(first, second) == [second]


async def test_who_learns_in_a_sweep_that_it_was_deposed_sweeps_no_more(
    client: awa.AsyncClient, rig: Rig, runs: Runs
) -> None:
    """It need not wait for the next election to know it."""
    handle(client, runs)
    async with working(client, leader_election_interval_ms=60_000) as engine:
        leads = engine.maintenance
        epoch = await until(lambda: leads.epoch)
        await LeaderStore(rig.conn).resign(epoch)
        _, later = await rig.leader(await rig.worker("other"))
        assert later > epoch
        await until(lambda: leads.epoch is None)


STUCK = """
select count(*) from pg_stat_activity where query like '%awa.purge(%' and wait_event_type = 'Lock'
and datname = current_database()
"""


async def test_a_long_sweep_delays_no_short_one(
    client: awa.AsyncClient, rig: Rig, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A purge waits for somebody's lock, and promotion goes on."""
    monkeypatch.setattr("awa.runtime.maintenance.CLEANUP_S", 0.05)
    handle(client, runs)
    await insert(client, kind="other")
    async with rig.conn.transaction():
        await rig.conn.execute("lock table awa.held in access exclusive mode")
        async with working(client):
            await until(lambda: rig.watcher.fetchval(STUCK))
            jobs = await insert(client, 3, run_at="2000-01-01T00:00:00Z")
            await until(lambda: len(runs.ended) == 3)
            await rig.conn.execute("select 1")
            await rig.conn.execute("rollback")
    await until_all(rig, jobs)


LONG = ("expire", "tally", "prune", "purge")
WAITING = """
select count(*) from pg_locks where locktype = 'advisory' and (classid, objid) = (7, 7)
and not granted and database = (select oid from pg_database where datname = current_database())
"""


async def test_no_number_of_long_sweeps_delays_a_short_one_or_an_election(
    client: awa.AsyncClient, rig: Rig, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TALLY_S", "CLEANUP_S"):
        monkeypatch.setattr(f"awa.runtime.maintenance.{name}", 0.05)
    for verb in LONG:
        leads = f"perform as_leader({verb}.epoch);"
        await rig.sow(verb, leads, f"perform pg_advisory_xact_lock_shared(7, 7); {leads}")
    handle(client, runs)
    keeper = await rig.connect()
    await keeper.execute("select pg_advisory_lock(7, 7)")
    async with working(client) as engine:

        async def all_wait() -> bool:
            return bool(await rig.conn.fetchval(WAITING) == len(LONG))

        await until(all_wait)
        elected = engine.maintenance.ran
        elected.clear()
        await until(elected.is_set)
        await until_all(rig, await insert(client, 3, run_at="2000-01-01T00:00:00Z"))
        await keeper.execute("select pg_advisory_unlock(7, 7)")


async def test_a_great_transaction_for_a_new_queue_is_sorted_in_one_go(
    client: awa.AsyncClient, rig: Rig, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("awa.runtime.maintenance.SORT_MAX", 2)
    handle(client, runs)
    await insert(client)
    async with await client.transaction() as tx:
        made = await tx.insert_many([{}] * 9, kind="k", queue="fresh")
    async with working(client, [("q", 1), ("fresh", 9)], promote_interval_ms=600_000) as engine:
        await until(lambda: engine.maintenance.epoch)
        (promote,) = [one for one in engine.maintenance.sweeps if one.name == "promote"]
        assert await on_engine(engine, promote.run_once()) is False
        await until_all(rig, [job.id for job in made])
