"""Brings a schema to this version; refuses one that is newer.

Owns: the order of the migrations, and which files make the schema of today.
Keeps: each version is one transaction under a lock, so concurrent callers do it once. Functions
    and views are made anew by every migrate; tables change by numbered files, forward only.
Above: client and cli call these. Below: wire, sql, errors.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from awa.errors import SchemaNotMigrated
from awa.store.sql import ROOT, SCHEMA_VERSION, checked_schema, template, translated, verb_files
from awa.store.wire import CONNECT_S_MAX, opened

__all__ = [
    "Found",
    "Migration",
    "found_version",
    "grant_roles",
    "migrate",
    "migrations",
    "probe",
]

_FUNCTION_FOLDERS = ("inner", "producer", "worker", "leader", "operator")
_LOCK = 0x61776D67
"""The advisory lock of migrations, in all schemas: they are rare, and roles are shared."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One version of the schema: what it is for, and the SQL that brings it about.

    The SQL is to run in one transaction (`psql --single-transaction`); it ends by recording itself.
    """

    version: int
    description: str
    sql: str


def migrations(schema: str = "awa") -> list[Migration]:
    """Return all migrations, oldest first; the last one brings the functions and views of today."""
    found = []
    for path in sorted((ROOT / "migrations").glob("[0-9]*.sql")):
        if path.name.endswith(".post.sql"):
            continue
        number, _, name = path.stem.partition("_")
        parts = [_settings(schema), template(path, schema)]
        if int(number) == SCHEMA_VERSION:
            parts.append(functions(schema))
        post = path.with_suffix(".post.sql")
        if post.exists():
            parts.append(template(post, schema))
        description = name.replace("_", " ")
        recorded = _text("record_version", schema).replace("{version}", str(int(number)))
        parts.append(recorded.replace("{description}", description))
        found.append(Migration(int(number), description, "\n".join(parts)))
    assert [one.version for one in found] == list(range(1, SCHEMA_VERSION + 1))
    return found


def functions(schema: str) -> str:
    """Return the SQL of all functions and views, and who may call nothing: the public."""
    paths = [*verb_files(*_FUNCTION_FOLDERS), *verb_files("view"), ROOT / "sql" / "public.sql"]
    return "\n".join(template(path, schema) for path in paths)


def _settings(schema: str) -> str:
    # The bodies name what later files make, and their names are found by this path.
    return (
        f"set local search_path to {checked_schema(schema)}, pg_temp;\n"
        "set local check_function_bodies to off;\n"
        "set local client_min_messages to warning;\n"
    )


async def found_version(conn: Any, schema: str) -> int:
    """Return the version of the schema in the database; 0 if it is not there."""
    with translated():
        if not await conn.fetchval(_text("is_migrated", schema), schema):
            return 0
        return int(await conn.fetchval(_text("found_version", schema)))


@asynccontextmanager
async def _connected(database_url: str, timeout_s: float = CONNECT_S_MAX) -> AsyncIterator[Any]:
    """Open a connection for as long as the block lasts; it may be a pooler's.

    Nothing is prepared: what is done here is done once, and the next statement may meet another
    session.
    """
    conn = await opened(database_url, timeout=timeout_s, statement_cache_size=0)
    try:
        with translated():
            yield conn
    finally:
        await conn.close(timeout=5)


async def migrate(database_url: str, schema: str = "awa") -> None:
    """Bring the schema to this version, and make its functions and views anew.

    Raises SchemaNotMigrated when it is newer than this library, DatabaseError else.
    """
    async with _connected(database_url) as conn, conn.transaction():
        await conn.execute(_text("lock_migrations", schema), _LOCK)
        await _migrate(conn, checked_schema(schema))


async def _migrate(conn: Any, schema: str) -> None:
    found = await found_version(conn, schema)
    if found > SCHEMA_VERSION:
        raise SchemaNotMigrated(
            f"schema not migrated: expected version {SCHEMA_VERSION}, found {found}: "
            "the schema is newer than this library"
        )
    for one in migrations(schema)[found:]:
        await conn.execute(one.sql)
    if found == SCHEMA_VERSION:
        await conn.execute(_settings(schema) + functions(schema))


def _text(name: str, schema: str) -> str:
    """Return a statement that is no verb."""
    return template(ROOT / "sql" / f"{name}.sql", schema)


@dataclass(frozen=True, slots=True)
class Found:
    """What a database holds: the version of its schema, and how many workers are alive."""

    version: int
    live_workers: int


async def probe(database_url: str, schema: str, connect_timeout_s: float) -> Found:
    """Look at a database from outside; DatabaseError if it does not answer in time."""
    async with _connected(database_url, connect_timeout_s) as conn:
        version = await found_version(conn, checked_schema(schema))
        known = version == SCHEMA_VERSION
        workers = await conn.fetchval(_text("live_workers", schema)) if known else 0
    return Found(version, workers)


async def grant_roles(database_url: str, schema: str = "awa") -> None:
    """Create the four roles, if they are missing, and grant each just its verbs.

    Roles are shared by the whole cluster and need CREATEROLE, so this is a step of its own. Raises
    DatabaseError when the user may not.
    """
    async with _connected(database_url) as conn, conn.transaction():
        await conn.execute(_text("lock_migrations", schema), _LOCK)
        await conn.execute(_text("roles", schema))
