"""Calls a verb: one SQL function, in one round trip, with its errors in our words.

Owns: how a verb's .sql file becomes a call, and which SQLSTATE is which exception.
Keeps: no module but this one puts a statement together, and that from a file's own first lines.
    Above the store nobody sees an exception of the driver.
Above: the doors of the store. Below: errors.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from awa.errors import AwaError, DatabaseError, SchemaNotMigrated, UniqueConflict

__all__ = [
    "SCHEMA_VERSION",
    "Conn",
    "Row",
    "Verbs",
    "checked_schema",
    "is_lost_connection",
    "is_refused_content",
    "template",
    "translated",
    "verb_files",
]

SCHEMA_VERSION = 1
"""The version of the schema that this library speaks with."""

ROOT = Path(__file__).parent
ROLES = ("producer", "worker", "leader", "operator")

Row = Any
"""A record of asyncpg: read by column name, and turned into a noun before it leaves the store."""


class Conn(Protocol):
    """What Awa needs of asyncpg: met alike by a pool, a connection, a caller's transaction."""

    async def fetch(self, query: str, *args: Any) -> Sequence[Row]:
        """Run a statement and return its rows."""
        ...

    async def copy_records_to_table(self, table_name: str, **how: Any) -> str:
        """Copy records into a table."""
        ...


@dataclass(frozen=True, slots=True)
class Verbs:
    """The verbs of one schema on one connection: `await verbs("claim", ...)` calls its function."""

    conn: Conn
    schema: str = "awa"

    async def __call__(self, verb: str, *args: Any) -> Sequence[Row]:
        """Call a verb with its parameters in order; return its rows."""
        with translated():
            return await self.conn.fetch(_call(self.schema, verb), *args)

    async def one(self, verb: str, *args: Any) -> Row:
        """Call a verb that answers exactly one row."""
        rows = await self(verb, *args)
        assert len(rows) == 1, f"{verb} answered {len(rows)} rows"
        return rows[0]


# --- Files -------------------------------------------------------------------------------------


def checked_schema(schema: str) -> str:
    """Return the schema's name; ValueError unless it can stand in SQL as it is."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,39}", schema):
        raise ValueError(
            f"schema must be lower-case letters, digits and underscores, at most 40: {schema!r}"
        )
    return schema


@cache
def template(path: Path, schema: str) -> str:
    """Return an .sql file for this schema."""
    return path.read_text(encoding="utf-8").replace("{schema}", checked_schema(schema))


def verb_files(*folders: str) -> list[Path]:
    """Return the .sql files of these folders of `sql/`, sorted."""
    return [path for folder in folders for path in sorted((ROOT / "sql" / folder).glob("*.sql"))]


@cache
def _call(schema: str, verb: str) -> str:
    """Return the statement that calls a verb of any role with its parameters in order."""
    (path,) = [path for path in verb_files(*ROLES) if path.stem == verb]
    text = template(path, schema)
    head = re.search(rf"function {schema}\.{verb}\((.*?)\)\s*(?:returns|language)", text, re.DOTALL)
    assert head is not None, f"{path} defines no function {verb}"
    marks = [_mark(n, given) for n, given in enumerate(_given(head[1]), 1)]
    # The whole text is from our own files and a checked name; values go as parameters.
    return " ".join(["select * from", f"{schema}.{verb}({', '.join(marks)})"])


def _given(parameters: str) -> list[str]:
    """Return the declarations of those parameters that a caller gives."""
    listed = [one.strip() for one in parameters.split(",") if one.strip()]
    return [one for one in listed if not one.startswith("out ")]


def _mark(n: int, declaration: str) -> str:
    """Return a parameter's placeholder; a set of ranges goes as text, which is far cheaper."""
    return f"${n}::text[]::int8multirange[]" if "int8multirange[]" in declaration else f"${n}"


# --- Errors ------------------------------------------------------------------------------------

# Objects of ours that are not there: no schema, no function, no relation, no type.
_MISSING = frozenset({"3F000", "42883", "42P01", "42704"})
_UNIQUE = "23505"
# Connection exceptions, shutdowns, and a server that cannot take one more connection yet.
_LOST = ("08", "57P01", "57P02", "57P03", "53300")
_CONTENT = ("22", "23")


@contextmanager
def translated(*, is_ours: bool = True) -> Iterator[None]:
    """Turn what the driver raises into Awa's exceptions, with the driver's as the cause.

    In SQL that is not ours, a function that is missing says nothing about our schema.
    """
    try:
        yield
    except asyncpg.PostgresError as error:
        raise _exception(error, is_ours) from error
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise DatabaseError(str(error)) from error
    except (TimeoutError, OSError) as error:
        raise DatabaseError(
            f"cannot reach the database: {error or type(error).__name__}"
        ) from error


def _exception(error: asyncpg.PostgresError, is_ours: bool) -> AwaError:
    """Return the exception that stands for a server's error."""
    state = error.sqlstate or ""
    if state == _UNIQUE:
        return UniqueConflict(f"unique conflict ({error.constraint_name}): {error}")
    if state in _MISSING and is_ours:
        return SchemaNotMigrated(
            f"schema not migrated: expected version {SCHEMA_VERSION}, found 0 ({error})"
        )
    return DatabaseError(str(error))


def is_refused_content(error: AwaError) -> bool:
    """Return whether an error is about what was sent, so that sending it again will not help."""
    cause = error.__cause__
    if isinstance(cause, asyncpg.PostgresError):
        return (cause.sqlstate or "").startswith(_CONTENT)
    return isinstance(cause, asyncpg.InterfaceError) and isinstance(cause, ValueError)


def is_lost_connection(error: AwaError) -> bool:
    """Return whether an error says that the connection is gone, so that trying again may help."""
    cause = error.__cause__
    if isinstance(cause, asyncpg.PostgresError):
        return (cause.sqlstate or "").startswith(_LOST)
    return isinstance(
        cause, OSError | asyncio.TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError
    )
