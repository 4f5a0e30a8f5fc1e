"""The demo shows what is promised, at its only size: nothing lost, kills survived, no dead tuples.

Owns: the keys of its summary and what must hold in them; that it leaves nothing behind.
Keeps: it is run as a person runs it, in a process of its own, on a server of its own.
Above: nobody. Below: tests.story.stage, awa.demo.
"""

import asyncio
import os
import signal
from pathlib import Path

import orjson
import pytest

from tests.runtime.scene import until
from tests.story.stage import started


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_demo_loses_nothing_and_says_so(tmp_path: Path) -> None:
    async with started("demo", "--json", TMPDIR=str(tmp_path)) as process:
        async with asyncio.timeout(240):
            out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    summary = orjson.loads(out)
    assert {
        *("committed", "completed", "rescued", "stale_refused", "lost", "jobs_per_s"),
        *("pickup_ms", "dead_tuples", "trace_events"),
    } <= set(summary)
    assert summary["committed"] == summary["completed"] > 20_000
    assert summary["lost"] == summary["unexpected"] == summary["still_open"] == 0
    assert summary["rescued"] > 0 and summary["stale_refused"] > 0
    assert summary["attempts"] > summary["completed"], "nobody ran twice, so nobody was killed"
    assert summary["dead_tuples"] == 0
    assert summary["jobs_per_s"] > 0
    assert list(summary["pickup_ms"]) == ["p50", "p95", "p99"]
    waits = list(summary["pickup_ms"].values())
    assert 0 <= waits[0] <= waits[1] <= waits[2]
    assert summary["trace_events"] > summary["committed"] / 500
    assert summary["verdict"] == f"{summary['trace_events']} events, all legal"
    for words in (b"killed worker a", b"stopped worker b", b"declared lost; continued it"):
        assert words in err


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_demo_that_is_ended_leaves_nobody(tmp_path: Path, number: signal.Signals) -> None:
    async with started("demo", TMPDIR=str(tmp_path)) as process:
        assert process.stderr is not None
        async with asyncio.timeout(60):
            while b"staleness limit" not in await process.stderr.readline():
                pass
        process.send_signal(number)
        code = await process.wait()
    assert code == (128 + number if number is signal.SIGTERM else -number)

    def are_gone() -> bool:
        mine = str(tmp_path).encode()
        return not [one for one in Path("/proc").glob("[0-9]*/cmdline") if mine in read(one)]

    await until(are_gone)
    if number is signal.SIGTERM:
        assert os.listdir(tmp_path) == []


def read(path: Path) -> bytes:
    """Return a file of a process, which may have ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.slow
async def test_a_demo_that_finds_no_postgres_says_so_in_one_line(tmp_path: Path) -> None:
    async with started("demo", "--json", AWA_PG_BIN=str(tmp_path)) as process:
        out, err = await process.communicate()
    *_, last = err.decode().splitlines()
    assert (process.returncode, out) == (1, b"")
    assert last.startswith("error: no initdb and postgres in ")
    assert "Traceback" not in err.decode()
