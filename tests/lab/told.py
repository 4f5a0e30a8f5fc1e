"""Events by hand: short ways to write what transitions would have told.

Owns: the events of small stories, with the numbers, locks and snapshots that order them.
Keeps: an event has the form that the SQL writes (tests/store/test_trace.py holds that).
Above: the tests of this folder. Below: awa.lab.
"""

from typing import Any

from awa.lab.check import Report, check
from awa.lab.monitor import Monitor
from awa.lab.ranges import Ranges
from awa.lab.trace import Event, Trace

MONITOR = Monitor()
"""One for all the stories of a process: what was walked once is not walked again."""

LANE = 2 << 40
"""Names of the first ordinary lane begin above this."""
RETURNING = 3 << 40
DEFERRED = 0


def text(*numbers: int) -> str:
    """Return a set of numbers as the trace writes it."""
    spans = Ranges.of(numbers).spans
    return "{" + ",".join(f"[{low},{high})" for low, high in spans) + "}"


class Tale:
    """A trace that is being made up, event by event; each takes the next number."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._part: dict[int, int] = {}

    def tell(self, act: str, lock: str | None = None, **said: Any) -> Event:
        """Tell an event; each is in a transaction of its own unless told otherwise."""
        n = len(self.events) + 1
        given = {"n": n, "xid": 1000 + n, "k": 1, "t": "", **said}
        event = Event(act=act, lock=lock, **given)
        self.events.append(event)
        return event

    def enqueue(self, *jobs: int, lane: int = LANE, attempts_max: int = 25, **said: Any) -> Event:
        """Tell the enqueue of jobs, each with its own number as the name in the lane."""
        output = {"ids": list(jobs), "seqs": [lane + job for job in jobs]}
        given = {"max_attempts": attempts_max, "queue": "q"}
        told = {"actor": "producer", "input": given, "output": output, **said}
        return self.tell("Enqueue", **told)

    def claim(self, number: int, worker: int, *seqs: int, **said: Any) -> Event:
        """Tell a claim of queue 1."""
        output = {"claim": (1 << 40) + number, "seqs": text(*seqs), "moved": text()}
        given = {"actor": f"worker:{worker}", "output": output, "post": {"reads": []}, **said}
        return self.tell("Claim", "queue:1", **given)

    def end_open(self, number: int, *seqs: int, actor: str = "leader", **said: Any) -> Event:
        """Tell that entries of one claim are ended from outside."""
        claim = (1 << 40) + number
        self._part[claim] = self._part.get(claim, 0) + 1
        given = {"claim": claim, "seqs": text(*seqs)}
        output = {"part": self._part[claim], "seqs": text(*seqs)}
        told = {"actor": actor, "input": given, "output": output, **said}
        return self.tell("EndOpen", f"claim:{claim}", **told)

    def complete(
        self,
        number: int,
        worker: int,
        *seqs: int,
        stale: tuple[int, ...] = (),
        failed: tuple[int, ...] = (),
        **said: Any,
    ) -> Event:
        """Tell the finish of entries of one claim."""
        claim = (1 << 40) + number
        saw = self._part.get(claim, 0)
        part = saw + 1 if seqs else None
        if seqs:
            self._part[claim] = saw + 1
        told = {
            "claim": claim,
            "part": part,
            "saw": saw,
            "seqs": text(*seqs),
            "stale": text(*stale),
        }
        given = {"claims": [claim], "failed": text(*failed)}
        output = {"parts": [told]}
        return self.tell(
            "Complete", "parts", actor=f"worker:{worker}", input=given, output=output, **said
        )


def judged(tale: Tale) -> Report:
    """Check a tale by the monitor."""
    return check(Trace({}, tale.events), MONITOR)
