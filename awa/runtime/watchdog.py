"""Notices a handler that blocks the application's loop, and names it.

Owns: the question whether the application's loop still turns.
Keeps: it only asks and says; what blocks is the application's code, which is not ours to stop.
Above: engine. Below: service, attempt.
"""

import asyncio
import logging
import sys
import traceback
from collections.abc import Callable, Iterable
from time import monotonic

from awa.attempt import Attempt
from awa.runtime.service import Service

__all__ = ["Watchdog"]

logger = logging.getLogger(__name__)

ASK_S = 0.25
BLOCKED_S = 1.0
"""A loop that does not turn for so long makes every other handler late, and this worker with it."""


class Watchdog(Service):
    """Asks the application's loop to answer, four times a second."""

    name = "watchdog"

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        thread_id: int,
        running: Callable[[], Iterable[Attempt]],
    ) -> None:
        super().__init__(ASK_S)
        self._loop = loop
        self._thread_id = thread_id
        self._running = running
        self._asked_at: float | None = None
        self._is_said = False

    async def run_once(self) -> bool:
        """Ask, unless the last question is still open; then say who keeps it open."""
        if self._asked_at is None:
            self._asked_at = monotonic()
            self._loop.call_soon_threadsafe(self._answer)
        elif monotonic() - self._asked_at > BLOCKED_S and not self._is_said:
            self._is_said = True
            self._say(monotonic() - self._asked_at)
        return False

    def _answer(self) -> None:
        self._asked_at = None
        self._is_said = False

    def _say(self, blocked_s: float) -> None:
        task = asyncio.current_task(self._loop)
        culprit = next((one for one in list(self._running()) if one.task is task), None)
        frame = sys._current_frames().get(self._thread_id)
        where = "".join(traceback.format_stack(frame)[-1:]).strip() if frame else "unknown place"
        name = f"handler of {culprit.kind!r} (job {culprit.row['id']})" if culprit else "something"
        logger.warning(
            "%s blocks the event loop for %.1f s already: %s. Await instead, or make it a plain "
            "function, which runs in a thread",
            name,
            blocked_s,
            where,
            extra={"kind": culprit.kind if culprit else None},
        )
