"""The processes that are measured: Awa's, and awa-pg's in an environment of its own.

Owns: how an adapter is started and spoken with, and where awa-pg is installed.
Keeps: both run the same adapter. A process that was started is gone when the bench is.
Above: core. Below: adapter, as a program.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["AWA_PG", "Peer", "Process", "installed_awa_pg", "our_peer"]

ROOT = Path(__file__).parent
AWA_PG = "0.6.9"
WAIT_S_MAX = 300.0


class Process:
    """One adapter process: lines of JSON from it, an open stdin to it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.count = 0
        self.rss_kb = 0

    async def line(self) -> dict[str, Any]:
        """Return what it says next; RuntimeError if it ended without a word."""
        assert self._process.stdout is not None
        async with asyncio.timeout(WAIT_S_MAX):
            text = await self._process.stdout.readline()
        if not text:
            raise RuntimeError(f"an adapter ended with code {await self._process.wait()}")
        said: dict[str, Any] = json.loads(text)
        self.count = said.get("count", self.count)
        self.rss_kb = said.get("rss_kb", self.rss_kb)
        return said

    async def until(self, key: str) -> dict[str, Any]:
        """Return the first thing it says that has this key."""
        while key not in (said := await self.line()):
            pass
        return said

    async def until_count(self, count: int) -> None:
        """Wait until it has run so many jobs."""
        while self.count < count:
            await self.line()

    async def stop(self) -> dict[str, Any]:
        """Have it stop; return its last word."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        said = await self.until("done")
        await self._process.wait()
        return said

    def kill(self) -> None:
        """End it at once, if it still runs."""
        if self._process.returncode is None:
            self._process.kill()


class Peer:
    """A library under measurement: its name, and the Python that has it."""

    def __init__(self, name: str, python: str) -> None:
        self.name = name
        self._python = python
        self._started: list[Process] = []

    async def start(self, command: str, *args: object) -> Process:
        """Start an adapter process."""
        process = await asyncio.create_subprocess_exec(
            self._python,
            str(ROOT / "adapter.py"),
            command,
            *[str(one) for one in args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            limit=2**26,
        )
        self._started.append(Process(process))
        return self._started[-1]

    async def call(self, command: str, *args: object) -> dict[str, Any]:
        """Run an adapter to its end; return what it said."""
        process = await self.start(command, *args)
        said = await process.line()
        await process._process.wait()
        return said

    async def migrate(self, url: str) -> None:
        """Make the library's schema."""
        process = await self.start("migrate", url)
        if await process._process.wait():
            raise RuntimeError(f"{self.name} did not migrate")

    def kill_all(self) -> None:
        """End whatever is still running."""
        for process in self._started:
            process.kill()


def our_peer() -> Peer:
    """Return Awa, as it is installed here."""
    return Peer("awa", sys.executable)


def installed_awa_pg() -> Peer:
    """Return awa-pg in an environment of its own, made now if it is not there."""
    folder = ROOT / ".env" / f"awa-pg-{AWA_PG}"
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        uv = str(Path(sys.executable).parent / "uv")
        quietly: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL}
        subprocess.run(
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], **quietly
        )
        lock = str(ROOT.parent / "requirements" / "awa-pg.txt")
        install = [uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes"]
        subprocess.run([*install, "-r", lock], **quietly)
        (folder / ".ready").touch()
    return Peer("awa-pg", str(python))
