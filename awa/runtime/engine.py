"""The runtime of one worker process: a thread with a loop, and the services that live in it.

Owns: the engine's thread, what is started in which order, and the order of stopping.
Keeps: the application's loop only ever runs handlers; whatever speaks with the database lives in
    the engine's loop or in the heartbeat's. The heartbeat stops last, so that the worker lives
    while anything is unwritten.
Above: client. Below: dispatcher, executor, heartbeat, listener, maintenance, watchdog, config,
    errors, handlers, store.
"""

import asyncio
import importlib
import importlib.util
import logging
import os
import socket
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from awa.config import RuntimeConfig
from awa.errors import AwaError
from awa.handlers import Handlers
from awa.runtime.dispatcher import Dispatcher
from awa.runtime.executor import Executor
from awa.runtime.heartbeat import Heartbeat
from awa.runtime.listener import Listener
from awa.runtime.maintenance import Maintenance
from awa.runtime.watchdog import Watchdog
from awa.store import Store, Target
from awa.store.worker import Beat

__all__ = ["Engine"]

T = TypeVar("T")
logger = logging.getLogger(__name__)

POOL_MAX = 3
"""Connections for the sweeps: a long one, a short one, an election."""

FLUSH_S_MAX = 5.0
"""How long stopping waits for the last finishes to land; what does not is rescued by the leader."""


class Engine:
    """One worker process, from `start` to `shutdown`."""

    def __init__(self, target: Target, config: RuntimeConfig, handlers: Handlers) -> None:
        self._target = target
        self._config = config
        self._handlers = handlers
        self._app_loop = asyncio.get_running_loop()
        self._app_thread_id = threading.get_ident()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=self._main, name="awa-engine", daemon=True)
        threads = sum(one.max_workers for one in config.queues)
        self.executor = Executor(handlers, threads)
        self.dispatcher: Dispatcher
        self.maintenance: Maintenance
        self.listener: Listener | None = None
        self.heartbeat: Heartbeat
        self.is_stopping = False
        self._ended: asyncio.Event

    # --- From the application's loop -----------------------------------------------------------

    async def start(self) -> None:
        """Register the worker and begin; AwaError if the database cannot be had."""
        self._thread.start()
        await asyncio.wrap_future(self._started)

    async def shutdown(self, timeout_s: float) -> None:
        """Claim no more, give handlers their time, hand the rest back, and leave."""
        self.is_stopping = True
        await asyncio.wrap_future(self._call(self._stop(timeout_s)))
        self.executor.close()
        await self._app_loop.run_in_executor(None, self._thread.join)

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> "Future[T]":
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    @property
    def is_alive(self) -> bool:
        """Whether the engine's thread runs."""
        return self._thread.is_alive()

    # --- The engine's thread -------------------------------------------------------------------

    def _main(self) -> None:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            try:
                runner.run(self._run())
            except BaseException as error:
                if not self._started.done():
                    self._started.set_exception(error)
                    return
                logger.critical("the engine of this worker has died", exc_info=error)
                raise

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self.dispatcher = Dispatcher(
            self._target,
            self._config,
            sorted(self._handlers.handler_by_kind),
            f"{socket.gethostname()}:{os.getpid()}",
            self.executor.launch,
        )
        self.executor.report_to(self.dispatcher.finish, self.dispatcher.ring)
        await self.dispatcher.start()
        store = Store(self._target, POOL_MAX)
        self.maintenance = Maintenance(store, self._config, lambda: self.dispatcher.worker)
        interval_s = self._config.heartbeat_interval_ms / 1000
        self.heartbeat = Heartbeat(self._target, interval_s, self, self._stats)
        services = [self.dispatcher.run(), self.maintenance.run(), self._watchdog().run()]
        if self._listens:
            self.listener = self._listener()
            services.append(self.listener.run())
        self.heartbeat.start()
        self._started.set_result(None)
        tasks = [asyncio.create_task(one) for one in services]
        try:
            await self._until_ended(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await store.close()
            if self.listener is not None:
                await self.listener.close()
            await self.dispatcher.close()
            await self._loop.run_in_executor(None, self.heartbeat.stop)

    async def _until_ended(self, tasks: list["asyncio.Task[None]"]) -> None:
        """Wait for the stop; a service that dies of a fault of ours takes the engine with it."""
        ended = asyncio.create_task(self._ended.wait())
        watched = [ended, *tasks]
        while not ended.done():
            done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {ended}:
                watched.remove(task)
                task.result()

    async def _stop(self, timeout_s: float) -> None:
        """Stop in order: claims, handlers, finishes, leadership, the worker."""
        self.dispatcher.drain()
        try:
            async with asyncio.timeout(timeout_s):
                await self.dispatcher.emptied.wait()
        except TimeoutError:
            pass
        self.executor.cancel(self.dispatcher.release())
        try:
            async with asyncio.timeout(FLUSH_S_MAX):
                await self.dispatcher.drained.wait()
                await self.maintenance.resign()
                await self.dispatcher.retire()
        except (TimeoutError, AwaError) as error:
            logger.warning(
                "the worker leaves without a word; its entries will be rescued: %s", error
            )
        self._ended.set()

    # --- Parts ---------------------------------------------------------------------------------

    @property
    def _listens(self) -> bool:
        """Whether there is a connection that LISTEN works on: not through a pooler."""
        if self._target.listen_url is not None:
            return self._target.listen_url != ""
        return self._target.statement_cache_size != 0

    def _listener(self) -> Listener:
        def on_over(worker: str) -> None:
            if worker == str(self.dispatcher.worker):
                self.dispatcher.ask_over()

        def on_change(is_listening: bool) -> None:
            self.dispatcher.is_listening = is_listening

        return Listener(self._target, self.dispatcher.look, on_over, on_change)

    def _watchdog(self) -> Watchdog:
        return Watchdog(self._app_loop, self._app_thread_id, self.dispatcher.slots.running)

    def _stats(self) -> dict[str, Any]:
        return {"counts": dict(self.dispatcher.counts), "leads": self.maintenance.epoch}

    # --- From the heartbeat's thread -----------------------------------------------------------

    def running_for(self, seconds: float) -> tuple[int, list[int]]:
        """Return the worker's id, and the entries that have been running for so long."""
        assert self._loop is not None
        before = self._loop.time() - seconds
        running = list(self.dispatcher.slots.running())
        return self.dispatcher.worker, [one.seq for one in running if one.started_s < before]

    def beaten(self, worker: int, beat: Beat) -> None:
        """Take in what a heartbeat learnt about this worker."""
        assert self._loop is not None
        if not beat.is_alive:
            self._loop.call_soon_threadsafe(self.dispatcher.mark_lost, worker)
        elif beat.over:
            self._loop.call_soon_threadsafe(self.dispatcher.mark_over, beat.over)


def _loop_factory() -> Any:
    """Return what makes the engine's loop: uvloop where it is installed, a third faster."""
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.new_event_loop
    return importlib.import_module("uvloop").new_event_loop
