"""Awa: a Postgres-native background job queue.

Owns: the public names.
Keeps: what is not in `__all__` may change in any release.
Above: applications. Below: everything.
"""

from importlib.metadata import version

from awa.attempt import Job
from awa.client import AsyncClient, RetryFailedResult
from awa.encode import derive_kind
from awa.errors import (
    AwaError,
    CallbackNotFound,
    DatabaseError,
    SchemaNotMigrated,
    SerializationError,
    TerminalError,
    UniqueConflict,
    UnknownJobKind,
    ValidationError,
)
from awa.health import HealthCheck, QueueHealth
from awa.job import Cancel, JobState, RetryAfter, Snooze
from awa.policy import backoff_duration
from awa.store.migrate import migrate
from awa.store.operator import QueueStat
from awa.sync import Client, SyncTransaction
from awa.transaction import Transaction
from awa.versions import current_migration_version, migrations, migrations_range

__version__ = version("awa-queue")

__all__ = [
    "AsyncClient",
    "AwaError",
    "CallbackNotFound",
    "Cancel",
    "Client",
    "DatabaseError",
    "HealthCheck",
    "Job",
    "JobState",
    "QueueHealth",
    "QueueStat",
    "RetryAfter",
    "RetryFailedResult",
    "SchemaNotMigrated",
    "SerializationError",
    "Snooze",
    "SyncTransaction",
    "TerminalError",
    "Transaction",
    "UniqueConflict",
    "UnknownJobKind",
    "ValidationError",
    "backoff_duration",
    "current_migration_version",
    "derive_kind",
    "migrate",
    "migrations",
    "migrations_range",
]
