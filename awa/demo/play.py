"""The play: who is started, killed, stopped and continued, and when.

Owns: the processes of the demo and the order of events.
Keeps: it waits for what happened, as the files say, never for a time; every wait has a bound.
    Whatever goes wrong, no process is left behind.
Above: command. Below: notes, worker, errors, store.
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg

from awa.demo.notes import Note, Reader
from awa.demo.worker import STALE_S
from awa.errors import AwaError
from awa.store.migrate import migrate
from awa.store.recorder import RecorderStore

__all__ = ["Play"]

WAIT_S_MAX = 120.0
LOOK_S = 0.02
RUNNING_MIN = 50
"""So many jobs run in a worker when it is killed, at least."""

PRODUCED = {"bulk": 16_000, "orders": 1_250, "slow": 600, "steady": 1_000}


class Play:
    """One run of the demo on one database."""

    def __init__(self, url: str, folder: Path, say: Callable[[str], None]) -> None:
        self.url = url
        self.folder = folder
        self.say = say
        self.committed: dict[str, float] = {}
        self.began: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self.runs = 0
        self.exit_codes: dict[str, int] = {}
        self._running: dict[str, set[str]] = {}
        self._readers: dict[str, Reader] = {}
        self._process_by_name: dict[str, subprocess.Popen[bytes]] = {}

    async def run(self) -> None:
        """Do it all, from an empty database to the last job."""
        await migrate(self.url)
        conn = await asyncpg.connect(self.url)
        try:
            await conn.execute("create table demo_order (number int primary key)")
            await RecorderStore(conn).record(True)
            with ExitStack() as stack:
                stack.callback(self._kill_all)
                await self._act(conn)
        finally:
            await conn.close()

    async def _act(self, conn: Any) -> None:
        for name in ("a", "b", "c"):
            self._start(f"worker-{name}", "awa.demo.worker", name)
        for role, count in PRODUCED.items():
            self._start(f"producer-{role}", "awa.demo.producer", role, count=str(count))
        self.say(f"staleness limit: {STALE_S:g} s (30 s in earnest)")
        await self._until(lambda: len(self._running["worker-a"]) >= RUNNING_MIN, "worker a is busy")
        self._signal("worker-a", signal.SIGKILL)
        self.say(f"killed worker a while {len(self._running['worker-a'])} jobs ran in it")
        await self._until(lambda: len(self._running["worker-b"]) >= RUNNING_MIN, "worker b is busy")
        self._signal("worker-b", signal.SIGSTOP)
        self.say(f"stopped worker b while {len(self._running['worker-b'])} jobs ran in it")
        pid = self._process_by_name["worker-b"].pid
        await self._until_lost(conn, pid)
        self._signal("worker-b", signal.SIGCONT)
        self.say("worker b was declared lost; continued it: its late finishes are refused")
        await self._until(self._is_produced, "everything is produced")
        await self._until(lambda: self.committed.keys() <= self.ended.keys(), "everything is run")
        for name in ("worker-b", "worker-c"):
            self._signal(name, signal.SIGTERM)
        await self._until(lambda: self._has_ended("worker-b", "worker-c"), "the workers stop")

    # --- Processes -----------------------------------------------------------------------------

    def _start(self, name: str, module: str, role: str, *, count: str | None = None) -> None:
        command = [sys.executable, "-m", module, role, self.url, str(self.folder)]
        log = (self.folder / f"{name}.log").open("wb")
        self._process_by_name[name] = subprocess.Popen(
            [*command, count] if count else command, stdout=log, stderr=log
        )
        log.close()
        self._readers[name] = Reader(self.folder / f"{name}.txt")
        self._running[name] = set()

    def _signal(self, name: str, number: signal.Signals) -> None:
        process = self._process_by_name[name]
        process.send_signal(number)
        if number is signal.SIGKILL:
            process.wait()

    def _has_ended(self, *names: str) -> bool:
        for name in names:
            code = self._process_by_name[name].poll()
            if code is None:
                return False
            self.exit_codes[name] = code
        return True

    def _is_up(self, name: str) -> bool:
        return self._process_by_name[name].returncode is None

    def _is_produced(self) -> bool:
        names = [f"producer-{role}" for role in PRODUCED]
        if not self._has_ended(*names):
            return False
        if failed := [name for name in names if self.exit_codes[name]]:
            raise AwaError(f"{failed[0]} failed: {self._log_end(failed[0])}")
        return True

    def _log_end(self, name: str) -> str:
        lines = (self.folder / f"{name}.log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def _kill_all(self) -> None:
        for process in self._process_by_name.values():
            if process.poll() is None:
                process.kill()
            process.wait()

    # --- Waiting -------------------------------------------------------------------------------

    async def _until(self, holds: Callable[[], bool], what: str) -> None:
        """Read the files until this holds; AwaError if it does not within the bound."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + WAIT_S_MAX
        self._read()
        while not holds():
            if loop.time() > ends_at:
                raise AwaError(f"gave up waiting until {what}")
            await asyncio.sleep(LOOK_S)
            self._read()
        self._read()

    async def _until_lost(self, conn: Any, pid: int) -> None:
        lost: list[bool] = []

        async def look() -> None:
            while not lost:
                found = await conn.fetchval(
                    "select count(*) from awa.worker where name like $1 and lost_at is not null",
                    f"%:{pid}",
                )
                lost.extend([True] * found)
                await asyncio.sleep(LOOK_S)

        looking = asyncio.create_task(look())
        try:
            await self._until(lambda: bool(lost), "worker b is declared lost")
        finally:
            looking.cancel()

    def _read(self) -> None:
        for name, reader in self._readers.items():
            for note in reader.fresh():
                self._take(name, note)

    def _take(self, name: str, note: Note) -> None:
        if note.word == "committed":
            self.committed[note.token] = note.at
        elif note.word == "began":
            self.runs += 1
            self.began.setdefault(note.token, note.at)
            self._running[name].add(note.token)
        elif note.word == "ended":
            self.ended.setdefault(note.token, note.at)
            self._running[name].discard(note.token)

    def progress(self) -> str:
        """Return one line about how far it is."""
        running = sum(len(self._running[name]) for name in self._running if self._is_up(name))
        return (
            f"committed {len(self.committed):>6}   run {len(self.ended):>6}   "
            f"running {running:>4}   attempts {self.runs:>6}"
        )
