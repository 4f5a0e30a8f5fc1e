"""Opens connections, and has them notice when their peer is gone.

Owns: how long a connection may take to open, and how long it may be silent.
Keeps: an address that is none is a DatabaseError, like one that leads nowhere.
Above: the store, migrate. Below: sql, errors.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg

from awa.errors import DatabaseError
from awa.store.sql import translated

__all__ = ["CLOSE_S_MAX", "CONNECT_S_MAX", "bound_silence", "opened", "reaching"]

CONNECT_S_MAX = 30.0
"""How long a first connection may take; a server that is being restarted is back by then."""

CLOSE_S_MAX = 10.0
"""How long a closing pool waits for what was taken from it."""

# Seconds of silence, then probes; and milliseconds that what was sent may stay unacknowledged.
_SILENCE = (
    ("TCP_KEEPIDLE", 10),
    ("TCP_KEEPINTVL", 5),
    ("TCP_KEEPCNT", 3),
    ("TCP_USER_TIMEOUT", 20_000),
)


async def opened(database_url: str, **settings: Any) -> Any:
    """Open a connection that notices when its peer is gone; DatabaseError if that fails."""
    with reaching():
        conn = await asyncpg.connect(database_url, **settings)
    bound_silence(conn)
    return conn


@contextmanager
def reaching() -> Iterator[None]:
    """Translate while connecting, where a ValueError is how the driver refuses a URL."""
    with translated():
        try:
            yield
        except ValueError as error:
            raise DatabaseError(f"invalid database URL: {error}") from error


def bound_silence(conn: Any) -> None:
    """Have the kernel break a TCP connection whose peer says nothing any more.

    A partition is silent: whoever waits for an answer would wait for ever, and a sweep with it.
    """
    given = conn._transport.get_extra_info("socket")
    if given is None or given.family == getattr(socket, "AF_UNIX", None):
        return
    # A copy of the descriptor: the loop's own object need not let its options be set.
    with socket.socket(fileno=os.dup(given.fileno())) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _SILENCE:
            if (option := getattr(socket, name, None)) is not None:
                one.setsockopt(socket.IPPROTO_TCP, option, value)
