"""The runtime of one worker process: a thread with a loop, and the services that live in it.

Owns: the engine's thread, what is started in which order, and the order of stopping.
Keeps: the application's loop only ever runs handlers; whatever speaks with the database lives in
    the engine's loop or in the heartbeat's. The heartbeat stops last, so that the worker lives
    while anything is unwritten.
Above: client. Below: dispatcher, executor, heartbeat, listener, maintenance, watchdog, config,
    errors, handlers, store.
"""

import asyncio
import contextlib
import importlib
import importlib.util
import logging
import os
import socket
import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import AsyncExitStack
from typing import Any

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

logger = logging.getLogger(__name__)

POOL_MAX = 8
"""Connections for maintenance: one for the election and one for each sweep, so that no number of
long ones keeps a short one waiting. Few exist at a time: they are opened when all others are at
work, and close when they have been idle for minutes."""

FLUSH_S_MAX = 5.0
"""How long stopping waits for the last finishes to land; what does not is rescued by the leader."""

CLOSE_S_MAX = 1.0
"""How long what was cancelled may take to end; a partition is silent."""


class Engine:
    """One worker process, from `start` to `shutdown`."""

    def __init__(self, target: Target, config: RuntimeConfig, handlers: Handlers) -> None:
        self._target = target
        self._config = config
        self._handlers = handlers
        self._app_loop = asyncio.get_running_loop()
        self._app_thread_id = threading.get_ident()
        self._loop: asyncio.AbstractEventLoop | None = None
        # Between the threads: the start is over; the stop is asked for, with the handlers' time.
        self._started: Future[None] = Future()
        self._asked: Future[float] = Future()
        self._thread = threading.Thread(target=self._main, name="awa-engine", daemon=True)
        threads = sum(one.max_workers for one in config.queues)
        self.executor = Executor(handlers, threads)
        self.dispatcher: Dispatcher
        self.maintenance: Maintenance
        self.listener: Listener | None = None
        self.heartbeat: Heartbeat
        self.is_started = False
        self.is_stopping = False
        # In the application's loop: the engine's thread is at its end; and of which fault, if any.
        self.ended = asyncio.Event()
        self.fault: BaseException | None = None

    # --- From the application's loop -----------------------------------------------------------

    def runs(self, task: "asyncio.Task[Any] | None") -> bool:
        """Return whether this is the task of a handler that has not ended."""
        queues = self.dispatcher.slots.queue_by_number.values() if self.is_started else ()
        held = [
            one for queue in queues for one in (*queue.running.values(), *queue.overdue.values())
        ]
        return any(one.task is task for one in held)

    async def start(self) -> None:
        """Register the worker and begin; AwaError if the database cannot be had."""
        self._thread.start()
        await asyncio.wrap_future(self._started)

    async def shutdown(self, timeout_s: float) -> None:
        """Claim no more, give handlers their time, hand the rest back, and leave."""
        self.is_stopping = True
        with contextlib.suppress(InvalidStateError):
            self._asked.set_result(timeout_s)
        # The thread ends whether the engine stops as asked or has died.
        await self._app_loop.run_in_executor(None, self._thread.join)
        self.executor.close()

    @property
    def is_alive(self) -> bool:
        """Whether the engine's thread runs."""
        return self._thread.is_alive()

    # --- The engine's thread -------------------------------------------------------------------

    def _main(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._run())
        except BaseException as error:
            self.fault = error
            if self._started.done() and not self._started.cancelled():
                logger.critical("the engine of this worker has died", exc_info=error)
            elif self._started.set_running_or_notify_cancel():
                self._started.set_exception(error)
        finally:
            # The application's loop may be gone by now.
            with contextlib.suppress(RuntimeError):
                self._app_loop.call_soon_threadsafe(self.ended.set)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.dispatcher = Dispatcher(
            self._target,
            self._config,
            sorted(self._handlers.handler_by_kind),
            f"{socket.gethostname()}:{os.getpid()}",
            self.executor.launch,
            self.executor.expire,
        )
        self.executor.report_to(self.dispatcher.finish, self.dispatcher.ring)
        # What is opened is closed, whatever else fails, in the order turned round.
        async with AsyncExitStack() as opened:
            opened.push_async_callback(self.dispatcher.close)
            await self.dispatcher.start()
            store = Store(self._target, POOL_MAX)
            self.maintenance = Maintenance(store, self._config, lambda: self.dispatcher.worker)
            interval_s = self._config.heartbeat_interval_ms / 1000
            self.heartbeat = Heartbeat(self._target, interval_s, self, self._stats)
            self.heartbeat.start()
            opened.push_async_callback(self._loop.run_in_executor, None, self.heartbeat.stop)
            opened.push_async_callback(_close, store)
            services = [self.dispatcher.run(), self.maintenance.run(), self._watchdog().run()]
            if self._listens:
                self.listener = self._listener()
                opened.push_async_callback(self.listener.close)
                services.append(self.listener.run())
            tasks: list[asyncio.Future[None]] = [asyncio.create_task(one) for one in services]
            tasks.append(asyncio.wrap_future(self.heartbeat.fault))
            opened.push_async_callback(_cancel, tasks)
            if self._started.set_running_or_notify_cancel():
                self.is_started = True
                self._started.set_result(None)
                await self._until_stopped(tasks)

    async def _until_stopped(self, tasks: list["asyncio.Future[None]"]) -> None:
        """Stop when asked; a service that dies of a fault of ours takes the engine with it."""
        stopped = asyncio.create_task(self._stop())
        tasks.append(stopped)
        watched = set(tasks)
        while not stopped.done():
            done, watched = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _stop(self) -> None:
        """Stop once asked, in order: claims, handlers, finishes, leadership, the worker."""
        timeout_s = await asyncio.wrap_future(self._asked)
        self.dispatcher.drain()
        try:
            async with asyncio.timeout(timeout_s):
                await self.dispatcher.emptied.wait()
        except TimeoutError:
            pass
        self.executor.cancel(self.dispatcher.release())
        leaving = asyncio.create_task(self._leave())
        # Not a timeout, which waits for what it cancels, and that for the database.
        _, late = await asyncio.wait([leaving], timeout=FLUSH_S_MAX)
        if late:
            leaving.cancel()
            logger.warning("the worker leaves without a word; its entries will be rescued")

    async def _leave(self) -> None:
        """Write what is unwritten, and say that this worker is gone."""
        await self.dispatcher.drained.wait()
        await self.maintenance.resign()
        try:
            await self.dispatcher.retire()
        except AwaError as error:
            logger.warning("the worker could not retire; it will be declared lost: %s", error)

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
            was_listening = self.dispatcher.is_listening
            self.dispatcher.is_listening = is_listening
            if was_listening and not is_listening:
                # It had gone to sleep for as long as who will be told.
                self.dispatcher.look()

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


async def _cancel(tasks: list["asyncio.Future[None]"]) -> None:
    """Cancel tasks and wait for their ends: a verb that is cancelled waits for the database."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=CLOSE_S_MAX)


async def _close(store: Store) -> None:
    """Close a pool, hard if it does not close by itself: its database may be out of reach."""
    try:
        async with asyncio.timeout(CLOSE_S_MAX):
            await store.close()
    except (TimeoutError, AwaError) as error:
        logger.info("the pool did not close in time: %s", error)


def _loop_factory() -> Any:
    """Return what makes the engine's loop: uvloop where it is installed, a third faster."""
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.new_event_loop
    return importlib.import_module("uvloop").new_event_loop
