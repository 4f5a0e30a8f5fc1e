"""A process: it ends when it is told to, whatever its handlers do, and when its engine has died.

Owns: what is left running in the interpreter when a worker has stopped; the exit code.
Keeps: the process is a real one: `awa worker` and an application of one endless handler.
Above: nobody. Below: tests.rig, tests.runtime.test_death, awa.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.rig import Rig
from tests.runtime.test_death import GUARD, SURPRISE

ROOT = Path(__file__).resolve().parents[2]
APP = """
import threading
import awa

client = awa.AsyncClient("postgres://127.0.0.1:1/nowhere")

@client.task(dict, kind="k", queue="q")
def endless(job):
    print("began", flush=True)
    threading.Event().wait()
"""


@pytest.fixture
async def process(tmp_path: Path, rig: Rig) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker whose only handler has begun, in a thread, and will never end."""
    (tmp_path / "endless.py").write_text(APP)
    await rig.enqueue()
    made = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "awa", "--database-url", rig.url),
        *("worker", "endless:client", "--shutdown-timeout-ms", "100"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert made.stdout is not None
        assert await asyncio.wait_for(made.stdout.readline(), 30) == b"began\n"
        yield made
    finally:
        if made.returncode is None:
            made.kill()
        await made.communicate()


async def test_a_thread_that_never_ends_does_not_keep_its_process(
    rig: Rig, process: asyncio.subprocess.Process
) -> None:
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 30) == 0
    (job,) = await rig.states()
    shown = await rig.job(job)
    assert (shown["state"], shown["attempt"]) == ("available", 0)


async def test_a_process_whose_engine_dies_says_so_and_exits_with_1(
    rig: Rig, process: asyncio.subprocess.Process
) -> None:
    await rig.sow("step", GUARD, SURPRISE)
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    *_, last = said.decode().splitlines()
    assert last.startswith("error: the engine of this worker has died: AttributeError: ")
    assert "unheard of" in last
