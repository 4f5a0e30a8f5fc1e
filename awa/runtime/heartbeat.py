"""Says that the worker is alive, from a thread of its own.

Owns: the heartbeat's thread, loop and connection.
Keeps: neither a handler that blocks the application's loop nor a step that waits for a lock makes
    the worker look dead. What a heartbeat learns is handed to the engine's loop. A fault of ours
    ends it and is left in `fault`, for the engine to die of.
Above: engine. Below: store, errors.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Any, Protocol

from awa.errors import AwaError
from awa.store import Target, connect
from awa.store.sql import translated
from awa.store.worker import Beat, WorkerStore

__all__ = ["Heartbeat", "Pulse"]

logger = logging.getLogger(__name__)


class Pulse(Protocol):
    """What a heartbeat asks of the engine, from its own thread."""

    def running_for(self, seconds: float) -> tuple[int, list[int]]:
        """Return the worker's id, and the entries that have been running for so long."""
        ...

    def beaten(self, worker: int, beat: Beat) -> None:
        """Take in what a heartbeat learnt about this worker."""
        ...


class Heartbeat:
    """One heartbeat a worker, whatever it runs."""

    def __init__(
        self, target: Target, interval_s: float, pulse: Pulse, stats: Callable[[], dict[str, Any]]
    ) -> None:
        self._target = target
        self._interval_s = interval_s
        # A partition is silent: a beat that is not answered is tried again on another connection.
        self._answer_s = 2 * interval_s + 1
        self._pulse = pulse
        self._stats = stats
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._main, name="awa-heartbeat", daemon=True)
        self._conn: Any = None
        self.fault: Future[None] = Future()
        self.beaten_at = monotonic()

    @property
    def is_alive(self) -> bool:
        """Whether a heartbeat went through lately."""
        return monotonic() - self.beaten_at < self._answer_s

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Beat no more, and wait for the beat that is under way."""
        self._is_stopping.set()
        self._thread.join(timeout=5)

    def _main(self) -> None:
        try:
            with asyncio.Runner() as runner:
                try:
                    while not self._is_stopping.wait(self._interval_s):
                        runner.run(self._beat())
                finally:
                    runner.run(self._disconnect())
        except BaseException as error:  # noqa: BLE001 - a thread that ends is seen by nobody
            if self.fault.set_running_or_notify_cancel():
                self.fault.set_exception(error)

    async def _beat(self) -> None:
        try:
            worker, long_runners = self._pulse.running_for(self._interval_s)
            with translated():
                async with asyncio.timeout(self._answer_s):
                    if self._conn is None:
                        self._conn = await connect(self._target)
                    store = WorkerStore(self._conn, self._target.schema)
                    beat = await store.heartbeat(worker, long_runners, self._stats())
        except AwaError as error:
            if self._conn is not None:
                logger.warning("the heartbeat lost its connection: %s", error)
            await self._disconnect()
            return
        self.beaten_at = monotonic()
        self._pulse.beaten(worker, beat)

    async def _disconnect(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.terminate()
