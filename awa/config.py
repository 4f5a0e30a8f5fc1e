"""How a worker process behaves. Pure but for the environment, which is read here and nowhere else.

Owns: every setting of a worker: its unit, its default and the reason for that; the environment.
Keeps: settings are frozen and only made by `start.parse_start`, which refuses the bad ones.
    A variable that is set but empty counts as not set.
Above: start makes these, client and runtime read them, cli reads the environment. Below: nothing.
"""

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "COMPLETED_RETENTION_HOURS",
    "FAILED_RETENTION_HOURS",
    "UNBUILT",
    "QueueConfig",
    "RuntimeConfig",
    "config_path",
    "context_name",
    "database_url",
    "pg_bin",
    "unbuilt_variables",
    "variable",
]

COMPLETED_RETENTION_HOURS = 24.0
"""A day, so that somebody who asks in the morning still sees the night."""

FAILED_RETENTION_HOURS = 72.0
"""Three days, so that a failure of Friday night is there on Monday."""

UNBUILT = (
    "AWA_BATCH_OP_RETENTION_DAYS",
    "AWA_HEALTH_ADDR",
    "AWA_MAX_CLAIMERS_PER_QUEUE",
    "AWA_OVERRIDE_REFRESH_MS",
    "AWA_TRACE_CAPTURE",
)
"""Variables of the contract whose parts are not built yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueConfig:
    """How one worker process serves one queue."""

    name: str

    max_workers: int = 50
    """Slots of the queue in this process; weighted mode reads min_workers and weight instead.
    Handlers mostly wait for something else, so one event loop carries fifty."""

    min_workers: int = 0
    """Weighted mode: slots no other queue may take. None, so that a quiet queue keeps none idle."""

    weight: int = 1
    """Weighted mode: this queue's share of the spare slots; all alike unless somebody says so."""

    rate_limit: tuple[float, int] | None = None
    """(jobs a second, burst) of the fleet; a burst of 0 was given as ceil(jobs a second)."""

    priority_aging_interval_ms: int = 60_000
    """Waiting this long is worth one priority; 0 disables. The least urgent job is first within
    three minutes, so that urgent ones cannot starve it."""

    deadline_duration_ms: int = 300_000
    """How long an attempt may run; 0 disables. Five minutes end what hangs, and little else."""

    claimers: int = 1
    """Claim loops sharing the slots. One suffices, for it finishes and claims in one round trip."""

    claim_batch_size: int = 512
    """Entries in one claim at most: by then the round trip costs little beside the bodies."""

    dlq_enabled: bool = False
    """Whether its failures become dead letters; `dlq_enabled_by_default` is settled in here."""

    completed_retention_hours: float | None = None
    """How long completed jobs stay, if the queue has a retention of its own."""

    failed_retention_hours: float | None = None
    """How long failed jobs stay, if the queue has a retention of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeConfig:
    """How one worker process behaves, whatever it serves."""

    queues: tuple[QueueConfig, ...]

    poll_interval_ms: int = 200
    """How often to look for work where a wakeup may be lost: short for a person, cheap idle."""

    global_max_workers: int | None = None
    """Slots shared by all queues; a number here is what weighted mode is."""

    completed_retention_hours: float = COMPLETED_RETENTION_HOURS
    failed_retention_hours: float = FAILED_RETENTION_HOURS

    dlq_enabled_by_default: bool = False
    """Whether failures become dead letters. Off: somebody has to look at them."""

    dlq_retention_days: float = 30.0
    """A month, since a dead letter waits for a person."""

    descriptor_retention_days: float = 30.0
    """How long a queue or kind that nobody declares is described; 0 disables. As dead letters."""

    cleanup_batch_size: int = 1000
    """Rows one cleanup deletes at most: a transaction of some ten milliseconds."""

    leader_election_interval_ms: int = 10_000
    """How often the lease is sought, and a third of how long it lasts. After a clean stop promotion
    is without a leader for this long at most; after a crash for the lease and this: 40 s."""

    heartbeat_interval_ms: int = 10_000
    """How often the worker says it is alive. A third of the staleness, so two may be lost."""

    promote_interval_ms: int = 250
    """How late a due job can be made ready, on average half of it."""

    heartbeat_rescue_interval_ms: int = 5_000
    """How often to look for lost workers; it adds to the staleness, of which a fourth is used if
    that is shorter: a rarer look could not tell who is lost from who was not heard."""

    heartbeat_staleness_ms: int = 30_000
    """Silence after which a worker is lost: longer than a failover or a long stop for garbage."""

    deadline_rescue_interval_ms: int = 30_000
    """How often to look for missed deadlines. Rare: the worker itself enforces them first."""

    callback_rescue_interval_ms: int = 30_000
    """How often to look for callbacks that never came; their timeouts are minutes or hours."""


# --- The environment ---------------------------------------------------------------------------


def database_url() -> str | None:
    """Return DATABASE_URL: where the database is, unless the program says so itself."""
    return variable("DATABASE_URL")


def context_name() -> str | None:
    """Return AWA_CONTEXT: which context of its file the command line works on."""
    return variable("AWA_CONTEXT")


def config_path() -> Path:
    """Return where the command line's configuration file is, whether or not it exists."""
    if path := variable("AWA_CONFIG"):
        return Path(path)
    home = variable("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "awa" / "config.toml"


def pg_bin() -> Path | None:
    """Return AWA_PG_BIN: the folder of the Postgres programs for a server of our own."""
    path = variable("AWA_PG_BIN")
    return Path(path) if path else None


def unbuilt_variables() -> list[str]:
    """Return the variables that are set and mean nothing yet: their parts are not built."""
    return [name for name in UNBUILT if variable(name) is not None]


def variable(name: str) -> str | None:
    """Return a variable of the environment, or None when it is not set or empty."""
    return os.environ.get(name) or None
