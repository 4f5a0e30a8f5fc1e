"""Errors: whatever a handler raises or says, its job ends, and so do those beside it.

Owns: exceptions whose text the database cannot store, or whose own methods fail.
Keeps: no content of an exception stands in the way of a transition.
Above: nobody. Below: tests.runtime.scene, awa.
"""

from collections.abc import Callable
from typing import Any

import pytest

import awa
from awa.policy import ERROR_BYTES_MAX
from tests.rig import Rig
from tests.runtime.scene import Runs, handle, insert, until_all, working


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class NotText(Exception):
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]


class _Nameless(type):
    def __getattribute__(cls, name: str) -> object:
        if name == "__qualname__":
            raise RuntimeError("no name")
        return super().__getattribute__(name)


class Unnamed(Exception, metaclass=_Nameless):
    pass


class Leaving(Exception):
    def __str__(self) -> str:
        raise SystemExit(1)


class Bare(BaseException):
    """What test frameworks and cancel scopes raise: no Exception."""


def _noted() -> Exception:
    error = ValueError("noted")
    error.add_note("\ud800\0" * 100_000)
    return error


def _chained() -> Exception:
    error: Exception = ValueError("end")
    for _ in range(500):
        outer = ValueError("link")
        outer.__cause__ = error
        error = outer
    return error


# What is raised, and how the text begins that is kept of it.
ERRORS: list[tuple[Callable[[], BaseException], str]] = [
    (lambda: ValueError("x" * 10_000_000), "ValueError: xxx"),
    (lambda: ValueError("€" * 10_000_000), "ValueError: €€€"),
    (lambda: ValueError("a\0b"), r"ValueError: a\x00b"),
    (lambda: ValueError("a\ud800b"), r"ValueError: a\ud800b"),
    (lambda: ValueError(b"\xff\x00\xfe"), r"ValueError: b'\xff\x00\xfe'"),
    (lambda: UnicodeDecodeError("utf-8", b"\xff\0", 0, 1, "\ud800"), "UnicodeDecodeError: 'utf-8'"),
    (lambda: Mute(), "Mute: <exception str() failed>"),
    (lambda: NotText(), "NotText: <exception str() failed>"),
    (lambda: Leaving(), "Leaving: <exception str() failed>"),
    (lambda: Unnamed("x"), r"<unnamed exception>: x"),
    (lambda: ExceptionGroup("many", [ValueError("\0")] * 1000), "ExceptionGroup: many"),
    (_noted, "ValueError: noted"),
    (_chained, "ValueError: link"),
    (lambda: Bare("bare"), "Bare: bare"),
]


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "plain"])
async def test_whatever_is_raised_the_job_ends(
    client: awa.AsyncClient, rig: Rig, runs: Runs, is_async: bool
) -> None:
    def plain(job: awa.Job[Any]) -> None:
        raise ERRORS[job.args["n"]][0]()

    async def coroutine(job: awa.Job[Any]) -> None:
        plain(job)

    handle(client, runs, "good")
    client.task(dict, kind="k", queue="q")(coroutine if is_async else plain)
    jobs = await insert(client, len(ERRORS), max_attempts=1)
    good = await insert(client, kind="good", count=3)
    async with working(client):
        await until_all(rig, jobs, "failed")
        await until_all(rig, good)
    for number, (_, begins) in zip(jobs, ERRORS, strict=True):
        (error,) = (await rig.job(number))["errors"]
        assert error["error"].startswith(begins)
        assert len(error["error"].encode()) <= ERROR_BYTES_MAX


async def test_whatever_a_verdict_says_it_is_written(client: awa.AsyncClient, rig: Rig) -> None:
    verdicts = [
        awa.Cancel("\0\ud800" + "x" * 10_000_000),
        awa.Cancel(""),
        awa.RetryAfter(1e308),
        awa.Snooze(1e308),
    ]

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> Any:
        return verdicts[job.args["n"]]

    jobs = await insert(client, len(verdicts))
    async with working(client):
        for number, state in zip(
            jobs, ["cancelled", "cancelled", "retryable", "scheduled"], strict=True
        ):
            await until_all(rig, [number], state)
    (error,) = (await rig.job(jobs[0]))["errors"]
    assert error["error"].startswith(r"cancelled: \x00\ud800xxx")


async def test_a_failure_does_not_hold_up_who_ends_in_the_same_step(
    client: awa.AsyncClient, rig: Rig
) -> None:
    """A hundred end in one turn of the loop, each third of them badly."""

    @client.task(dict, kind="k", queue="q")
    async def handler(job: awa.Job[Any]) -> None:
        if job.args["n"] % 3 == 0:
            raise ValueError("\0")

    jobs = await insert(client, 100, max_attempts=1)
    async with working(client, [("q", 100)]):
        await until_all(rig, [jobs[n] for n in range(100) if n % 3])
        await until_all(rig, [jobs[n] for n in range(0, 100, 3)], "failed")


async def test_how_long_a_handler_ran_may_be_any_number(
    client: awa.AsyncClient, rig: Rig, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler without a deadline runs for hours: in microseconds that is past an int."""
    hours = iter([0.0, 3600.0 * 5])
    monkeypatch.setattr("awa.runtime.executor.perf_counter", lambda: next(hours))
    handle(client, runs)
    jobs = await insert(client)
    async with working(client):
        await until_all(rig, jobs)
    runs.check_once(jobs)


@pytest.mark.parametrize("error", [GeneratorExit, KeyboardInterrupt])
async def test_what_ends_a_process_ends_none_when_a_handler_raises_it(
    client: awa.AsyncClient, rig: Rig, error: type[BaseException]
) -> None:
    """GeneratorExit is how a loop that is gone speaks; Ctrl-C comes to the main thread alone."""

    @client.task(dict, kind="thread", queue="q")
    def in_thread(job: awa.Job[Any]) -> None:
        raise error

    @client.task(dict, kind="task", queue="q")
    async def in_task(job: awa.Job[Any]) -> None:
        raise GeneratorExit

    async with working(client):
        jobs = [(await client.insert({}, kind=kind, queue="q")).id for kind in ("thread", "task")]
        await until_all(rig, jobs, "retryable")


async def test_a_handler_that_fails_is_in_the_log_with_all_its_frames(
    client: awa.AsyncClient, rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """The job keeps the last of them, and says where the others are."""

    def deep(n: int) -> int:
        return deep(n - 1) + len(str(n)) if n else 1 // 0

    @client.task(dict, kind="k", queue="q")
    async def run(job: awa.Job[Any]) -> None:
        deep(20)

    async with working(client):
        (job,) = await insert(client)
        await until_all(rig, [job], "retryable")
    (error,) = (await client.get_job(job)).errors
    assert "frames truncated, full trace in logs" in str(error)
    (said,) = [one.getMessage() for one in caplog.records if "failed" in one.getMessage()]
    head, *lines = said.splitlines()
    assert head == f"handler of 'k' failed (job {job}):"
    # The first of the frames, which the job has not kept, and the last.
    assert any(line.endswith("in run") for line in lines)
    assert "in run" not in str(error)
    assert lines[-1].startswith("ZeroDivisionError")
