"""The blocking client: the same methods with the same arguments, from any thread.

Owns: the comparison of both faces, a round trip through the blocking one, threads, loops, forks.
Keeps: what the async face does, the blocking one does; the loop it lives in is nobody else's.
Above: nobody. Below: tests.rig, awa.
"""

import asyncio
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import awa
from tests.rig import Rig
from tests.story.stage import lead_to

ASYNC_ONLY = {"task", "start", "shutdown", "retarget", "database_url"}
"""What runs handlers, and what the program `awa worker` needs."""

BOTH = {
    *("insert", "insert_many_copy", "enqueue_many_copy", "migrate", "transaction", "get_job"),
    *("retry", "cancel", "retry_failed", "discard_failed", "pause_queue", "resume_queue"),
    *("drain_queue", "queue_stats", "list_jobs", "dump_job", "dump_run", "health_check", "close"),
}


@pytest.fixture
def blocking(url: str) -> Iterator[awa.Client]:
    """A blocking client of the test's database."""
    with awa.Client(url) as made:
        yield made


def public(face: type) -> set[str]:
    """Return the names of a class that are for everybody."""
    return {name for name in vars(face) if not name.startswith("_")}


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    """Return a function's parameters: name, kind, default."""
    found = inspect.signature(function).parameters.values()
    return [(one.name, one.kind, one.default) for one in found]


def test_every_method_that_is_documented_for_both_is_on_both() -> None:
    assert public(awa.AsyncClient) >= BOTH
    assert public(awa.Client) >= BOTH
    assert public(awa.AsyncClient) - public(awa.Client) == ASYNC_ONLY
    assert public(awa.Client) <= public(awa.AsyncClient)
    assert public(awa.SyncTransaction) | {"begin"} == public(awa.Transaction)


@pytest.mark.parametrize(
    ("one", "other"), [(awa.AsyncClient, awa.Client), (awa.Transaction, awa.SyncTransaction)]
)
def test_both_faces_take_the_same_arguments(one: type, other: type) -> None:
    for name in public(other):
        a, b = getattr(one, name), getattr(other, name)
        assert parameters(a) == parameters(b), name
        assert inspect.iscoroutinefunction(a), f"{name} blocks the loop"
        assert not inspect.iscoroutinefunction(b), f"{name} is to be awaited"
        assert inspect.getdoc(b), name
    if one is awa.AsyncClient:
        assert parameters(one) == parameters(other)


def test_a_job_makes_its_round_trip(blocking: awa.Client) -> None:
    blocking.migrate()
    job = blocking.insert({"a": 1}, kind="k", queue="q", priority=1, tags=["t"])
    assert blocking.get_job(job.id).args == {"a": 1}
    (second,) = blocking.insert_many_copy([{}], kind="k", opts=[{"queue": "other"}])
    assert second.queue == "other"
    assert blocking.enqueue_many_copy([{}] * 3, kind="many") == 3
    assert [one.id for one in blocking.list_jobs(kind="k")] == [second.id, job.id]
    assert blocking.cancel(job.id).state is awa.JobState.Cancelled
    assert blocking.retry(job.id).state is awa.JobState.Available
    assert json.loads(blocking.dump_job(job.id))["job"]["id"] == job.id
    assert json.loads(blocking.dump_run(job.id))["job_id"] == job.id
    assert [one.queue for one in blocking.queue_stats()] == ["default", "other", "q"]
    blocking.pause_queue("q", "me")
    assert {one.queue: one.paused for one in blocking.queue_stats()}["q"]
    blocking.resume_queue("q")
    assert not {one.queue: one.paused for one in blocking.queue_stats()}["q"]
    assert blocking.drain_queue("q") == 1
    assert blocking.storage_status()["schema_version"] == awa.current_migration_version()
    assert blocking.health_check().postgres_connected
    with pytest.raises(awa.AwaError, match="job not found: 999"):
        blocking.get_job(999)


async def test_failed_jobs_are_decided_about(rig: Rig, blocking: awa.Client) -> None:
    one, two = await lead_to(rig, "failed", "q1"), await lead_to(rig, "failed", "q2")
    assert [job.id for job in blocking.retry_failed(queue="q1").jobs] == [one]
    assert blocking.discard_failed("k") == 1
    assert await rig.states() == {one: "available"}
    assert two not in await rig.states()


def test_a_transaction_commits_and_rolls_back(blocking: awa.Client) -> None:
    with blocking.transaction() as tx:
        assert tx.execute("create table mine (a int)") == 0
        assert tx.execute("insert into mine values ($1), ($2)", 1, 2) == 2
        job = tx.insert({"a": 1}, kind="k")
        assert tx.fetch_one("select sum(a)::int8 as a from mine") == {"a": 3}
        assert tx.fetch_optional("select 1 where false") is None
        assert len(tx.fetch_all("select a from mine")) == 2
        assert len(tx.insert_many([{}] * 2, kind="k")) == 2
    with pytest.raises(ZeroDivisionError), blocking.transaction() as tx:
        tx.insert({}, kind="gone")
        raise ZeroDivisionError
    tx = blocking.transaction()
    tx.insert({}, kind="gone")
    tx.rollback()
    with pytest.raises(awa.AwaError, match="already committed or rolled back"):
        tx.commit()
    assert len(blocking.list_jobs()) == 3
    assert blocking.list_jobs(kind="gone") == []
    assert blocking.get_job(job.id).kind == "k"


def test_threads_share_a_client(blocking: awa.Client) -> None:
    def enqueue(n: int) -> int:
        with blocking.transaction() as tx:
            job = tx.insert({"n": n}, kind="k")
        return job.id if blocking.get_job(job.id).args == {"n": n} else -1

    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(enqueue, range(64)))
    assert len(set(ids)) == 64
    assert sorted(job.id for job in blocking.list_jobs()) == sorted(ids)


def test_two_clients_of_a_process_do_not_disturb_each_other(url: str) -> None:
    with awa.Client(url) as one, awa.Client(url) as two:
        job = one.insert({}, kind="k")
        one.close()
        assert two.get_job(job.id).id == job.id
        with pytest.raises(awa.DatabaseError, match="closed pool"):
            one.get_job(job.id)


async def test_in_a_running_loop_a_call_works_and_blocks_that_loop(blocking: awa.Client) -> None:
    turns: list[int] = []
    asyncio.get_running_loop().call_soon(turns.append, 1)
    job = blocking.insert({}, kind="k")
    assert blocking.get_job(job.id).id == job.id
    assert turns == [], "the loop ran on, so somebody runs it inside the call"
    # The way that does not block it.
    found = await asyncio.to_thread(blocking.list_jobs)
    assert (turns, [one.id for one in found]) == ([1], [job.id])


_FORKED = """
import os, sys, awa
url = sys.argv[1]
used, unused = awa.Client(url), awa.Client(url)
used.insert({}, kind="parent")
child = os.fork()
if child == 0:
    unused.insert({}, kind="child")
    with awa.Client(url) as own:
        own.insert({}, kind="child")
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
used.insert({}, kind="parent")
"""


def test_a_forked_child_begins_anew(url: str, blocking: awa.Client) -> None:
    command = [sys.executable, "-W", "ignore", "-c", _FORKED, url]
    subprocess.run(command, check=True, timeout=60)
    kinds = [job.kind for job in blocking.list_jobs()]
    assert kinds == ["parent", "child", "child", "parent"]
