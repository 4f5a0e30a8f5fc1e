"""How a job is inserted, beside its args. Pure: no clock, no dice, no database.

Owns: the options of an insert, their defaults, and the bytes of a unique key.
Keeps: an InsertOptions that exists has the right types and fits its columns. Limits that the
    database owns (priority, max_attempts, lengths, the number of tags) are left to it, for jobs
    also come from other languages.
Above: client parses these and enqueue sends them. Below: encode, errors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from blake3 import blake3

from awa.encode import (
    args_text,
    checked_bool,
    checked_integer,
    checked_text,
    ordering_key_bytes,
    parse_run_at,
)
from awa.errors import AwaError, ValidationError

__all__ = [
    "InsertOptions",
    "UniqueOptions",
    "checked_insert",
    "parse_copy_opts",
    "parse_insert",
    "parse_unique",
    "unique_key",
]

UNIQUE_STATES = 0b0001_1111
"""Scheduled, available, running, completed and retryable. Completed, so that the same work is not
done twice within its retention; not failed or cancelled, so that it can be asked for again."""

UNIQUE_KEY_BYTES = 16
"""128 bits: no two keys of one database meet by chance, and the index stays narrow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueOptions:
    """What makes a job unique, and while it is in which states it keeps others out."""

    by_queue: bool = False
    by_args: bool = True

    by_period: int | None = None
    """The number of the period, as the caller computed it; it is no length of time."""

    states: int = UNIQUE_STATES
    """Bit n stands for JobState(n)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertOptions:
    """How to insert a job, or each job of a batch; made by `parse_insert`."""

    queue: str = "default"

    priority: int = 2
    """1 is the most urgent of 1..4: the default leaves room for one that is more so."""

    max_attempts: int = 25
    """Attempts before the job fails: with the backoff, most of two weeks."""

    tags: tuple[str, ...] = ()

    metadata: dict[str, Any] = field(default_factory=dict)

    run_at: datetime | None = None
    """An instant in UTC; any, even a past one, makes the job `scheduled`."""

    ordering_key: bytes | None = None

    unique_opts: UniqueOptions | None = None


def parse_insert(options: Mapping[str, object]) -> InsertOptions:
    """Return the keyword options of an insert, checked.

    Raises TypeError for an unknown option or a wrong type, OverflowError for an integer that its
    column cannot hold, ValidationError as the reference lists.
    """
    values = {}
    for name, value in options.items():
        reader = _READERS.get(name)
        if reader is None:
            raise TypeError(f"insert() got an unexpected keyword argument {name!r}")
        values[name] = reader(value, name)
    return InsertOptions(**values)


def checked_insert(options: Mapping[str, object]) -> InsertOptions:
    """Return the options of an insert; raises as parse_insert.

    AwaError for what this version cannot do, so that nobody relies on it in vain.
    """
    asked = parse_insert(options)
    if asked.unique_opts is not None:
        raise AwaError("unique_opts: unique jobs are not part of this version")
    return asked


def parse_unique(value: object, name: str = "unique_opts") -> UniqueOptions | None:
    """Return a unique_opts dict, checked; keys that mean nothing to us are ignored.

    Raises ValidationError when it is no dict, TypeError and OverflowError for what is in it.
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValidationError(f"{name} must be a dict")
    values = {key: read(value[key], key) for key, read in _UNIQUE_READERS.items() if key in value}
    return UniqueOptions(**values)


def unique_key(
    kind: str, *, queue: str | None = None, args: object = None, by_period: int | None = None
) -> bytes:
    """Return the 16 bytes that jobs of this kind, and of what else is given, have in common.

    The args are written as `args_text` does, their keys sorted, and raise as there.
    """
    digest = blake3(kind.encode())
    if queue is not None:
        digest.update(b"\0" + queue.encode())
    if args is not None:
        digest.update(b"\0" + args_text(args, sort_keys=True).encode())
    if by_period is not None:
        digest.update(b"\0" + by_period.to_bytes(8, "little", signed=True))
    return digest.digest(length=UNIQUE_KEY_BYTES)


def parse_copy_opts(
    opts: object, job_count: int, options: InsertOptions
) -> list[tuple[str, bytes | None]]:
    """Return the queue and the ordering key of each job of a batch.

    `options` holds for whatever an element of `opts` does not say; ValidationError otherwise.
    """
    default = (options.queue, options.ordering_key)
    if opts is None:
        return [default] * job_count
    if not isinstance(opts, list | tuple):
        raise ValidationError(f"opts must be a list, not {type(opts).__name__}")
    if len(opts) != job_count:
        raise ValidationError(
            f"opts length must match jobs length (got {len(opts)}, expected {job_count})"
        )
    return [default if item is None else _read_copy_opts(item, default) for item in opts]


def _read_copy_opts(item: object, default: tuple[str, bytes | None]) -> tuple[str, bytes | None]:
    """Return one job's queue and ordering key; an explicit None clears the batch's key."""
    if not isinstance(item, dict):
        raise ValidationError("each opts entry must be a dict or None")
    for key in item:
        if key not in ("queue", "ordering_key"):
            raise ValidationError(
                f"unsupported opts key '{key}'; expected 'queue' or 'ordering_key'"
            )
    queue, ordering_key = default
    if "queue" in item:
        try:
            queue = checked_text(item["queue"], "opts queue")
        except TypeError:
            raise ValidationError("opts queue must be a string") from None
        if not queue:
            raise ValidationError("opts queue must not be empty")
    if "ordering_key" in item:
        ordering_key = _read_ordering_key(item["ordering_key"], "ordering_key")
    return queue, ordering_key


# --- One option each ---------------------------------------------------------------------------

Reader = Callable[[Any, str], Any]


def _read_i16(value: object, name: str) -> int:
    """Read an integer that fits a smallint."""
    return checked_integer(value, name, -(2**15), 2**15 - 1)


def _read_tags(value: object, name: str) -> tuple[str, ...]:
    """Read a list of str, and None as none; a str is a list of letters to Python, but no tags."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise TypeError(f"{name} must be a list of str, not {type(value).__name__}")
    return tuple(checked_text(tag, "a tag") for tag in value)


def _read_metadata(value: object, name: str) -> dict[str, Any]:
    """Read a dict, and None as an empty one; its values are checked when they are encoded."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TypeError(f"{name} must be a dict, not {type(value).__name__}")
    return dict(value)


def _read_run_at(value: object, _name: str) -> datetime | None:
    """Read an instant, or None for at once."""
    return parse_run_at(value)


def _read_ordering_key(value: object, _name: str) -> bytes | None:
    """Read a key, or None for no order."""
    return None if value is None else ordering_key_bytes(value)


_READERS: dict[str, Reader] = {
    "queue": checked_text,
    "priority": _read_i16,
    "max_attempts": _read_i16,
    "tags": _read_tags,
    "metadata": _read_metadata,
    "run_at": _read_run_at,
    "ordering_key": _read_ordering_key,
    "unique_opts": parse_unique,
}

_UNIQUE_READERS: dict[str, Reader] = {
    "by_queue": checked_bool,
    "by_args": checked_bool,
    "by_period": lambda value, name: checked_integer(value, name, -(2**63), 2**63 - 1),
    "states": lambda value, name: checked_integer(value, name, 0, 2**8 - 1),
}
