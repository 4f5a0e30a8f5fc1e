"""How long to wait after a failure, and what to write down about it. Pure: no clock, no database.

Owns: the backoff curve, for which dice may be handed in, and the text of an error.
Keeps: a wait is within 0..BACKOFF_S_MAX. A text for the database is UTF-8 without NUL and no
    longer than its bound, whatever an exception holds: no content may prevent a transition.
Above: the executor finishes attempts with these, admin cleans what operators say. Below: nothing.
"""

import random
import traceback
from collections.abc import Callable

__all__ = [
    "BACKOFF_S_MAX",
    "ERROR_BYTES_MAX",
    "backoff_duration",
    "error_text",
    "safe_text",
    "trace_text",
]

BACKOFF_S_MAX = 86_400.0
"""A day: longer, and nobody remembers what the job was for."""

ERROR_BYTES_MAX = 16 * 1024
"""One error of a job. It is kept with each attempt, 25 by default, and all of them are read with
the job, so this bounds a job's history at 400 KiB; the whole trace stands in the log."""

TRACE_BYTES_MAX = 256 * 1024
"""A whole trace in the log: some two thousand frames."""

TRACEBACK_LINES_MAX = 10

# What is left of ERROR_BYTES_MAX beside the head is for the class's name and the traceback, whose
# lines are as a rule far shorter than this.
_HEAD_BYTES_MAX = 8 * 1024
_LINE_BYTES_MAX = 512


def backoff_duration(attempt: int, max_attempts: int, *, random_unit: float | None = None) -> float:
    """Return how many seconds to wait after this attempt failed: min(2**attempt + jitter, 24 h).

    The jitter is a random 0 to 25 % of 2**attempt; `random_unit`, from [0, 1), says which.
    `max_attempts` does not bend the curve, it is here because the SQL function has it. A float, as
    all waits of this library are, so that a handler can `return RetryAfter(backoff_duration(...))`.
    """
    # From 2**17 on it is the maximum anyway, and 2.0**1024 would overflow.
    wait_s = 2.0 ** min(max(attempt, 0), 17)
    unit = random.random() if random_unit is None else random_unit
    return min(wait_s + wait_s * 0.25 * unit, BACKOFF_S_MAX)


def error_text(error: BaseException) -> str:
    """Return an exception as `Class: text` and the last lines of its traceback.

    It never raises, and what it returns is at most ERROR_BYTES_MAX bytes of UTF-8 without NUL.
    """
    name = _quietly(lambda: str(type(error).__qualname__), "<unnamed exception>")
    said = _quietly(lambda: str(error), "<exception str() failed>")
    head = f"{safe_text(name, _LINE_BYTES_MAX)}: {safe_text(said, _HEAD_BYTES_MAX)}"
    return "\n".join([head, *_traceback_lines(error, repeats_said=len(said) <= _HEAD_BYTES_MAX)])


def safe_text(text: str, bytes_max: int) -> str:
    r"""Return the text as Postgres can store it, in at most so many bytes.

    A NUL becomes `\x00`, a lone surrogate `\ud800`, and a long text ends with its full length.
    """
    # The methods of a subclass of str are somebody else's code.
    text = str.__str__(text)
    # A character is at least one byte, so the rest of a very long text need not be looked at.
    safe = text[:bytes_max].encode("utf-8", "backslashreplace").replace(b"\0", b"\\x00")
    if len(text) <= bytes_max and len(safe) <= bytes_max:
        return safe.decode()
    note = f"... ({len(text)} characters in all)"
    assert len(note) < bytes_max, f"a bound of {bytes_max} bytes leaves no room for the text"
    return safe[: bytes_max - len(note)].decode("utf-8", "ignore") + note


def trace_text(error: BaseException) -> str:
    """Return what Python would print of an exception, as any log can take it."""
    return safe_text(_quietly(lambda: _formatted(error, True), ""), TRACE_BYTES_MAX).rstrip("\n")


def _traceback_lines(error: BaseException, repeats_said: bool) -> list[str]:
    """Return the last lines of the traceback, and how many were cut, if there is one at all."""
    formatted = _quietly(lambda: _formatted(error, repeats_said), "")
    if not formatted:
        return []
    first, *rest = formatted.rstrip("\n").rsplit("\n", TRACEBACK_LINES_MAX)
    if len(rest) < TRACEBACK_LINES_MAX:
        kept = [first, *rest]
    else:
        cut = sum(line.startswith('  File "') for line in first.split("\n"))
        kept = [f"... ({cut} frames truncated, full trace in logs)", *rest]
    return [safe_text(line, _LINE_BYTES_MAX) for line in kept]


def _formatted(error: BaseException, repeats_said: bool) -> str:
    """Return what Python would print of an exception that was raised, and nothing of another.

    Python repeats what the exception says below its frames. Of a very long text that would leave
    no line for the frames, and take a second for ten megabytes.
    """
    if error.__traceback__ is None:
        return ""
    if not repeats_said:
        return "".join(traceback.format_tb(error.__traceback__))
    return "".join(traceback.format_exception(error))


def _quietly(read: Callable[[], str], otherwise: str) -> str:
    """Return what was read from an exception, which may run the user's code, or `otherwise`."""
    try:
        # str() may return a subclass of str, whose methods are the user's code as well.
        return str.__str__(read())
    except BaseException:  # noqa: BLE001 - the border to user code, which may even raise SystemExit
        return otherwise
