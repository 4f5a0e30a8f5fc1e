"""The door of the trace lab: turn tracing on and off, and read what was written.

Owns: how the rows of `trace_event` are read, a portion at a time; and how the changes of all rows
    are, by logical decoding.
Keeps: nothing here runs unless somebody asks for a trace.
Above: awa.lab. Below: sql.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from awa.store.sql import ROOT, Conn, checked_schema, template, translated

__all__ = ["RecorderStore", "recorder"]

PORTION = 10_000
"""Events that are read at a time: some megabytes."""

CHANGES = 100_000
"""Changes that are decoded at a time: each portion begins with a look at the log of an old one."""

_BEGIN = ROOT / "sql" / "audit_begin.sql"
_CHANGES = ROOT / "sql" / "audit_changes.sql"
_END = ROOT / "sql" / "audit_end.sql"
_EVENTS = ROOT / "sql" / "trace_events.sql"
_RECORD = ROOT / "sql" / "trace_record.sql"
_JSON = ("input", "output", "post")


@dataclass(frozen=True, slots=True)
class RecorderStore:
    """What was traced in one schema, on one connection."""

    conn: Conn
    schema: str = "awa"

    async def record(self, on: bool) -> None:
        """Have sessions that begin from now on traced, or not; the database's owner may do this."""
        with translated():
            rows = await self.conn.fetch(template(_RECORD, self.schema), "on" if on else "off")
            await self.conn.fetch(rows[0][0])

    async def version(self) -> str:
        """Return the server's version."""
        with translated():
            return str((await self.conn.fetch("show server_version"))[0][0])

    async def events(self, after: int = 0) -> AsyncIterator[dict[str, Any]]:
        """Return the events numbered above this, in the order of their numbers."""
        while True:
            with translated():
                rows = await self.conn.fetch(template(_EVENTS, self.schema), after, PORTION)
            for row in rows:
                event = dict(row)
                event |= {name: orjson.loads(event[name] or "{}") for name in _JSON}
                yield event
            if len(rows) < PORTION:
                return
            after = rows[-1]["n"]

    async def begin_audit(self) -> None:
        """Have every change of a row kept until it is read, on a server with wal_level=logical.

        A superuser may do this. What is kept and never read fills the server's disk: end it.
        """
        await self._each(_BEGIN)

    async def end_audit(self) -> None:
        """Have nothing kept any more."""
        await self._each(_END)

    async def changes(self) -> AsyncIterator[bytes]:
        """Return what was committed since the last call, each transaction whole, as messages."""
        while True:
            with translated():
                rows = await self.conn.fetch(template(_CHANGES, self.schema), CHANGES)
            if not rows:
                return
            for row in rows:
                yield row["data"]

    async def _each(self, file: Path) -> None:
        """Run the statements that a file gives, each by itself."""
        with translated():
            for row in await self.conn.fetch(template(file, self.schema)):
                await self.conn.fetch(row["statement"])


@asynccontextmanager
async def recorder(url: str, schema: str = "awa") -> AsyncIterator[RecorderStore]:
    """Open the door on a connection of its own."""
    with translated():
        conn = await asyncpg.connect(url, statement_cache_size=0)
    try:
        yield RecorderStore(conn, checked_schema(schema))
    finally:
        await conn.close()
