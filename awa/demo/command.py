"""The demo from its server to its summary.

Owns: the embedded Postgres of the demo, its live progress and its summary.
Keeps: exit code 1 if anything was lost, or done that the models do not allow. With --json nothing
    but the object goes to stdout.
Above: cli. Below: play, embedded, lab, store, text.
"""

import asyncio
import importlib.util
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import asyncpg

from awa.demo.play import Play
from awa.embedded import EmbeddedPostgres
from awa.lab.check import check
from awa.lab.collect import collect
from awa.lab.monitor import Monitor
from awa.store.recorder import recorder
from awa.text import as_json

__all__ = ["dead_tuples", "demo"]

ROOT = Path(__file__).parent
LOGS = ("entry", "claim", "hole", "part", "ending", "deferred")


async def demo(*, json: bool, binaries: str | None) -> int:
    """Run the demo and print its summary; return the exit code."""
    asked: list[int] = []
    task = asyncio.current_task()
    assert task is not None

    def stop(number: int) -> None:
        asked.append(number)
        task.cancel()

    # As Ctrl-C does, so that nothing is left behind.
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        summary = await _played(binaries)
    except asyncio.CancelledError:
        if not asked:
            raise
        return 128 + asked[0]
    print(as_json(summary) if json else _as_table(summary))
    return 1 if summary["lost"] or summary["illegal"] else 0


async def _played(binaries: str | None) -> dict[str, Any]:
    """Play it on a server of its own; return the summary."""
    settings = {"jit": "off", "shared_buffers": "256MB", "max_connections": 100}
    _say("starting an embedded Postgres ...")
    with EmbeddedPostgres(settings=settings, durable=True, binaries=binaries) as server:
        # In the server's folder: whatever ends the demo, the next server takes both away.
        play = Play(server.dsn, Path(tempfile.mkdtemp(prefix="demo-", dir=server.folder)), _say)
        ticker = asyncio.create_task(_tick(play))
        try:
            await play.run()
        finally:
            ticker.cancel()
        return await _summary(play, server.dsn) | await _judged(server.dsn)


def _say(text: str) -> None:
    print(f"\r\x1b[K{text}" if sys.stderr.isatty() else text, file=sys.stderr, flush=True)


async def _tick(play: Play) -> None:
    """Show how far it is: on a terminal in one line, elsewhere a line a second."""
    pace_s = 0.1 if sys.stderr.isatty() else 1.0
    while True:
        end = "" if sys.stderr.isatty() else "\n"
        start = "\r\x1b[K" if sys.stderr.isatty() else ""
        print(f"{start}{play.progress()}", end=end, file=sys.stderr, flush=True)
        await asyncio.sleep(pace_s)


async def _summary(play: Play, url: str) -> dict[str, Any]:
    """Return what happened: the files' word for what was run, the trace's for what was refused."""
    conn = await asyncpg.connect(url)
    try:
        counts = await conn.fetchrow((ROOT / "counts.sql").read_text())
        dead = await dead_tuples(conn)
    finally:
        await conn.close()
    done = play.committed.keys() & play.ended.keys()
    span_s = max(play.ended.values()) - min(play.began.values())
    waits = sorted(
        max(0.0, play.began[token] - play.committed[token]) * 1000
        for token in play.committed
        if token.startswith("steady-") and token in play.began
    )
    return {
        "committed": len(play.committed),
        "completed": len(done),
        "rescued": counts["rescued"],
        "stale_refused": counts["stale"],
        "lost": len(play.committed) - len(done),
        "jobs_per_s": round(len(done) / span_s, 1),
        "pickup_ms": {f"p{p}": round(_percentile(waits, p), 2) for p in (50, 95, 99)},
        "dead_tuples": sum(count for name, count in dead.items() if name.startswith(LOGS)),
        "trace_events": counts["events"],
        "dead_tuples_elsewhere": {k: v for k, v in dead.items() if not k.startswith(LOGS)},
        "attempts": play.runs,
        "unexpected": len(play.ended.keys() - play.committed.keys()),
        "still_open": counts["unfinished"],
    }


async def _judged(url: str) -> dict[str, Any]:
    """Hold what was traced against the models; return the verdict, and how much is illegal."""
    if importlib.util.find_spec("tla") is None:
        verdict = "not judged: the extra `spec` brings what the models are read with"
        return {"verdict": verdict, "illegal": None, "findings": []}
    _say("holding the trace against the models ...")
    async with recorder(url) as store:
        trace = await collect(store, "awa demo")
    report = check(trace, Monitor())
    findings = [str(finding) for finding in report.findings]
    return {"verdict": report.verdict, "illegal": report.illegal, "findings": findings}


async def dead_tuples(conn: Any, schema: str = "awa") -> dict[str, int]:
    """Return the dead row versions of committed work by table, counted on the pages themselves."""
    await conn.execute("create extension if not exists pageinspect")
    rows = await conn.fetch((ROOT / "dead_tuples.sql").read_text(), schema)
    return {row["relation"]: row["dead"] for row in rows}


def _percentile(sorted_values: list[float], percent: int) -> float:
    """Return the smallest value that is not below so many percent of all."""
    if not sorted_values:
        return 0.0
    return sorted_values[min(len(sorted_values) - 1, len(sorted_values) * percent // 100)]


def _as_table(summary: dict[str, Any]) -> str:
    pickup = summary["pickup_ms"]
    elsewhere = sum(summary["dead_tuples_elsewhere"].values())
    rows = [
        ("jobs committed", f"{summary['committed']:,}"),
        ("jobs completed", f"{summary['completed']:,}"),
        ("attempts begun", f"{summary['attempts']:,}"),
        ("entries rescued", f"{summary['rescued']:,}"),
        ("stale finishes refused", f"{summary['stale_refused']:,}"),
        ("lost", f"{summary['lost']:,}"),
        ("throughput", f"{summary['jobs_per_s']:,.0f} jobs/s"),
        ("pickup p50 / p95 / p99", f"{pickup['p50']} / {pickup['p95']} / {pickup['p99']} ms"),
        ("dead tuples in the logs", f"{summary['dead_tuples']:,}"),
        ("dead tuples elsewhere", f"{elsewhere:,} (heartbeats, leases)"),
    ]
    width = max(len(name) for name, _ in rows)
    table = [f"  {name.ljust(width)}   {value}" for name, value in rows]
    return "\n".join(["", *table, "", *summary["findings"], summary["verdict"]])
