"""What runs in this process, and how much room is left. Pure: no database, no clock of its own.

Owns: the slots of each queue, and which attempts fill them.
Keeps: a slot is taken from the claim until the handler has really ended, even when the entry was
    over before: a handler that does not stop does not make room for another.
Above: dispatcher. Below: pace, attempt, config, store.
"""

from collections.abc import Iterator, Sequence
from math import inf

from awa.attempt import Attempt
from awa.config import QueueConfig
from awa.runtime.pace import Pace
from awa.store.worker import Ask, Finish

__all__ = ["QueueSlots", "Slots", "ran_us"]

RAN_US_MAX = 2**31 - 1
"""What the database can note: a good half hour, and a handler may well run longer."""


def ran_us(seconds: float) -> int:
    """Return how long an attempt ran as a finish says it."""
    return min(int(seconds * 1e6), RAN_US_MAX)


class QueueSlots:
    """One queue of this process: its settings, and the attempts that hold its slots."""

    __slots__ = ("config", "overdue", "pace", "queue", "running")

    def __init__(self, config: QueueConfig, queue: int, pace: Pace) -> None:
        self.config = config
        self.queue = queue
        self.pace = pace
        # In the order of their start, which is that of their deadlines.
        self.running: dict[int, Attempt] = {}
        # Their entries are over, their handlers are not.
        self.overdue: dict[int, Attempt] = {}

    @property
    def held(self) -> int:
        """Slots that are taken."""
        return len(self.running) + len(self.overdue)

    @property
    def room(self) -> int:
        """How many entries the next claim may bring."""
        free = self.config.max_workers - self.held
        return max(0, min(free, self.config.claim_batch_size))

    def ask(self, now: float) -> Ask:
        """Return what to ask of the queue in a look that is sent now."""
        self.pace.begin()
        return Ask(
            queue=self.queue,
            room=self.room,
            ageing_ms=self.config.priority_aging_interval_ms,
            deadline_s=self.config.deadline_duration_ms / 1000,
            asleep=self.pace.is_asleep(now),
            settles=self.pace.settles(now),
        )


class Slots:
    """All queues of this process."""

    def __init__(self, queues: Sequence[QueueSlots]) -> None:
        # Sorted by number: a step takes the queues' locks in this order, and so does everybody.
        self.queue_by_number = {one.queue: one for one in sorted(queues, key=lambda q: q.queue)}

    def asks(self, now: float) -> list[Ask]:
        """Return what to ask of each queue that has room and is due for a look."""
        return [
            one.ask(now)
            for one in self.queue_by_number.values()
            if one.pace.next_at <= now and one.room > 0
        ]

    def next_look(self) -> float:
        """Return when the first queue with room is due for a look; infinity if none has."""
        due = [one.pace.next_at for one in self.queue_by_number.values() if one.room > 0]
        return min(due, default=inf)

    def is_any_full(self) -> bool:
        """Return whether some queue has all its slots taken."""
        return any(0 < one.config.max_workers <= one.held for one in self.queue_by_number.values())

    def take(self, attempt: Attempt) -> None:
        """An attempt begins."""
        self.queue_by_number[attempt.claim >> 40].running[attempt.seq] = attempt

    def end(self, finish: Finish) -> bool:
        """A handler has ended; return whether its entry is still to be finished."""
        queue = self.queue_by_number[finish.claim >> 40]
        if queue.overdue.pop(finish.seq, None) is not None:
            return False
        return queue.running.pop(finish.seq, None) is not None

    def give_up(self, attempt: Attempt) -> bool:
        """An entry is over before its handler; return whether that is news."""
        queue = self.queue_by_number[attempt.claim >> 40]
        if queue.running.pop(attempt.seq, None) is None:
            return False
        attempt.is_over = True
        queue.overdue[attempt.seq] = attempt
        return True

    def late(self, now: float) -> list[Attempt]:
        """Return the attempts whose deadline has passed; `now` is on the clock they began on."""
        found = []
        for queue in self.queue_by_number.values():
            deadline_s = queue.config.deadline_duration_ms / 1000
            for attempt in queue.running.values() if deadline_s else ():
                if attempt.started_s + deadline_s > now:
                    break
                found.append(attempt)
        return found

    def running(self) -> Iterator[Attempt]:
        """Go through the attempts whose entries are open, as far as this process knows."""
        for queue in self.queue_by_number.values():
            # A list at one go: the heartbeat's thread asks while the engine's changes it.
            yield from list(queue.running.values())

    def tell_over(self) -> None:
        """Tell every handler that its attempt is over; the slots stay taken until they end."""
        for attempt in self.running():
            attempt.is_over = True

    def find(self, seq: int) -> Attempt | None:
        """Return the running attempt of an entry."""
        for queue in self.queue_by_number.values():
            if seq in queue.running:
                return queue.running[seq]
        return None

    def is_any_behind(self) -> bool:
        """Return whether some queue gives out nothing, because of what it counts."""
        return any(queue.pace.is_behind for queue in self.queue_by_number.values())

    def is_empty(self) -> bool:
        """Return whether no entry is open, as far as this process knows."""
        return not any(queue.running for queue in self.queue_by_number.values())
