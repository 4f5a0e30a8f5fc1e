"""When to look into a queue again. Pure: no database, no clock of its own.

Owns: the waits between two looks, when the worker counts as asleep, when a lane is settled.
Keeps: polling alone is always enough; a wake-up only shortens a wait. A worker that announces
    its sleep looks once more afterwards, and so does one that is told of a job during a look, so
    nothing that was committed meanwhile is missed. A look that did nothing has announced nothing.
Above: slots and dispatcher. Below: store.
"""

from awa.store.worker import Stepped

__all__ = ["Pace"]

BUSY_S = 0.25
"""For so long after a full claim the worker wants no wake-ups: its next step is under way anyway,
and each wake-up is a notification that serialises its producer's commit."""

YOUNG_S = 0.003
"""Between looks at numbers that are drawn and not yet visible; a commit takes about as long."""

SETTLE_S = 0.05
"""After so long in vain, what is not visible at a lane's end is passed over as a hole."""

BEHIND_S = 1.0
LISTENING_TIMES = 5
"""With a live LISTEN the poll is only a safety net, and may be so many times as long."""


class Pace:
    """Decides after each look into a queue when the next one is due."""

    __slots__ = (
        "_busy_until",
        "_is_announced",
        "_is_heard",
        "_poll_s",
        "_young_since",
        "is_behind",
        "next_at",
    )

    def __init__(self, poll_s: float) -> None:
        self._poll_s = poll_s
        self.next_at = 0.0
        # The claim refuses the queue, for a lane's sequence is behind its cursor.
        self.is_behind = False
        self._busy_until = 0.0
        self._young_since: float | None = None
        self._is_announced = False
        self._is_heard = False

    def is_asleep(self, now: float) -> bool:
        """Return whether a look that is sent now is to announce this worker as a sleeper."""
        return now >= self._busy_until

    def settles(self, now: float) -> bool:
        """Return whether a look that is sent now is to close the ends of lanes."""
        return self._young_since is not None and now - self._young_since >= SETTLE_S

    def begin(self) -> None:
        """A look is sent: what is heard from now on may be of a job that it does not see."""
        self._is_heard = False

    def wake(self) -> None:
        """A notification: look at once, or once more when the look under way is answered."""
        self._is_heard = True
        self.next_at = 0.0

    def forget(self) -> None:
        """The worker has another id, or has lost its word: nobody knows it as a sleeper."""
        self._is_announced = False
        self.next_at = 0.0

    def looked(
        self, queue: int, answer: Stepped, *, asleep: bool, is_listening: bool, now: float
    ) -> None:
        """Take in what a step said about the queue."""
        if queue in answer.more:
            self._busy_until = now + BUSY_S
        self.is_behind = queue in answer.behind or (self.is_behind and queue in answer.busy)
        if queue not in answer.young:
            self._young_since = None
        elif self._young_since is None:
            self._young_since = now
        is_news = not answer.is_refused(queue) and self._announces(asleep)
        if is_news or self._is_heard or queue in answer.more or queue in answer.busy:
            self.next_at = now
        elif queue in answer.young:
            self.next_at = now + YOUNG_S
        elif queue in answer.behind:
            self.next_at = now + BEHIND_S
        elif now < self._busy_until:
            # Nobody would wake it until then.
            self.next_at = min(now + self._poll_s, self._busy_until)
        else:
            self.next_at = now + self._poll_s * (LISTENING_TIMES if is_listening else 1)

    def _announces(self, asleep: bool) -> bool:
        """A look was carried out; return whether it is the first to name this worker a sleeper."""
        is_news = asleep and not self._is_announced
        self._is_announced = asleep
        return is_news
