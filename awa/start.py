"""What the arguments of `start()` ask for. Pure: no clock, no dice, no database.

Owns: the forms that queues and options may have, and every refusal of a bad one.
Keeps: a RuntimeConfig that `parse_start` returned is good to run: whatever is wrong was raised
    before anything started. A wait is at most FOREVER_S.
Above: client calls `parse_start`. Below: config, encode, errors.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from math import ceil, isfinite
from typing import Any

from awa.config import (
    COMPLETED_RETENTION_HOURS,
    FAILED_RETENTION_HOURS,
    QueueConfig,
    RuntimeConfig,
    unbuilt_variables,
)
from awa.encode import FOREVER_S, checked_bool, checked_integer, checked_text
from awa.errors import AwaError, ValidationError

__all__ = ["parse_start", "refuse_unbuilt"]

logger = logging.getLogger(__name__)

_U16_MAX, _U32_MAX, _U64_MAX = 2**16 - 1, 2**32 - 1, 2**64 - 1
_I32_MAX, _I64_MAX = 2**31 - 1, 2**63 - 1
_FOREVER_MS = int(FOREVER_S * 1000)

_HEARTBEAT_SETTINGS = ("heartbeat_interval_ms", "heartbeat_staleness_ms")

WORKERS_INFERRED = 10
"""Slots of a queue that only a handler names: few, for nobody has thought about its number yet."""


def parse_start(
    queues: object,
    handler_queues: Iterable[str],
    *,
    descriptor_queues: Iterable[str] = (),
    **options: object,
) -> RuntimeConfig:
    """Return what `start(queues, **options)` asks for, given the queues of handlers, descriptors.

    Raises TypeError, ValueError, OverflowError, ValidationError or AwaError, as the reference
    lists them, and logs a warning when heartbeats are too rare for the staleness.
    """
    served = dict.fromkeys(handler_queues)
    if not served:
        raise AwaError("register at least one worker before starting the runtime")
    settings = _read(
        options,
        _START_READERS,
        lambda name: TypeError(f"start() got an unexpected keyword argument {name!r}"),
    )
    configs = _queue_configs(queues, served, settings)
    config = RuntimeConfig(queues=tuple(configs), **settings)
    _check_queues(config, served, descriptor_queues)
    if config.heartbeat_staleness_ms < 3 * config.heartbeat_interval_ms:
        logger.warning(
            "heartbeat_staleness_ms (%d) is less than three times heartbeat_interval_ms (%d): "
            "a worker that misses two heartbeats is declared lost",
            config.heartbeat_staleness_ms,
            config.heartbeat_interval_ms,
            extra={name: getattr(config, name) for name in _HEARTBEAT_SETTINGS},
        )
    return config


def _queue_configs(
    queues: object, served: Collection[str], settings: Mapping[str, Any]
) -> list[QueueConfig]:
    """Return a config for each queue given, or for each queue of a handler when none was."""
    weighted = "global_max_workers" in settings
    by_default = settings.get("dlq_enabled_by_default", False)
    if queues is None:
        if weighted:
            raise ValueError(
                "weighted mode requires explicit queue configs "
                "(global_max_workers set but queues=None)"
            )
        queues = [(name, WORKERS_INFERRED) for name in served]
    if isinstance(queues, str | Mapping) or not isinstance(queues, Iterable):
        raise TypeError(f"queues must be a list, not {type(queues).__name__}")
    configs = [_queue_config(item, weighted, by_default) for item in queues]
    if not configs:
        raise AwaError("at least one queue must be configured")
    return configs


def _queue_config(item: object, weighted: bool, dlq_by_default: bool) -> QueueConfig:
    """Return the config of one element of `queues`."""
    if isinstance(item, dict):
        return _queue_from_dict(item, weighted, dlq_by_default)
    try:
        name, max_workers = item if isinstance(item, tuple) else ()
        max_workers = checked_integer(max_workers, "max_workers", 0, _U32_MAX)
        name = checked_text(name, "name")
    except (TypeError, ValueError, OverflowError):
        raise TypeError("queue config must be a (name, max_workers) tuple or a dict") from None
    if weighted:
        raise ValueError(
            "tuple queue config is not supported with global_max_workers; "
            "use dict form with min_workers/weight"
        )
    return QueueConfig(name=name, max_workers=max_workers, dlq_enabled=dlq_by_default)


def _queue_from_dict(item: Mapping[Any, object], weighted: bool, by_default: bool) -> QueueConfig:
    """Return the config that a queue dict asks for; a None in it is as good as nothing."""
    values = _read(item, _QUEUE_READERS, lambda key: ValidationError(f"unknown queue key {key!r}"))
    if "name" not in values:
        raise ValueError("queue config dict must have 'name' key")
    if "max_workers" in values and "min_workers" in values:
        raise ValueError(
            "use max_workers for hard-reserved mode or min_workers for weighted mode, not both"
        )
    if not weighted and "max_workers" not in values and "min_workers" not in values:
        raise ValueError("max_workers required in hard-reserved mode (no global_max_workers set)")
    retention = values.pop("retention", {})
    return QueueConfig(**{"dlq_enabled": by_default, **retention, **values})


def _check_queues(
    config: RuntimeConfig, served: Collection[str], descriptor_queues: Iterable[str]
) -> None:
    """Raise unless the queues are distinct, cover every handler and descriptor, and fit."""
    count_by_name = Counter(queue.name for queue in config.queues)
    if missing := [name for name in served if name not in count_by_name]:
        raise ValueError(
            "start() must configure the worker queues declared via "
            f"@client.worker(..., queue=...): {', '.join(missing)}"
        )
    for name, count in count_by_name.items():
        if count > 1:
            raise AwaError(f"queue '{name}' configured more than once")
    for name in descriptor_queues:
        if name not in count_by_name:
            raise AwaError(f"queue descriptor declared for unknown queue '{name}'")
    total = sum(queue.min_workers for queue in config.queues)
    if config.global_max_workers is not None and total > config.global_max_workers:
        raise AwaError(
            f"sum of min_workers ({total}) exceeds global_max_workers ({config.global_max_workers})"
        )


_UNBUILT_OPTIONS = (
    "global_max_workers",
    "dlq_retention_days",
    "descriptor_retention_days",
    "callback_rescue_interval_ms",
)
# By the field that shows it, what the user said to ask for it.
_UNBUILT_KEYS = {
    "min_workers": "min_workers",
    "rate_limit": "rate_limit",
    "claimers": "claimers",
    "dlq_enabled": "dlq_enabled",
    "completed_retention_hours": "retention",
}


def refuse_unbuilt(config: RuntimeConfig) -> None:
    """Raise AwaError for what this version cannot do, so that nobody relies on it in vain.

    What has its default asks for nothing. Variables of the environment are only warned of: they
    may be meant for another program.
    """
    asked = [name for name in _UNBUILT_OPTIONS if _differs(config, name)]
    asked += [
        said
        for queue in config.queues
        for name, said in _UNBUILT_KEYS.items()
        if _differs(queue, name)
    ]
    if asked:
        raise AwaError(f"{asked[0]}: not part of this version")
    if ignored := unbuilt_variables():
        logger.warning("not part of this version, and ignored: %s", ", ".join(ignored))


def _differs(config: RuntimeConfig | QueueConfig, name: str) -> bool:
    """Return whether a setting is another than its default."""
    (default,) = [field.default for field in fields(config) if field.name == name]
    return bool(getattr(config, name) != default)


# --- One setting each --------------------------------------------------------------------------

Reader = Callable[[Any, str], Any]


def _read(
    given: Mapping[Any, object],
    reader_by_name: Mapping[str, Reader],
    unknown: Callable[[object], Exception],
) -> dict[str, Any]:
    """Return the settings that were given, read; None leaves the default."""
    values = {}
    for name, value in given.items():
        if name not in reader_by_name:
            raise unknown(name)
        if value is not None:
            values[name] = reader_by_name[name](value, name)
    return values


def _capacity(value: object, name: str) -> int:
    """Read how many handlers may run; 0 is a queue that is known but not served."""
    return checked_integer(value, name, 0, _U32_MAX)


def _counted(low: int, high: int) -> Reader:
    """Return a reader of integers from 1 to high; below `low` they do not even fit."""

    def read(value: object, name: str) -> int:
        number = checked_integer(value, name, low, high)
        if number <= 0:
            raise ValueError(f"{name} must be > 0")
        return number

    return read


def _span_ms(value: object, name: str) -> int:
    """Read milliseconds; past a century they all mean for ever."""
    return min(checked_integer(value, name, 0, _U64_MAX), _FOREVER_MS)


def _interval_ms(value: object, name: str) -> int:
    """Read the pace of a loop, which at 0 would never rest."""
    return min(int(_counted(0, _U64_MAX)(value, name)), _FOREVER_MS)


def _kept(unit_s: int, note: str = "") -> Reader:
    """Return a reader of how long something is kept, in units of so many seconds."""

    def read(value: object, name: str) -> float:
        if not isinstance(value, int | float):
            raise TypeError(f"{name} must be a number, not {type(value).__name__}")
        if not isfinite(value) or value < 0:
            raise ValueError(f"{name} must be a non-negative finite number{note}")
        return min(float(value), FOREVER_S / unit_s)

    return read


def _rate_limit(value: object, name: str) -> tuple[float, int]:
    """Read (jobs a second, burst), the burst settled."""
    try:
        max_rate, burst = value if isinstance(value, tuple) else ()
        if not isinstance(max_rate, int | float):
            raise TypeError
        burst = checked_integer(burst, name, 0, _U32_MAX)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name} must be a (max_rate: float, burst: int) tuple or None") from None
    if not (max_rate > 0 and isfinite(max_rate)):
        raise AwaError(f"{name} max_rate must be > 0.0" + " and finite" * (max_rate > 0))
    return float(max_rate), burst or min(ceil(max_rate), _U32_MAX)


def _retention(value: object, name: str) -> dict[str, float]:
    """Read a queue's own retention; what it leaves out is the library's default, not start()'s."""
    if not isinstance(value, dict):
        raise TypeError(f"{name} must be a dict with 'completed_hours' and/or 'failed_hours' keys")
    hours = {"completed_hours": COMPLETED_RETENTION_HOURS, "failed_hours": FAILED_RETENTION_HOURS}
    for key, given in value.items():
        if key not in hours:
            raise ValidationError(f"unknown {name} key {key!r}")
        if given is not None:
            hours[key] = _kept(3600)(given, f"{name} {key}")
    return {
        "completed_retention_hours": hours["completed_hours"],
        "failed_retention_hours": hours["failed_hours"],
    }


