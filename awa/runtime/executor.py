"""Runs handlers in the application's loop or in threads, and says what came of each.

Owns: how a job becomes a call of a handler, and an outcome a verdict; the handlers' threads.
Keeps: every attempt that was launched is finished once, whatever its handler does. The bell is
    rung once for all that end in one turn of the loop. A handler that never ends does not keep
    the process from ending.
Above: engine. Below: slots, attempt, encode, errors, handlers, job, policy, store.
"""

import asyncio
import contextlib
import contextvars
import inspect
import logging
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from time import perf_counter
from typing import Any

import orjson

from awa.attempt import Attempt, Job
from awa.encode import build_args
from awa.errors import TerminalError
from awa.handlers import Handlers
from awa.job import Cancel, RetryAfter, Snooze
from awa.policy import ERROR_BYTES_MAX, error_text, safe_text, trace_text
from awa.runtime.slots import ran_us
from awa.store.worker import Finish

__all__ = ["Executor"]

logger = logging.getLogger(__name__)

Verdict = dict[str, Any]
Answer = tuple[Any, BaseException | None]

STUCK_S = 1.0
"""How long past its deadline a handler may take to end before somebody is told."""


class Executor:
    """The side of the runtime that lives in the application's loop."""

    def __init__(self, handlers: Handlers, thread_count_max: int) -> None:
        self._handler_by_kind = handlers.handler_by_kind
        self._loop = asyncio.get_running_loop()
        self._threads = _Threads(max(1, thread_count_max))
        self._in_threads: set[Attempt] = set()
        self._finish: Callable[[Finish], None] = lambda finish: None
        self._ring: Callable[[], None] = lambda: None
        self._is_ringing = False

    def report_to(self, finish: Callable[[Finish], None], ring: Callable[[], None]) -> None:
        """Say where finishes go, before anything is launched."""
        self._finish = finish
        self._ring = ring

    def launch(self, attempts: Sequence[Attempt]) -> None:
        """Begin these attempts, from any thread."""
        self._loop.call_soon_threadsafe(self._begin, attempts)

    def cancel(self, attempts: Sequence[Attempt]) -> None:
        """Cancel the handlers of attempts whose entries are over, from any thread.

        A handler in a thread cannot be stopped; it can ask `is_cancelled`.
        """
        # In the loop, where whatever was launched before has its task by then.
        self._loop.call_soon_threadsafe(_cancel, attempts)

    def expire(self, attempts: Sequence[Attempt]) -> None:
        """Cancel the handlers of attempts past their deadlines, from any thread.

        One in a thread cannot be stopped: it keeps its slot until it ends.
        """
        # One turn later: a task that is cancelled before it has begun would never finish.
        self._loop.call_soon_threadsafe(self._loop.call_soon, self._expire, attempts)

    def close(self) -> None:
        """Have the threads end that are idle, without waiting for those at work."""
        self._threads.close()

    def _expire(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            if attempt not in self._in_threads:
                attempt.task.cancel()
        self._loop.call_later(STUCK_S, _say_stuck, attempts)

    def _begin(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            attempt.task = self._loop.create_task(self._run(attempt))

    async def _run(self, attempt: Attempt) -> None:
        """Run one attempt from its args to its finish."""
        began = perf_counter()
        verdict = await self._verdict(attempt)
        ran_s = perf_counter() - began
        self._finish(Finish(attempt.claim, attempt.seq, ran_us(ran_s), verdict))
        if not self._is_ringing:
            self._is_ringing = True
            self._loop.call_soon(self._rung)

    def _rung(self) -> None:
        self._is_ringing = False
        self._ring()

    async def _verdict(self, attempt: Attempt) -> Verdict | None:
        """Call the handler; return its verdict, None for completed."""
        handler = self._handler_by_kind[attempt.kind]
        try:
            args = build_args(handler.args_type, orjson.loads(attempt.row["args"]))
        except Exception as error:  # noqa: BLE001 - the border to the user's argument types
            text = safe_text(f"TypeError: {error_text(error)}", ERROR_BYTES_MAX)
            return {"verdict": "fail", "error": text}
        job = Job.running(attempt, args)
        try:
            said = await (
                handler.function(job)
                if handler.is_async
                else self._in_thread(handler.function, job, attempt)
            )
        except BaseException as error:
            if self._is_the_end(error, handler.is_async):
                raise
            if not attempt.is_over:
                _say_failed(attempt, error)
            verdict = "fail" if isinstance(error, TerminalError) else "retry"
            return {"verdict": verdict, "error": error_text(error)}
        return _decided(said)

    def _is_the_end(self, error: BaseException, is_async: bool) -> bool:
        """Return whether it is the process that is told to stop, or the loop that is gone."""
        if isinstance(error, KeyboardInterrupt):
            # Ctrl-C comes to the main thread; in another it is what the handler itself raised.
            return is_async
        return isinstance(error, GeneratorExit) and self._loop.is_closed()

    async def _in_thread(
        self, function: Callable[[Job[Any]], Any], job: Job[Any], attempt: Attempt
    ) -> Any:
        """Run a plain function in a thread, with the context of this task."""
        context = contextvars.copy_context()
        answer: asyncio.Future[Answer] = self._loop.create_future()

        def call() -> None:
            # Handed back before a thread was free: it never begins.
            if not answer.done():
                answered = context.run(_called, function, job)
                # When the application's loop is closed, nobody waits for it any more.
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(_answer, answer, answered)

        self._in_threads.add(attempt)
        try:
            self._threads.run(call)
            said, error = await answer
        finally:
            self._in_threads.discard(attempt)
        if error is not None:
            raise error
        # A plain function may have wrapped an async one.
        return await said if inspect.isawaitable(said) else said


class _Threads:
    """Threads for plain functions, made when none is idle and kept for the next.

    They are daemons: the interpreter would wait for those of a ThreadPoolExecutor when it exits,
    and so for ever for a handler that never ends.
    """

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._count = 0
        self._idle = threading.Semaphore(0)
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def run(self, call: Callable[[], None]) -> None:
        """Have a thread make this call."""
        self._calls.put(call)
        if not self._idle.acquire(blocking=False) and self._count < self._count_max:
            name = f"awa-handler-{self._count}"
            self._count += 1
            threading.Thread(target=self._main, name=name, daemon=True).start()

    def close(self) -> None:
        """End each thread once it is idle; what none has begun is not called."""
        while not self._calls.empty():
            self._calls.get()
        for _ in range(self._count):
            self._calls.put(None)

    def _main(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            self._idle.release()


def _answer(answer: "asyncio.Future[Answer]", answered: Answer) -> None:
    if not answer.done():
        answer.set_result(answered)


def _say_stuck(attempts: Sequence[Attempt]) -> None:
    for attempt in attempts:
        if not attempt.task.done():
            logger.warning(
                "handler of %r (job %d) is past its deadline and does not end; it keeps its slot",
                attempt.kind,
                attempt.row["id"],
                extra={"kind": attempt.kind},
            )


def _say_failed(attempt: Attempt, error: BaseException) -> None:
    logger.warning(
        "handler of %r failed (job %d):\n%s",
        attempt.kind,
        attempt.row["id"],
        trace_text(error),
        extra={"kind": attempt.kind},
    )


def _cancel(attempts: Sequence[Attempt]) -> None:
    for attempt in attempts:
        attempt.task.cancel()


def _called(function: Callable[[Job[Any]], Any], job: Job[Any]) -> Answer:
    """Call a plain function; return what it returned, or raised.

    As a value, for a future that is to raise StopIteration, which any `next` may leak, never ends.
    """
    try:
        return function(job), None
    except BaseException as error:  # noqa: BLE001 - the border to user code
        return None, error


def _decided(said: object) -> Verdict | None:
    """Return the verdict that a handler's return value stands for; whatever else is completed."""
    if said is None:
        return None
    match said:
        case RetryAfter():
            return {"verdict": "retry", "delay_s": said.wait_s}
        case Snooze():
            return {"verdict": "snooze", "delay_s": said.wait_s}
        case Cancel():
            return {"verdict": "cancel", "reason": safe_text(said.reason, ERROR_BYTES_MAX)}
        case _:
            return None
