"""Fixtures of the runtime's tests: more clients of the same database.

Owns: clients that are closed after the test, whatever it did.
Keeps: a client is closed before its database is dropped.
Above: the tests of this folder. Below: tests.conftest, awa.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest

import awa
from tests import postgres
from tests.runtime.scene import Runs

Clients = Callable[..., awa.AsyncClient]


@pytest.fixture
async def clients(url: str) -> AsyncIterator[Clients]:
    """Make as many clients as the test wants, of its database or of another address of it."""
    async with AsyncExitStack() as stack:

        def make(address: str = url, **how: object) -> awa.AsyncClient:
            client = awa.AsyncClient(address, **how)  # type: ignore[arg-type]
            stack.push_async_callback(client.close)
            return client

        yield make


class Outage:
    """Nobody can connect to the test's database, until it is over; who is connected stays."""

    def __init__(self, server: postgres.Server, url: str) -> None:
        self._server = server
        self._database = url.rpartition("/")[2]

    async def begin(self) -> None:
        """Begin the outage."""
        await self._alter("false")

    async def end(self) -> None:
        """End it."""
        await self._alter("true")

    async def _alter(self, value: str) -> None:
        conn = await asyncpg.connect(self._server.dsn)
        await conn.execute(f"alter database {self._database} allow_connections {value}")
        await conn.close()


@pytest.fixture
async def outage(server: postgres.Server, url: str) -> AsyncIterator[Outage]:
    """What bars the test's database; it is over after the test."""
    made = Outage(server, url)
    yield made
    await made.end()


@pytest.fixture
def runs() -> Runs:
    """A record of what handlers did."""
    return Runs()
