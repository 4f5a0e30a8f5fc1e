"""The program that runs an application's handlers: what it loads, and how it stops.

Owns: `awa worker`: the forms of APP, which database wins, both signals, a second one.
Keeps: on the first signal a running handler gets its time and the rest goes back at no cost; on a
    second one the process is gone at once.
Above: nobody. Below: tests.story.stage, tests.rig, awa.cli.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.rig import Rig
from tests.story.stage import awa, program, started

NOWHERE = "postgres://127.0.0.1:1/nowhere"
APP = '''
import asyncio
import awa

def say(*words):
    print(*words, flush=True)

client = awa.AsyncClient({url!r})

@client.task(dict, kind="quick", queue="q")
async def quick(job):
    say("quick", job.attempt)

@client.task(dict, kind="patient", queue="q")
async def patient(job):
    """Go on until told to stop, and then to the end."""
    say("patient")
    while not job.is_cancelled():
        await asyncio.sleep(0.01)
    say("asked")

@client.task(dict, kind="deaf", queue="q")
async def deaf(job):
    say("deaf")
    await asyncio.sleep(3600)

NAME = "app"

def silence():
    return None

def made():
    return client

async def made_later():
    return client

def broken():
    raise RuntimeError("boom\\nand more")
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an application, and with files that are none."""
    for name, text in {
        "app": APP.format(url=NOWHERE),
        "syntax": "import",
        "raises": "raise RuntimeError('boom')",
        "lacks": "import a_module_of_nobody",
        "idle": f"import awa\nclient = awa.AsyncClient({NOWHERE!r})",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def rename(folder: Path) -> None:
    """Give the modules names that no other test's have."""
    for path in folder.glob("*.py"):
        path.rename(path.with_stem(f"story_{path.stem}"))


@asynccontextmanager
async def worker(
    folder: Path, *arguments: str, url: str | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker of the folder's application."""
    async with (
        asyncio.timeout(60),
        started("worker", *arguments, cwd=folder, url=url, PYTHONPATH=str(folder)) as process,
    ):
        yield process


async def heard(process: asyncio.subprocess.Process) -> str:
    """Wait for the next line that a handler says."""
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode().strip()
    if not line:
        assert process.stderr is not None
        raise AssertionError(f"it ended: {(await process.stderr.read()).decode()}")
    return line


async def rows(rig: Rig) -> dict[str, tuple[str, int]]:
    """Return the state and the attempt of each job, by kind."""
    found = await rig.conn.fetch("select kind, state, attempt from awa.jobs")
    return {row["kind"]: (row["state"], row["attempt"]) for row in found}


@pytest.mark.parametrize("app", ["app:client", "app:made", "app:made_later"])
async def test_a_worker_runs_the_jobs_of_an_application(rig: Rig, folder: Path, app: str) -> None:
    await rig.enqueue(kind="quick")
    async with worker(folder, app, url=rig.url) as process:
        assert await heard(process) == "quick 1"
        await rig.enqueue(kind="quick")
        assert await heard(process) == "quick 1"
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        assert process.stderr is not None
        log = (await process.stderr.read()).decode()
    assert log.startswith("target: postgresql://postgres:***@") and "Traceback" not in log
    assert set((await rig.states()).values()) == {"completed"}
    # It has said goodbye: nobody needs to find it lost.
    assert await rig.conn.fetchval("select count(*) from awa.worker where stopped_at is null") == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_drains(rig: Rig, folder: Path, number: signal.Signals) -> None:
    """The patient handler ends in its time, the deaf one is handed back, the third never begun."""
    for kind in ("patient", "deaf", "quick"):
        await rig.enqueue(kind=kind)
    how = ("app:client", "--queue", "q=2", "--shutdown-timeout-ms", "1500")
    async with worker(folder, *how, url=rig.url) as process:
        assert {await heard(process), await heard(process)} == {"patient", "deaf"}
        process.send_signal(number)
        assert await heard(process) == "asked"
        assert await process.wait() == 0
        assert process.stdout is not None
        assert await process.stdout.read() == b""
    assert await rows(rig) == {
        "patient": ("completed", 1),
        "deaf": ("available", 0),
        "quick": ("available", 0),
    }
    back = await rig.worker("q", kinds=["deaf", "quick"])
    assert len(await back.claim(kinds=["deaf", "quick"])) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once(
    rig: Rig, folder: Path, number: signal.Signals
) -> None:
    for kind in ("deaf", "patient"):
        await rig.enqueue(kind=kind)
    how = ("app:client", "--queue", "q=2", "--shutdown-timeout-ms", "3600000")
    async with worker(folder, *how, url=rig.url) as process:
        assert {await heard(process), await heard(process)} == {"patient", "deaf"}
        process.send_signal(signal.SIGTERM)
        assert await heard(process) == "asked"
        process.send_signal(number)
        assert await process.wait() == 1
    # Nothing said that the deaf one is over: the leader will find its worker lost.
    assert (await rows(rig))["deaf"] == ("running", 1)
    await rig.have_movable_clock()
    await rig.pass_time(60)
    assert await rig.let_die(await rig.lead()) != {}
    assert (await rows(rig))["deaf"][0] == "retryable"


async def test_the_command_line_wins_over_the_environment_and_that_over_the_application(
    rig: Rig, folder: Path
) -> None:
    (folder / "own.py").write_text(APP.format(url=rig.url))
    ways: list[tuple[tuple[str, ...], str | None]] = [
        (("--database-url", rig.url, "app:client"), NOWHERE),
        (("app:client",), rig.url),
        (("own:client",), None),
    ]

    async def runs(arguments: tuple[str, ...], url: str | None) -> None:
        async with worker(folder, *arguments, url=url) as process:
            assert await heard(process) == "quick 1"
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0

    for arguments, url in ways:
        await rig.enqueue(kind="quick")
        await runs(arguments, url)
    assert list((await rig.states()).values()) == ["completed"] * 3


async def test_what_cannot_be_run_is_one_line_and_exit_code_1(
    folder: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, so the modules have names of their own."""
    monkeypatch.syspath_prepend(str(folder))
    rename(folder)
    bad: dict[tuple[str, ...], str] = {
        ("story_app",): "'story_app' is not of the form MODULE:APP",
        (":client",): "':client' is not of the form MODULE:APP",
        ("nowhere:client",): "ModuleNotFoundError: No module named 'nowhere'",
        ("story_lacks:client",): "ModuleNotFoundError: No module named 'a_module_of_nobody'",
        ("story_syntax:client",): "cannot load 'story_syntax:client': SyntaxError: ",
        ("story_raises:client",): "cannot load 'story_raises:client': RuntimeError: boom",
        ("story_app:broken",): "cannot load 'story_app:broken': RuntimeError: boom",
        ("story_app:nothing",): "'story_app:nothing' is no AsyncClient, and makes none",
        ("story_app:silence",): "'story_app:silence' is no AsyncClient, and makes none",
        ("story_app:NAME",): "'story_app:NAME' is no AsyncClient, and makes none",
        ("story_idle:client",): "register at least one worker before starting the runtime",
        ("story_app:client", "--queue", "other"): "start() must configure the worker queues",
        ("story_app:client", "--queue", "q=many"): "'q=many' is not of the form NAME[=MAX]",
        ("story_app:client", "--queue", "=3"): "'=3' is not of the form NAME[=MAX]",
    }
    for arguments, text in bad.items():
        said = await awa("worker", *arguments, url=url)
        assert (said.code, said.out) == (1, ""), arguments
        assert said.error.startswith("error: ") and text in said.error, said.error


async def test_a_worker_without_its_schema_or_database_does_not_start(
    folder: Path, empty_url: str
) -> None:
    for url, text in (
        (empty_url, "schema not migrated: expected version 1, found 0: run migrate"),
        (NOWHERE, "cannot reach the database"),
    ):
        said = await program("worker", "app:client", url=url, PYTHONPATH=str(folder))
        assert (said.code, said.out) == (1, ""), "it is to say so and end"
        assert text in said.error
