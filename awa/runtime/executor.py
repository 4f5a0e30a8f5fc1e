"""Runs handlers in the application's loop, and says what came of each.

Owns: how a job becomes a call of a handler, and an outcome a verdict.
Keeps: every attempt that was launched is finished once, whatever its handler does. The bell is
    rung once for all that end in one turn of the loop.
Above: engine. Below: slots, attempt, encode, errors, handlers, job, policy, store.
"""

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

import orjson

from awa.attempt import Attempt, Job
from awa.encode import build_args
from awa.errors import TerminalError
from awa.handlers import Handler, Handlers
from awa.job import Cancel, RetryAfter, Snooze
from awa.policy import ERROR_BYTES_MAX, error_text, safe_text
from awa.runtime.slots import ran_us
from awa.store.worker import Finish

__all__ = ["Executor"]

Verdict = dict[str, Any]


class Executor:
    """The side of the runtime that lives in the application's loop."""

    def __init__(self, handlers: Handlers, thread_count_max: int) -> None:
        self._handler_by_kind = handlers.handler_by_kind
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(max(1, thread_count_max), "awa-handler")
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

    def close(self) -> None:
        """Start no more threads, without waiting for those at work."""
        self._threads.shutdown(wait=False, cancel_futures=True)

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
                handler.function(job) if handler.is_async else self._in_thread(handler, job)
            )
        except TerminalError as error:
            return {"verdict": "fail", "error": error_text(error)}
        except (KeyboardInterrupt, GeneratorExit):
            # It is the process that is told to stop, or the loop that is gone.
            raise
        except BaseException as error:  # noqa: BLE001 - the border to user code
            return {"verdict": "retry", "error": error_text(error)}
        return _decided(said)

    async def _in_thread(self, handler: Handler, job: Job[Any]) -> Any:
        """Run a plain function in a thread, with the context of this task."""
        context = contextvars.copy_context()
        said, error = await self._loop.run_in_executor(
            self._threads, context.run, _called, handler.function, job
        )
        if error is not None:
            raise error
        # A plain function may have wrapped an async one.
        return await said if inspect.isawaitable(said) else said


def _cancel(attempts: Sequence[Attempt]) -> None:
    for attempt in attempts:
        attempt.task.cancel()


def _called(function: Callable[[Job[Any]], Any], job: Job[Any]) -> tuple[Any, BaseException | None]:
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
