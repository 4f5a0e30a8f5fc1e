"""Outcomes: what a handler returns or raises, and where its job is afterwards.

Owns: the table of the handler contract, for `async def` and for plain `def`.
Keeps: what is asserted is the job as the database shows it.
Above: nobody. Below: tests.runtime.scene, awa.
"""

import asyncio
import threading
from dataclasses import dataclass
from typing import Any

import pytest

import awa
from tests.rig import Rig
from tests.runtime.conftest import Clients
from tests.runtime.scene import Runs, handle, insert, until, until_all, working


class Hopeless(awa.TerminalError):
    """A handler's own way to say that no other attempt can succeed."""


def raised(error: BaseException) -> Any:
    raise error


# What a handler does; the state that follows, the attempts, and how each error's text begins.
OUTCOMES: dict[str, tuple[Any, str, int, list[str]]] = {
    "none": (lambda: None, "completed", 1, []),
    "unknown value": (lambda: ("a", "tuple"), "completed", 1, []),
    "class of a verdict": (lambda: awa.RetryAfter, "completed", 1, []),
    "retry after": (lambda: awa.RetryAfter(600), "retryable", 1, []),
    "snooze": (lambda: awa.Snooze(600), "scheduled", 0, []),
    "cancel": (lambda: awa.Cancel("withdrawn"), "cancelled", 1, ["cancelled: withdrawn"]),
    "terminal": (lambda: raised(Hopeless("no")), "failed", 1, ["Hopeless: no\n"]),
    "error": (lambda: raised(KeyError("x")), "retryable", 1, ["KeyError: 'x'\n"]),
    "our error": (lambda: raised(awa.AwaError("x")), "retryable", 1, ["AwaError: x\n"]),
    "cancelled": (lambda: raised(asyncio.CancelledError()), "retryable", 1, ["CancelledError"]),
    "exit": (lambda: raised(SystemExit(3)), "retryable", 1, ["SystemExit: 3\n"]),
    "stop iteration": (lambda: next(iter(())), "retryable", 1, ["RuntimeError: coroutine raised"]),
}


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "plain"])
async def test_each_outcome_leads_to_its_state(
    client: awa.AsyncClient, rig: Rig, is_async: bool
) -> None:
    # No second attempt while we look.
    await rig.sow("backoff", "(2 ^ least(attempt, 30))", "600")
    threads = set()
    for kind, (act, *_) in OUTCOMES.items():

        def plain(job: awa.Job[Any], act: Any = act) -> Any:
            threads.add(threading.get_ident())
            return act()

        async def coroutine(job: awa.Job[Any], act: Any = act) -> Any:
            threads.add(threading.get_ident())
            return act()

        client.task(dict, kind=kind, queue="q")(coroutine if is_async else plain)
    job_by_kind = {kind: (await insert(client, kind=kind))[0] for kind in OUTCOMES}
    async with working(client):
        for kind, (_, state, _, _) in OUTCOMES.items():
            await until_all(rig, [job_by_kind[kind]], state)
    for kind, (_, _, attempt, errors) in OUTCOMES.items():
        shown = await rig.job(job_by_kind[kind])
        assert shown["attempt"] == attempt, kind
        assert shown["run_lease"] == 1, kind
        for said, begins in zip(shown["errors"], errors, strict=True):
            assert said["error"].startswith(begins), kind
            assert said["attempt"] == 1
            assert said.get("terminal", False) == (state_is_final(shown) and kind != "cancel"), kind
    assert (threading.get_ident() in threads) == is_async


def state_is_final(shown: dict[str, Any]) -> bool:
    return shown["state"] in ("failed", "cancelled")


