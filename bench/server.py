"""The Postgres that is measured, and what it has spent.

Owns: the server's settings, and the counters that are read around a phase.
Keeps: durable settings: every commit is flushed. CPU is that of all its processes, those that
    ended included.
Above: core. Below: awa.embedded.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import asyncpg

from awa.embedded import EmbeddedPostgres

__all__ = ["SETTINGS", "Spent", "Watch", "make_database", "started"]

SETTINGS = {
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "jit": "off",
    "autovacuum_naptime": "10s",
    "max_connections": 200,
    "max_prepared_transactions": 10,
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}

TICKS = os.sysconf("SC_CLK_TCK")


def started(binaries: str | None) -> EmbeddedPostgres:
    """Return a server with the bench's settings, not yet started."""
    return EmbeddedPostgres(settings=SETTINGS, durable=True, binaries=binaries)


async def make_database(dsn: str, name: str) -> str:
    """Make an empty database and return its address; one of that name is dropped first."""
    conn = await asyncpg.connect(dsn)
    try:
        await conn.execute(f'drop database if exists "{name}" with (force)')
        await conn.execute(f'create database "{name}"')
        await conn.execute("checkpoint")
    finally:
        await conn.close()
    return dsn.rsplit("/", 1)[0] + "/" + name


def cpu_s(postmaster: int) -> float:
    """Return the CPU seconds of a server's processes, and of those that it has outlived."""
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == postmaster:
            total += int(fields[11]) + int(fields[12])
        elif int(entry.name) == postmaster:
            total += sum(int(field) for field in fields[11:15])
    return total / TICKS


@dataclass(frozen=True, slots=True)
class Spent:
    """What a phase has cost the server."""

    cpu_s: float
    wal_bytes: int
    commits: int


class Watch:
    """Reads the server's counters around a phase: `async with Watch(url, pid) as watch`."""

    def __init__(self, url: str, postmaster: int) -> None:
        self._url = url
        self._postmaster = postmaster
        self._conn: Any = None
        self._before: tuple[float, int, int] = (0.0, 0, 0)
        self.spent = Spent(0.0, 0, 0)

    async def __aenter__(self) -> Self:
        self._conn = await asyncpg.connect(self._url)
        self._before = await self._read()
        return self

    async def __aexit__(self, *_: object) -> None:
        after = await self._read()
        await self._conn.close()
        pairs = zip(after, self._before, strict=True)
        cpu, wal, commits = (now - then for now, then in pairs)
        self.spent = Spent(cpu, int(wal), int(commits))

    async def _read(self) -> tuple[float, int, int]:
        # CPU first and last but one: reading the others costs some itself.
        used = cpu_s(self._postmaster)
        row = await self._conn.fetchrow(
            "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as wal, "
            "(pg_stat_get_db_xact_commit(oid)) as commits "
            "from pg_database where datname = current_database()"
        )
        return used, int(row["wal"]), int(row["commits"])
