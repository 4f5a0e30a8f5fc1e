"""Finishes what has ended and claims what there is room for, one step at a time.

Owns: the worker's id, its one step in flight, and the finishes that gather meanwhile.
Keeps: a finish is kept until a step that carried it was answered. After a step that broke, what
    is open under the worker's id is asked for, and what nobody here runs is given back: the
    worker is alive, so no rescue would ever come for it. It claims no more than free slots.
Above: engine. Below: pace, slots, attempt, config, errors, store.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import Any

from awa.attempt import Attempt
from awa.config import RuntimeConfig
from awa.errors import AwaError
from awa.runtime.pace import Pace
from awa.runtime.slots import QueueSlots, Slots, ran_us
from awa.store import Target, check_version, connect
from awa.store.sql import is_lost_connection, is_refused_content, translated
from awa.store.worker import Ask, Finish, Stepped, WorkerStore

__all__ = ["Dispatcher"]

logger = logging.getLogger(__name__)

TICK_S = 0.25
"""How often deadlines are looked at, and finishes that nobody rang for: a handler that blocks the
application's loop keeps the bell of the others from ringing."""

BACKOFF_S = (0.05, 2.0)
"""The first and the longest wait before a broken connection is tried again."""

ANSWER_S_MIN = 5.0
"""A partition is silent: what is not answered in the time after which a worker counts as lost,
and in this time at least, is asked again on another connection."""

LINGER_S = 0.025
"""So long finishes wait for company while no queue is due for a look: a step that carries nothing
else costs a commit, and is in the way of the claim that the next wake-up asks for. Nobody waits for
them, for their slots are free already; who crashes meanwhile runs them again."""

RELEASED = {"verdict": "release"}
EXPIRED = {"verdict": "retry", "error": "hard deadline exceeded"}
UNTOLD = {"verdict": "retry", "error": "what came of this attempt could not be stored"}


