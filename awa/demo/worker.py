"""A worker process of the demo: `python -m awa.demo.worker NAME URL FOLDER`.

Owns: the handlers of the demo, and its short limits.
Keeps: a handler notes its start before it does anything and its end after everything.
Above: play starts it. Below: mortal, notes, attempt, client, signals.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from awa.attempt import Job
from awa.client import AsyncClient
from awa.demo.mortal import die_with_parent
from awa.demo.notes import Notes
from awa.signals import run_until_signal

__all__ = ["STALE_S", "main"]

STALE_S = 2.0
"""Silence after which a worker is lost; half a minute in earnest, short here so that you see it."""

SLOW_S = 0.8


async def main(name: str, url: str, folder: str) -> None:
    """Run handlers until told to stop."""
    notes = Notes(Path(folder) / f"worker-{name}.txt")
    async with AsyncClient(url, 2) as client:

        @client.task(dict, kind="quick", queue="quick")
        async def quick(job: Job[Any]) -> None:
            notes.write("began", job.args["token"])
            notes.write("ended", job.args["token"])

        @client.task(dict, kind="steady", queue="steady")
        async def steady(job: Job[Any]) -> None:
            notes.write("began", job.args["token"])
            notes.write("ended", job.args["token"])

        @client.task(dict, kind="slow", queue="slow")
        async def slow(job: Job[Any]) -> None:
            notes.write("began", job.args["token"])
            await asyncio.sleep(SLOW_S)
            notes.write("ended", job.args["token"])

        await client.start(
            [("quick", 200), ("steady", 20), ("slow", 100)],
            heartbeat_interval_ms=500,
            heartbeat_staleness_ms=int(STALE_S * 1000),
            heartbeat_rescue_interval_ms=500,
            leader_election_interval_ms=500,
        )
        await run_until_signal(client, 5000)


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main(*sys.argv[1:]))
