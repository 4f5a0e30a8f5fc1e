"""A wire between a client and Postgres that can be cut at the worst moment.

Owns: forwarding bytes, dropping an answer, holding a request, standing still.
Keeps: what the client sent has arrived before its answer is dropped: the server did the work.
Above: the tests of this folder. Below: nothing.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit


@dataclass
class Wire:
    """One connection through the proxy, as two pairs of streams."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    server_reader: asyncio.StreamReader
    server_writer: asyncio.StreamWriter
    sent: bytes = b""
    answered: asyncio.Event | None = None
    """Set once the server has done what it is not to be heard of."""

    def cut(self) -> None:
        """End both sides, without a word."""
        for writer in (self.writer, self.server_writer):
            writer.transport.abort()


class Proxy:
    """Forwards connections to a server; `url` is the address to use instead of the server's."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None and parts.port is not None
        self._host, self._port = parts.hostname, parts.port
        self._address = url
        self._wires: list[Wire] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._dropped: asyncio.Future[None] | None = None
        self._arrives: asyncio.Event | None = None
        self._marker = b""
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = re.sub(r"@[^/]*/", f"@127.0.0.1:{port}/", self._address)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for wire in self._wires:
            wire.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @asynccontextmanager
    async def drops_an_answer(self, marker: bytes) -> AsyncIterator[None]:
        """Drop what is answered to the next request of a connection that ever sent the marker.

        Then that connection is cut. The block is left once it has happened.
        """
        self._marker = marker
        self._dropped = dropped = asyncio.get_running_loop().create_future()
        yield
        async with asyncio.timeout(20):
            await dropped

    @asynccontextmanager
    async def holds_a_request(self, marker: bytes) -> AsyncIterator[None]:
        """Hold the next such request, and cut its client off; it arrives when the block is left."""
        async with self.drops_an_answer(marker):
            self._arrives = arrives = asyncio.Event()
            yield
            self._arrives = None
            arrives.set()

    def stand_still(self) -> None:
        """Forward nothing and end nothing: a partition is silent."""
        self._flows.clear()

    def go_on(self) -> None:
        """Forward again, on new connections; those that stood still are dead."""
        for wire in self._wires:
            wire.cut()
        self._flows.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            self._tasks.add(task)
        with suppress(OSError, asyncio.CancelledError):
            await self._flows.wait()
            wire = Wire(reader, writer, *await asyncio.open_connection(self._host, self._port))
            self._wires.append(wire)
            await asyncio.gather(self._requests(wire), self._answers(wire))
        writer.transport.abort()

    async def _requests(self, wire: Wire) -> None:
        while data := await wire.reader.read(2**16):
            await self._flows.wait()
            wire.sent = (wire.sent + data)[: 2**20]
            # The statement was prepared before; a Bind is its execution.
            is_meant = data.startswith(b"B") and self._marker in wire.sent
            if self._dropped is not None and is_meant:
                dropped = self._dropped
                self._dropped = None
                wire.answered = asyncio.Event()
                if self._arrives is not None:
                    wire.writer.transport.abort()
                    await self._arrives.wait()
                wire.server_writer.write(data)
                await wire.answered.wait()
                dropped.set_result(None)
                return
            wire.server_writer.write(data)
            await wire.server_writer.drain()
        wire.cut()

    async def _answers(self, wire: Wire) -> None:
        while data := await wire.server_reader.read(2**16):
            await self._flows.wait()
            if wire.answered is not None:
                # Ready for the next request, outside of a transaction: it has committed.
                if data.endswith(b"Z\0\0\0\5I"):
                    wire.cut()
                    wire.answered.set()
                    return
                continue
            wire.writer.write(data)
            await wire.writer.drain()
        wire.cut()
