"""Hears wake-ups, which are hints to look and carry no truth.

Owns: the one connection that listens.
Keeps: without it nothing is lost, only later; while it is down, polling is as frequent as asked.
Above: engine. Below: service, store.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from awa.runtime.service import Service
from awa.store import Target, connect
from awa.store.sql import translated

__all__ = ["Listener"]

CHECK_S = 5.0
"""How often the connection is tried: a partition is silent, and who only listens hears nothing."""


class Listener(Service):
    """Listens on the schema's channels."""

    name = "listener"

    def __init__(
        self,
        target: Target,
        on_wake: Callable[[str], None],
        on_over: Callable[[str], None],
        on_change: Callable[[bool], None],
    ) -> None:
        super().__init__(CHECK_S)
        self._target = target
        self._on_by_channel = {target.schema: on_wake, f"{target.schema}_over": on_over}
        self._on_change = on_change
        self._conn: Any = None

    async def run_once(self) -> bool:
        """Listen, or see that the connection still does."""
        if self._conn is not None and self._conn.is_closed():
            await self.close()
        try:
            if self._conn is None:
                await self._listen()
            with translated():
                await asyncio.wait_for(self._conn.fetchval("select 1"), timeout=CHECK_S)
        except BaseException:
            await self.close()
            raise
        return False

    async def _listen(self) -> None:
        self._conn = await connect(self._target, url=self._target.listen_url)
        self._conn.add_termination_listener(lambda _: self._on_change(False))
        with translated():
            for channel in self._on_by_channel:
                await self._conn.add_listener(channel, self._heard)
        self._on_change(True)

    def _heard(self, _conn: Any, _pid: int, channel: str, payload: str) -> None:
        self._on_by_channel[channel](payload)

    async def close(self) -> None:
        """Listen no more."""
        conn, self._conn = self._conn, None
        self._on_change(False)
        if conn is not None:
            conn.terminate()