async def test_the_last_attempt_fails_for_good(client: awa.AsyncClient, rig: Rig) -> None:
    @client.task(dict, kind="raises", queue="q")
    async def raises(job: awa.Job[Any]) -> None:
        raise ValueError("bad")

    @client.task(dict, kind="asks", queue="q")
    async def asks(job: awa.Job[Any]) -> awa.RetryAfter:
        return awa.RetryAfter(1)

    (raising,) = await insert(client, kind="raises", max_attempts=1)
    (asking,) = await insert(client, kind="asks", max_attempts=1)
    async with working(client):
        await until_all(rig, [raising, asking], "failed")
    (error,) = (await rig.job(asking))["errors"]
    assert error["error"].startswith("max_attempts exhausted (handler requested retry after")
    (error,) = (await rig.job(raising))["errors"]
    assert error["terminal"] is True
    assert 'raise ValueError("bad")' in error["error"]


@pytest.mark.parametrize(
    ("said", "state"), [(awa.RetryAfter(600), "retryable"), (awa.Snooze(600), "scheduled")]
)
async def test_a_verdict_says_when_its_job_comes_back(
    client: awa.AsyncClient, rig: Rig, said: Any, state: str
) -> None:
    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> Any:
        return said

    (job,) = await insert(client)
    async with working(client):
        await until_all(rig, [job], state)
    sql = "select extract(epoch from run_at - awa.clock()) from awa.jobs where id = $1"
    assert 500 < await rig.conn.fetchval(sql, job) <= 600


async def test_attempts_are_counted_and_a_snooze_gives_one_back(
    client: awa.AsyncClient, rig: Rig
) -> None:
    seen: list[tuple[int, int]] = []
    outcomes = iter([awa.RetryAfter(-1), awa.Snooze(0), awa.Snooze(-5), awa.RetryAfter(0), None])

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> Any:
        seen.append((job.attempt, job.run_lease))
        return next(outcomes)

    jobs = await insert(client)
    async with working(client):
        await until_all(rig, jobs)
    assert seen == [(1, 1), (2, 2), (2, 3), (2, 4), (3, 5)]


async def test_args_come_as_the_type_that_was_registered(client: awa.AsyncClient, rig: Rig) -> None:
    got: list[Any] = []

    @dataclass
    class Greet:
        name: str

    @client.task(Greet, queue="q")
    async def greet(job: awa.Job[Greet]) -> None:
        got.append(job.args)

    good = (await client.insert(Greet("Ada"), queue="q")).id
    bad = (await client.insert({"nom": "Ada"}, kind="greet", queue="q")).id
    async with working(client):
        await until_all(rig, [good])
        await until_all(rig, [bad], "failed")
    assert got == [Greet("Ada")]
    shown = await rig.job(bad)
    assert shown["attempt"] == 1
    assert shown["errors"][0]["error"].startswith("TypeError: ")


async def test_a_handler_can_be_any_callable(client: awa.AsyncClient, rig: Rig) -> None:
    """An object with an async call, and a plain function that returns a coroutine."""
    ran: list[str] = []

    async def later(name: str) -> awa.Cancel:
        ran.append(name)
        return awa.Cancel()

    class Callable_:
        async def __call__(self, job: awa.Job[Any]) -> awa.Cancel:
            return await later(job.kind)

    client.task(dict, kind="object", queue="q")(Callable_())
    client.task(dict, kind="wrapped", queue="q")(lambda job: later(job.kind))
    jobs = [(await insert(client, kind=kind))[0] for kind in ("object", "wrapped")]
    async with working(client):
        await until_all(rig, jobs, "cancelled")
    assert sorted(ran) == ["object", "wrapped"]


async def test_a_handler_may_enqueue_and_look(clients: Clients, rig: Rig, runs: Runs) -> None:
    client = clients()
    handle(client, runs, "child")

    @client.task(dict, kind="k", queue="q")
    async def parent(job: awa.Job[Any]) -> None:
        assert (await client.get_job(job.id)).state is awa.JobState.Running
        await insert(client, kind="child")

    jobs = await insert(client)
    async with working(client):
        await until_all(rig, jobs)
        await until(lambda: runs.ended)
        await until_all(rig, runs.ended)
