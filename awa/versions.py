"""The migrations as an application sees them.

Owns: the form in which they are public.
Keeps: a range is exclusive of where it begins and inclusive of where it ends.
Above: the package and cli. Below: store.
"""

from awa.store.migrate import migrations as _migrations
from awa.store.sql import SCHEMA_VERSION

__all__ = ["current_migration_version", "migrations", "migrations_range"]


def current_migration_version() -> int:
    """Return the version of the schema that this library speaks with."""
    return SCHEMA_VERSION


def migrations() -> list[tuple[int, str, str]]:
    """Return all migrations as (version, description, SQL), oldest first."""
    return [(one.version, one.description, one.sql) for one in _migrations()]


def migrations_range(from_version: int, to_version: int) -> list[tuple[int, str, str]]:
    """Return the migrations after `from_version`, up to and including `to_version`."""
    return [one for one in migrations() if from_version < one[0] <= to_version]
