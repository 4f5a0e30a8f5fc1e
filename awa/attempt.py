"""A job as an application holds it: a stored one that was asked for, or the one its handler runs.

Owns: how a row of the database reads as a job, lazily, for most handlers look at `args` alone.
Keeps: a job is a picture of one moment and never changes by itself; only `is_cancelled` looks
    outside, at the attempt it belongs to.
Above: the store builds these, handlers and callers read them. Below: encode, job.
"""

from datetime import datetime
from typing import Any, Generic, TypeVar, cast

import orjson

from awa.encode import timestamp_text
from awa.job import JobState, parse_state

__all__ = ["Attempt", "Job"]

T = TypeVar("T")

MAX_ATTEMPTS = 25
"""What a row without the option means."""


class Attempt:
    """One run of a handler: its claim and entry, the names that its finish must give."""

    __slots__ = ("claim", "deadline_at", "is_over", "queue", "row", "seq", "started_s", "task")

    def __init__(self, row: Any, queue: str, deadline_at: datetime | None) -> None:
        self.row = row
        self.claim: int = row["claim"]
        self.seq: int = row["seq"]
        self.queue = queue
        self.deadline_at = deadline_at
        self.started_s = 0.0
        self.task: Any = None
        self.is_over = False

    @property
    def kind(self) -> str:
        """The name that selects the handler."""
        return cast(str, self.row["kind"])


class Job(Generic[T]):
    """A job: read its attributes; they are those of the moment when it was read.

    `args` is what the handler registered for (a dataclass, a model) inside a handler, and the
    plain dict everywhere else. Instants are RFC 3339 text in UTC.
    """

    __slots__ = ("_attempt", "_options_read", "_past_read", "_row", "args")

    args: T
    _row: Any
    _attempt: Attempt | None
    # None until somebody asks: most handlers look at `args` alone.
    _options_read: dict[str, Any] | None
    _past_read: dict[str, Any] | None

    def __init__(self) -> None:
        raise TypeError("a Job comes from Awa and cannot be made")

    @classmethod
    def stored(cls, row: Any) -> "Job[Any]":
        """Return a row of the view `jobs` as a job."""
        job: Job[Any] = Job.__new__(Job)
        job._row = row
        job._attempt = None
        job._options_read = {
            "max_attempts": row["max_attempts"],
            "tags": _json(row["tags"]) or [],
            "metadata": _json(row["metadata"]) or {},
        }
        job._past_read = {
            "errors": _json(row["errors"]) or [],
            "progress": _json(row["progress"]),
        }
        job.args = _json(row["args"])
        return job

    @classmethod
    def running(cls, attempt: Attempt, args: T) -> "Job[T]":
        """Return the job that an attempt runs."""
        job: Job[T] = Job.__new__(Job)
        job._row = attempt.row
        job._attempt = attempt
        job._options_read = None
        job._past_read = None
        job.args = args
        return job

    @property
    def _options(self) -> dict[str, Any]:
        """What the producer asked for beyond the defaults."""
        if self._options_read is None:
            self._options_read = _json(self._row["options"]) or {}
        return self._options_read

    @property
    def _past(self) -> dict[str, Any]:
        """What earlier attempts left."""
        if self._past_read is None:
            self._past_read = _json(self._row["past"]) or {}
        return self._past_read

    @property
    def id(self) -> int:
        """The number that names the job for its whole life."""
        return cast(int, self._row["id"])

    @property
    def kind(self) -> str:
        """The name that selects the handler."""
        return cast(str, self._row["kind"])

    @property
    def queue(self) -> str:
        """The queue it was enqueued for."""
        return self._attempt.queue if self._attempt else cast(str, self._row["queue"])

    @property
    def state(self) -> JobState:
        """Where it stood when it was read."""
        return JobState.Running if self._attempt else parse_state(self._row["state"])

    @property
    def priority(self) -> int:
        """1 to 4, 1 the most urgent."""
        return cast(int, self._row["priority"])

    @property
    def attempt(self) -> int:
        """How many attempts have begun; the first run of a handler sees 1."""
        if self._attempt:
            return int(self._past.get("attempt", 0)) + 1
        return cast(int, self._row["attempt"])

    @property
    def max_attempts(self) -> int:
        """The attempt that is the last."""
        return int(self._options.get("max_attempts", MAX_ATTEMPTS))

    @property
    def tags(self) -> list[str]:
        """The tags given at the insert."""
        return list(self._options.get("tags", ()))

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata given at the insert."""
        return dict(self._options.get("metadata", {}))

    @property
    def traceparent(self) -> str | None:
        """The W3C trace context of the producer, if it left one."""
        return cast("str | None", self._options.get("metadata", {}).get("awa:traceparent"))

    @property
    def errors(self) -> list[dict[str, Any]]:
        """What went wrong so far, an entry a failed attempt, oldest first."""
        return list(self._past.get("errors", ()))

    @property
    def progress(self) -> dict[str, Any] | None:
        """What the handler last said about its progress."""
        return cast("dict[str, Any] | None", self._past.get("progress"))

    @property
    def run_at(self) -> str:
        """The instant before which it may not be claimed."""
        if self._attempt:
            given = self._options.get("run_at")
            return timestamp_text(
                datetime.fromisoformat(given) if given else self._row["created_at"]
            )
        return timestamp_text(self._row["run_at"])

    @property
    def created_at(self) -> str:
        """The instant of its insert."""
        return timestamp_text(self._row["created_at"])

    @property
    def deadline(self) -> str | None:
        """The instant by which the running attempt must have ended."""
        at = self._attempt.deadline_at if self._attempt else self._row["deadline_at"]
        return None if at is None else timestamp_text(at)

    @property
    def finalized_at(self) -> str | None:
        """The instant at which it ended; while it waits for a retry, that of the failure."""
        at = None if self._attempt else self._row["finalized_at"]
        return None if at is None else timestamp_text(at)

    @property
    def run_lease(self) -> int:
        """How often it was claimed: a number that grows with every claim and never goes back."""
        if self._attempt:
            return int(self._past.get("lease", 0)) + 1
        return cast(int, self._row["run_lease"])

    @property
    def attempted_at(self) -> str | None:
        """The instant at which the newest attempt was claimed, if it runs or has completed.

        None in the handler itself, to which no instant of its claim is sent.
        """
        at = None if self._attempt else self._row["attempted_at"]
        return None if at is None else timestamp_text(at)

    def is_cancelled(self) -> bool:
        """Return whether this attempt is over already, or the worker is about to stop.

        It is over when the job was cancelled, the deadline has passed, or the attempt was lost to
        a rescue. Cooperative only: what the handler does about it is up to the handler. False on a
        job that is not being run.
        """
        return self._attempt is not None and self._attempt.is_over

    def __repr__(self) -> str:
        return (
            f"Job(id={self.id}, kind='{self.kind}', queue='{self.queue}', "
            f"state={self.state.name}, attempt={self.attempt})"
        )


def _json(value: Any) -> Any:
    """Return a json column, which the driver gives as text, as the value it holds."""
    return orjson.loads(value) if isinstance(value, str) else value