_QUEUE_READERS: dict[str, Reader] = {
    "name": checked_text,
    "max_workers": _capacity,
    "min_workers": _capacity,
    "weight": _counted(0, _U32_MAX),
    "rate_limit": _rate_limit,
    "priority_aging_interval_ms": _span_ms,
    "deadline_duration_ms": _span_ms,
    "claimers": _counted(0, _U16_MAX),
    "claim_batch_size": _counted(-_I64_MAX, _I32_MAX),
    "dlq_enabled": checked_bool,
    "retention": _retention,
}

_START_READERS: dict[str, Reader] = {
    "poll_interval_ms": _span_ms,
    "global_max_workers": _capacity,
    "completed_retention_hours": _kept(3600),
    "failed_retention_hours": _kept(3600),
    "dlq_enabled_by_default": checked_bool,
    "dlq_retention_days": _kept(86400),
    "descriptor_retention_days": _kept(86400, " (0 disables)"),
    "cleanup_batch_size": _counted(-_I64_MAX, _I32_MAX),
    "leader_election_interval_ms": _interval_ms,
    "heartbeat_interval_ms": _interval_ms,
    "promote_interval_ms": _interval_ms,
    "heartbeat_rescue_interval_ms": _interval_ms,
    "heartbeat_staleness_ms": _interval_ms,
    "deadline_rescue_interval_ms": _interval_ms,
    "callback_rescue_interval_ms": _interval_ms,
}
