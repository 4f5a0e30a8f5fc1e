"""How a worker process is. Pure: it reads what the engine knows.

Owns: what counts as healthy.
Keeps: without a started runtime only the database is looked at, and nothing is healthy.
Above: client and cli show it. Below: runtime.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from awa.runtime.engine import Engine

__all__ = ["HealthCheck", "QueueHealth", "health_of"]

TURN_S_MAX = 5.0
"""A worker comes round four times a second, unless its database hangs."""


@dataclass(frozen=True, slots=True)
class QueueHealth:
    """One queue of this worker: what it runs, what waits, and how many slots it has."""

    in_flight: int
    available: int
    max_workers: int | None = None
    min_workers: int | None = None
    weight: int | None = None
    overflow_held: int | None = None


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How this process is; `healthy` is False while it could not run a job of each queue."""

    healthy: bool
    postgres_connected: bool
    poll_loop_alive: bool
    heartbeat_alive: bool
    shutting_down: bool
    leader: bool
    queues: Mapping[str, QueueHealth] = field(default_factory=dict)


def health_of(
    engine: Engine | None, is_connected: bool, available_by_queue: Mapping[str, int]
) -> HealthCheck:
    """Return how this process is, given whether the database answers and what waits in it."""
    if engine is None or not engine.is_started:
        return HealthCheck(False, is_connected, False, False, False, False)
    dispatcher = engine.dispatcher
    polls = dispatcher.is_connected and dispatcher.seconds_since_turn() < TURN_S_MAX
    beats = engine.heartbeat.is_alive
    is_behind = dispatcher.slots.is_any_behind()
    queues = {
        one.config.name: QueueHealth(
            one.held, available_by_queue.get(one.config.name, 0), one.config.max_workers
        )
        for one in dispatcher.slots.queue_by_number.values()
    }
    return HealthCheck(
        healthy=is_connected and polls and beats and not engine.is_stopping and not is_behind,
        postgres_connected=is_connected,
        poll_loop_alive=polls,
        heartbeat_alive=beats,
        shutting_down=engine.is_stopping,
        leader=engine.maintenance.epoch is not None,
        queues=queues,
    )
