"""Collect: the events of a database, as a trace.

Owns: what the header of a trace says of where it comes from.
Keeps: nothing but what the database recorded.
Above: check, the cli. Below: tlc, trace; store.
"""

from typing import Any

from awa.lab.tlc import spec_folder
from awa.lab.trace import Event, Trace, spec_hashes
from awa.store.recorder import RecorderStore

__all__ = ["collect", "header"]


def header(origin: str, **said: Any) -> dict[str, Any]:
    """Return the first line of a trace file."""
    return {"origin": origin, "spec": spec_hashes(spec_folder()), **said}


async def collect(store: RecorderStore, origin: str, after: int = 0, **said: Any) -> Trace:
    """Read what was traced, after this number; `said` is what else the header is to say."""
    events = [Event(**row) async for row in store.events(after)]
    return Trace(header(origin, **said), events)
