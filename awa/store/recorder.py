"""The door of the trace lab: turn tracing on and off, and read what was written.

Owns: how the rows of `trace_event` are read, a portion at a time.
Keeps: nothing here runs unless somebody asks for a trace.
Above: awa.lab. Below: sql.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from awa.store.sql import ROOT, Conn, checked_schema, template, translated

__all__ = ["RecorderStore", "recorder"]

PORTION = 10_000
"""Events that are read at a time: some megabytes."""

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


@asynccontextmanager
async def recorder(url: str, schema: str = "awa") -> AsyncIterator[RecorderStore]:
    """Open the door on a connection of its own."""
    with translated():
        conn = await asyncpg.connect(url, statement_cache_size=0)
    try:
        yield RecorderStore(conn, checked_schema(schema))
    finally:
        await conn.close()
