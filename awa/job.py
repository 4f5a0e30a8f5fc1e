"""What a job can be, and what its handler can ask for. Pure: no clock, no dice, no database.

Owns: the states of a job as people see them, and the verdicts a handler returns.
Keeps: the numbers of the states are their bits in a unique mask and never change.
    A verdict is frozen; what it asks to wait is finite and never negative.
Above: policy, attempt and client speak in these words. Below: encode.
"""

from dataclasses import dataclass
from enum import IntEnum
from math import isfinite

from awa.encode import FOREVER_S, derive_kind

__all__ = ["Cancel", "JobState", "RetryAfter", "Snooze", "parse_state"]


class JobState(IntEnum):
    """Where a job stands. `str()` gives the name used in SQL, in the web page and on the CLI."""

    Scheduled = 0
    Available = 1
    Running = 2
    Completed = 3
    Retryable = 4
    Failed = 5
    Cancelled = 6
    WaitingExternal = 7

    def __str__(self) -> str:
        return _STATE_TEXTS[self]

    def __repr__(self) -> str:
        return f"JobState.{self._name_}"

    def __format__(self, spec: str) -> str:
        # IntEnum would print the number in an f-string, which nobody who reads a log wants.
        return format(int(self) if spec[-1:] in _INT_PRESENTATIONS else str(self), spec)

    @property
    def is_terminal(self) -> bool:
        """True when the job has ended and only an operator can bring it back."""
        return self in (JobState.Completed, JobState.Failed, JobState.Cancelled)


# A format spec that ends in one of these asks for the number. The empty spec, whose last
# character is "", must not match, so this is a set and not a string.
_INT_PRESENTATIONS = frozenset("bcdoxXneEfFgG%")
_STATE_TEXTS = tuple(derive_kind(name) for name in JobState.__members__)
_STATE_BY_TEXT = dict(zip(_STATE_TEXTS, JobState, strict=True))


def parse_state(text: str) -> JobState:
    """Return the state with this snake_case name; TypeError for another type, ValueError else."""
    if not isinstance(text, str):
        raise TypeError(f"state must be a str such as 'failed', not {type(text).__name__}")
    state = _STATE_BY_TEXT.get(text)
    if state is None:
        raise ValueError(f"unknown job state: {text}")
    return state


@dataclass(frozen=True, slots=True)
class _Wait:
    """A verdict that names a wait in seconds; ValueError unless it is finite."""

    seconds: float

    def __post_init__(self) -> None:
        # isfinite raises TypeError for whatever is not a real number, a str of digits included.
        if not isfinite(self.seconds):
            raise ValueError(f"seconds must be a finite number, got {self.seconds}")
        object.__setattr__(self, "seconds", float(self.seconds))

    @property
    def wait_s(self) -> float:
        """The wait to write, in seconds: never negative, never past what a timestamp can hold."""
        return min(max(self.seconds, 0.0), FOREVER_S)


@dataclass(frozen=True, slots=True)
class RetryAfter(_Wait):
    """The verdict: run this job again after so many seconds; the attempt counts.

    Example: `return awa.RetryAfter(30)`
    """


@dataclass(frozen=True, slots=True)
class Snooze(_Wait):
    """The verdict: run this job again after so many seconds; the attempt is given back.

    Example: `return awa.Snooze(60)`
    """


@dataclass(frozen=True, slots=True)
class Cancel:
    """The verdict: end this job as cancelled, for this reason.

    Example: `return awa.Cancel("the order was withdrawn")`
    """

    reason: str = "cancelled by handler"

    def __post_init__(self) -> None:
        if not isinstance(self.reason, str):
            raise TypeError(f"reason must be a str, not {type(self.reason).__name__}")