class Dispatcher:
    """The worker's conversation with the database."""

    def __init__(
        self,
        target: Target,
        config: RuntimeConfig,
        kinds: Sequence[str],
        name: str,
        launch: Callable[[Sequence[Attempt]], None],
        expire: Callable[[Sequence[Attempt]], None],
    ) -> None:
        self._target = target
        self._config = config
        self._kinds = list(kinds)
        self._name = name
        self._launch = launch
        self._expire = expire
        self.slots = Slots([])
        self.is_listening = False
        self.worker = 0
        self.is_connected = False
        self.is_draining = False
        self._turned_at = 0.0
        self._stepped_at = 0.0
        self._answer_s = max(config.heartbeat_staleness_ms / 1000, ANSWER_S_MIN)
        self.counts = {"completed": 0, "failed": 0, "stale": 0, "steps": 0, "claimed": 0}
        self._conn: Any = None
        self._connection = 0
        # What handlers said, from any thread; what is to be sent; what was sent and not answered.
        self._finished: deque[Finish] = deque()
        self._due: list[Finish] = []
        self._unsure: list[Finish] = []
        self._is_lost = False
        # A step was refused for what it said: one finish at a time, until the culprit is found.
        self._is_wary = False
        self._is_unsure_of_over = False
        # While draining: every handler has ended; everything is written.
        self.emptied = asyncio.Event()
        self.drained = asyncio.Event()
        self._bell: asyncio.Future[None] | None = None
        self._is_rung = False
        self._loop = asyncio.get_running_loop()

    # --- From other threads --------------------------------------------------------------------

    def finish(self, finish: Finish) -> None:
        """Take the finish of an attempt, from any thread; `ring` is to follow, once for many."""
        self._finished.append(finish)

    def ring(self) -> None:
        """Have the finishes sent, from any thread."""
        # When the engine has stopped, its loop is closed: what a handler says then is too late.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ring)

    def look(self, queue: str | None = None) -> None:
        """A wake-up came: look into that queue at once, or into all. On the engine's loop."""
        for one in self.slots.queue_by_number.values():
            if queue in (one.config.name, None):
                one.pace.wake()
                self._ring()

    def ask_over(self) -> None:
        """Some entry of this worker is over: ask which. On the engine's loop."""
        self._is_unsure_of_over = True
        self._ring()

    def mark_over(self, seqs: Iterable[int]) -> None:
        """Entries are over, by a cancel or a rescue: tell their handlers. On the engine's loop."""
        for seq in seqs:
            if (attempt := self.slots.find(seq)) is not None:
                self.slots.give_up(attempt)

    def seconds_since_turn(self) -> float:
        """Return how long ago the worker last came round, from any thread."""
        return self._loop.time() - self._turned_at

    def mark_lost(self, worker: int) -> None:
        """The worker was declared lost: its next step registers anew. On the engine's loop."""
        if worker == self.worker:
            self._is_lost = True
            self._ring()

    # --- Life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Connect and register; AwaError if that fails."""
        await self._connect()
        assert self._conn is not None
        await check_version(self._conn, self._target.schema)
        await self._register()

    async def run(self) -> None:
        """Step until drained; a broken connection is mended for as long as it takes."""
        backoff_s = BACKOFF_S[0]
        while not (self.is_draining and self._is_idle()):
            try:
                with translated():
                    async with asyncio.timeout(self._answer_s):
                        await self._turn()
                backoff_s = BACKOFF_S[0]
            except AwaError as error:
                self._say_broken(error)
                if is_refused_content(error):
                    self._say_less()
                await self._disconnect()
                await self._rest(backoff_s)
                backoff_s = min(backoff_s * 2, BACKOFF_S[1])
        self.emptied.set()
        self.drained.set()

    def drain(self) -> None:
        """Claim no more, and let the handlers know."""
        self.is_draining = True
        self.slots.tell_over()
        self._ring()

    def release(self) -> list[Attempt]:
        """Hand back every entry whose handler has not ended; return those attempts."""
        unfinished = self._silent(self.slots.running())
        for attempt in unfinished:
            self._end_early(attempt, RELEASED)
        self._ring()
        return unfinished

    async def retire(self) -> None:
        """Leave, once nothing is open under the worker's id any more."""
        if self._conn is not None and not await self._store.retire(self.worker):
            logger.warning("worker %d leaves entries open; they will be rescued", self.worker)

    async def close(self) -> None:
        """Close the connection; nobody finishes any more what still runs."""
        self.slots.tell_over()
        await self._disconnect()

    def _is_idle(self) -> bool:
        waiting = self._finished or self._due or self._unsure
        # After a step that broke, something may be open that nobody here knows of: it is asked.
        return self.is_connected and self.slots.is_empty() and not waiting

    # --- The connection ------------------------------------------------------------------------

    @property
    def _store(self) -> WorkerStore:
        return WorkerStore(self._conn, self._target.schema)

    async def _connect(self) -> None:
        self._conn = await connect(self._target)
        self._connection += 1
        self.is_connected = True

    async def _disconnect(self) -> None:
        conn, self._conn = self._conn, None
        self.is_connected = False
        if conn is not None:
            conn.terminate()

    def _say_broken(self, error: AwaError) -> None:
        # Once for each break, not for each try to mend it.
        if self.is_connected or self._conn is not None:
            what = "lost its connection" if is_lost_connection(error) else "was refused a step"
            logger.warning("worker %d %s: %s", self.worker, what, error)

    def _say_less(self) -> None:
        """A step was refused for what it said; no content may keep a job from ending."""
        if self._is_wary and len(self._unsure) == 1:
            (one,) = self._unsure
            verdict = None if one.verdict is None else UNTOLD
            self._unsure = [Finish(one.claim, one.seq, 0, verdict)]
        self._is_wary = True

    async def _register(self) -> None:
        """Get an id. What runs under an older one is over; what it says at its end is refused."""
        self.slots.tell_over()
        configs = self._config.queues
        told = await self._store.register(self._name, [one.name for one in configs], self._kinds)
        if not self.slots.queue_by_number:
            pairs = zip(configs, told.queues, strict=True)
            poll_s = self._config.poll_interval_ms / 1000
            self.slots = Slots([QueueSlots(config, queue, Pace(poll_s)) for config, queue in pairs])
        if self.worker:
            logger.warning("worker %d was declared lost and is now %d", self.worker, told.worker)
        self.worker = told.worker
        self._is_lost = False
        self._forget_pace()

    async def _mend(self) -> None:
        """Connect again, and find out what came of the step that broke."""
        await self._connect()
        opened = await self._store.open_entries(self.worker, self._connection)
        unsure = [*self._unsure, *self._gathered()]
        # What is not open any more has landed, or was over: there is nothing left to say.
        self._due = [finish for finish in unsure if opened.pop(finish.seq, None) is not None]
        self._unsure = []
        for attempt in list(self.slots.running()):
            if opened.pop(attempt.seq, None) is None:
                self.slots.give_up(attempt)
        self._due.extend(Finish(claim, seq, 0, RELEASED) for seq, claim in opened.items())
        self._forget_pace()
        logger.info("worker %d is connected again; %d entries given back", self.worker, len(opened))

    def _forget_pace(self) -> None:
        for one in self.slots.queue_by_number.values():
            one.pace.forget()

    # --- One step ------------------------------------------------------------------------------

    async def _turn(self) -> None:
        """Rest until there is something to say, then say it."""
        if self._conn is None:
            await self._mend()
        if self._is_lost:
            await self._register()
        await self._rest(self._wait_s())
        self._turned_at = self._loop.time()
        if self._is_unsure_of_over:
            await self._find_over()
        now = self._loop.time()
        self._end_late(now)
        if self._wait_s() > 0:
            return
        batch, asks = self._chosen(now)
        if not batch and not asks:
            return
        self._unsure = batch
        answer = await self._store.step(self.worker, batch, asks, self._kinds, self._connection)
        self._unsure = []
        now = self._loop.time()
        self._count(batch, answer)
        for ask in asks:
            self._looked(ask, answer, now)
        self._begin(answer, now)
        self._stepped_at = now
        # The heartbeat may have learnt it while the step was in flight.
        self._is_lost = self._is_lost or answer.is_lost

    def _chosen(self, now: float) -> tuple[list[Finish], list[Ask]]:
        """Return what the next step is to say and to ask; while wary one finish, and no more."""
        batch = self._gathered()
        if self._is_wary and batch:
            batch, self._due = batch[:1], batch[1:]
            return batch, []
        self._is_wary = False
        return batch, [] if self.is_draining else self.slots.asks(now)

    async def _find_over(self) -> None:
        """Ask what is open, and tell the handlers of what is not."""
        self._is_unsure_of_over = False
        opened = await self._store.open_entries(self.worker, self._connection)
        self.mark_over([one.seq for one in self.slots.running() if one.seq not in opened])

    def _gathered(self) -> list[Finish]:
        """Take the finishes that have come in, and free their slots."""
        batch, self._due = self._due, []
        while self._finished:
            finish = self._finished.popleft()
            if self.slots.end(finish):
                batch.append(finish)
        if self.is_draining and self.slots.is_empty():
            self.emptied.set()
        return batch

    def _looked(self, ask: Ask, answer: Stepped, now: float) -> None:
        """Take in what a step said about a queue, and say so when it gives out nothing."""
        queue = self.slots.queue_by_number[ask.queue]
        was_behind = queue.pace.is_behind
        queue.pace.looked(
            ask.queue, answer, asleep=ask.asleep, is_listening=self.is_listening, now=now
        )
        if queue.pace.is_behind and not was_behind:
            logger.warning(
                "queue %r gives out nothing: a lane's sequence is behind its cursor, as in a "
                "restored copy. It goes on by itself once that is mended",
                queue.config.name,
            )

    def _begin(self, answer: Stepped, now: float) -> None:
        """Start the attempts that a step brought."""
        if not answer.rows:
            return
        if self.is_draining:
            # The stop came while the step was in flight: these have not begun and go straight back.
            self._due += [Finish(row["claim"], row["seq"], 0, RELEASED) for row in answer.rows]
            return
        attempts = []
        for row in answer.rows:
            claim = row["claim"]
            queue = self.slots.queue_by_number[claim >> 40]
            attempt = Attempt(row, queue.config.name, answer.deadline_by_claim.get(claim))
            attempt.started_s = now
            self.slots.take(attempt)
            attempts.append(attempt)
        self._launch(attempts)

    def _end_late(self, now: float) -> None:
        """End what is past its deadline, and have its handlers cancelled."""
        if late := self.slots.late(now):
            late = self._silent(late)
            for attempt in late:
                self._end_early(attempt, EXPIRED)
            self._expire(late)

    def _silent(self, attempts: Iterable[Attempt]) -> list[Attempt]:
        """Return those whose handlers have not ended: a finish may wait for the next step."""
        ended = {finish.seq for finish in tuple(self._finished)}
        return [attempt for attempt in attempts if attempt.seq not in ended]

    def _end_early(self, attempt: Attempt, verdict: dict[str, Any]) -> None:
        """Finish an entry before its handler has ended; whatever that says later is not sent."""
        if self.slots.give_up(attempt):
            ran_s = self._loop.time() - attempt.started_s
            self._due.append(Finish(attempt.claim, attempt.seq, ran_us(ran_s), verdict))

    def _count(self, batch: Sequence[Finish], answer: Stepped) -> None:
        self.counts["steps"] += 1
        self.counts["claimed"] += len(answer.rows)
        self.counts["stale"] += len(answer.stale)
        for finish in batch:
            if finish.seq not in answer.stale:
                self.counts["completed" if finish.verdict is None else "failed"] += 1

    # --- Waiting -------------------------------------------------------------------------------

    def _wait_s(self) -> float:
        """Return how long there is nothing to do, unless somebody rings."""
        now = self._loop.time()
        if self._due or (self.is_draining and self._finished):
            return 0.0
        until = inf if self.is_draining else self.slots.next_look()
        if self._finished:
            # A full queue waits for nothing: its next look is due when there is room.
            until = 0.0 if self.slots.is_any_full() else min(until, self._stepped_at + LINGER_S)
        return min(until - now, TICK_S)

    async def _rest(self, wait_s: float) -> None:
        """Wait, at most so long, for the bell."""
        if not self._is_rung and wait_s > 0:
            self._bell = self._loop.create_future()
            handle = self._loop.call_later(wait_s, self._ring)
            await self._bell
            handle.cancel()
            self._bell = None
        self._is_rung = False

    def _ring(self) -> None:
        self._is_rung = True
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)
