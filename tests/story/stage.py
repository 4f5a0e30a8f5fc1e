"""What the stories share: a job in every state, what is written, and the program `awa`.

Owns: how a job is led into a state, how a database's content is counted, how a command is run.
Keeps: everything goes through verbs and real processes; a process that was started is ended.
Above: the stories. Below: tests.rig.
"""

import asyncio
import io
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from awa.cli import main
from tests.rig import Rig

ROOT = Path(__file__).resolve().parents[2]
WAIT_S_MAX = 60.0
STATES = ("scheduled", "available", "running", "completed", "retryable", "failed", "cancelled")
OVER = ("completed", "failed", "cancelled")


async def lead_to(rig: Rig, state: str, queue: str = "q") -> int:
    """Enqueue one job, lead it into a state, and return its id; an earlier one is not touched."""
    worker = await rig.worker(queue)
    if state == "scheduled":
        at = await rig.conn.fetchval("select now() + interval '1 h'")
        return (await rig.enqueue(queue=queue, run_at=at))[0]
    (job,) = await rig.enqueue(queue=queue)
    if state == "available":
        return job
    seqs = await worker.take(1)
    assert len(seqs) == 1, "another job of this queue was waiting"
    verdicts = {"completed": None, "retryable": "retry", "failed": "fail", "cancelled": "cancel"}
    if state in verdicts:
        said = {"error": "ValueError: no", "delay_s": 3600, "reason": "no"}
        stale = await worker.end(*seqs, verdict=verdicts[state], **said)
        assert not stale
    return job


async def lead_to_all(rig: Rig) -> dict[str, int]:
    """Return a job in each state, by state, in one queue."""
    # The waiting one comes last, or a worker would take it for another's.
    order = sorted(STATES, key=lambda state: state == "available")
    return {state: await lead_to(rig, state) for state in order}


async def written(rig: Rig) -> dict[str, Any]:
    """Return how many rows each place of jobs holds, and how far every sequence has come."""
    places = ("entry", "deferred", "held", "ending", "claim", "part", "trace_event", "queue")
    counts: dict[str, Any] = {place: await rig.count(place) for place in places}
    rows = await rig.conn.fetch(
        "select sequencename, last_value from pg_sequences where schemaname = 'awa'"
    )
    return counts | {row["sequencename"]: row["last_value"] for row in rows}


# --- The program -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of its error; there must be just one, and no traceback."""
        lines = [line for line in self.err.splitlines() if not line.startswith("target: ")]
        assert len(lines) == 1, f"not one line: {self.err}"
        return lines[0]

    @property
    def data(self) -> Any:
        """What it printed, read as JSON."""
        return orjson.loads(self.out)


async def awa(*arguments: str, url: str | None = None, **variables: str) -> Said:
    """Run a command to its end, in this process: a new one costs half a second each."""
    return await asyncio.to_thread(_awa, arguments, _environment(url, variables))


_one_at_a_time = threading.Lock()


def _awa(arguments: Sequence[str], environment: Mapping[str, str]) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with _one_at_a_time:
        kept = dict(os.environ)
        try:
            _put(environment)
            with redirect_stdout(out), redirect_stderr(err):
                code = main(arguments)
        finally:
            _put(kept)
    return Said(code, out.getvalue(), err.getvalue())


def _put(environment: Mapping[str, str]) -> None:
    """Make the environment of this process this one."""
    os.environ.clear()
    os.environ.update(environment)


async def program(*arguments: str, url: str | None = None, **variables: str) -> Said:
    """Run a command to its end, in a process of its own as a person does."""
    async with started(*arguments, url=url, cwd=None, **variables) as process:
        async with asyncio.timeout(WAIT_S_MAX):
            out, err = await process.communicate()
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def started(
    *arguments: str, url: str | None = None, cwd: Path | None = None, **variables: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a command; when the block is left it is gone."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "awa", *arguments),
        cwd=cwd or ROOT,
        env=_environment(url, variables),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


def _environment(url: str | None, variables: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which nothing of this machine's own is chosen."""
    ours = ("DATABASE_URL", "AWA_CONTEXT", "AWA_CONFIG", "XDG_CONFIG_HOME", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    given = {"DATABASE_URL": url} if url else {}
    return {**kept, "AWA_CONFIG": "/nonexistent/config.toml", **given, **variables}
