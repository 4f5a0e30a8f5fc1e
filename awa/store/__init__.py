"""The database, behind one pool: opened on first use, with a door for each authority.

Owns: when connections are made and given back, and the check that schema and library agree.
Keeps: nothing needs session state, so a connection is not reset when it is given back, unless
    the caller's own SQL ran on it. After `close` nothing is opened again.
Above: client, runtime and cli open doors. Below: leader, migrate, operator, producer, wire,
    sql, errors.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import asyncpg

from awa.errors import AwaError, DatabaseError, SchemaNotMigrated
from awa.store.leader import LeaderStore
from awa.store.migrate import found_version
from awa.store.operator import OperatorStore
from awa.store.producer import ProducerStore
from awa.store.sql import SCHEMA_VERSION, Row, checked_schema, translated
from awa.store.wire import CLOSE_S_MAX, CONNECT_S_MAX, bound_silence, opened, reaching

__all__ = ["Store", "Target", "connect"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which database and schema, and how to speak with it."""

    database_url: str
    schema: str = "awa"

    statement_cache_size: int | None = None
    """Prepared statements kept a connection; 0 behind a transaction-pooling PgBouncer."""

    listen_url: str | None = None
    """A direct connection for LISTEN, where `database_url` is a pooler's; empty: poll only."""

    def __post_init__(self) -> None:
        checked_schema(self.schema)

    @property
    def settings(self) -> dict[str, Any]:
        """What asyncpg is to be told beside the URL."""
        if self.statement_cache_size is None:
            return {}
        return {"statement_cache_size": self.statement_cache_size}


class _Connection(asyncpg.Connection):  # type: ignore[misc, unused-ignore]
    """A connection that costs no round trip when it is given back."""

    __slots__ = ("_is_soiled",)

    def soil(self) -> None:
        """Say that somebody else's SQL runs in this session, and may leave something in it."""
        self._is_soiled = True

    def get_reset_query(self) -> str:
        """Return what undoes a session, once: nothing, unless it was soiled."""
        is_soiled, self._is_soiled = getattr(self, "_is_soiled", False), False
        return str(super().get_reset_query()) if is_soiled else ""


async def _init(conn: Any) -> None:
    """Prepare a connection of the pool."""
    bound_silence(conn)


async def _acquired(pool: Any) -> Any:
    """Return a connection of the pool; DatabaseError if none can be had in time."""
    try:
        async with asyncio.timeout(CONNECT_S_MAX):
            return await pool.acquire()
    except TimeoutError as error:
        raise DatabaseError(
            f"no connection could be had within {CONNECT_S_MAX:g} s: the pool has "
            f"{pool.get_max_size()} at most, and each open transaction holds one"
        ) from error


@dataclass(frozen=True, slots=True)
class _Pooled:
    """Any connection of a pool, for one statement."""

    pool: Any

    async def fetch(self, query: str, *args: Any) -> Sequence[Row]:
        """Run a statement and return its rows."""
        conn = await _acquired(self.pool)
        try:
            return cast("Sequence[Row]", await conn.fetch(query, *args))
        finally:
            await self.pool.release(conn)

    async def copy_records_to_table(self, table_name: str, **how: Any) -> str:
        """Copy records into a table."""
        conn = await _acquired(self.pool)
        try:
            return str(await conn.copy_records_to_table(table_name, **how))
        finally:
            await self.pool.release(conn)


async def connect(target: Target, *, url: str | None = None) -> Any:
    """Open one connection outside of any pool; DatabaseError if that fails."""
    return await opened(url or target.database_url, timeout=CONNECT_S_MAX, **target.settings)


class Store:
    """A pool of connections to one schema, and the doors that open on them."""

    def __init__(self, target: Target, max_connections: int = 10) -> None:
        self.target = target
        self._max_connections = max_connections
        self._pool: Any = None
        self._opening = asyncio.Lock()
        self._closing = asyncio.Lock()
        self._is_closed = False

    @property
    def schema(self) -> str:
        """The schema that everything lies in."""
        return self.target.schema

    @property
    def is_open(self) -> bool:
        """Whether the pool has been opened."""
        return self._pool is not None

    def check_open(self) -> None:
        """Raise DatabaseError after `close`."""
        if self._is_closed:
            raise DatabaseError("attempted to acquire a connection on a closed pool")

    async def pool(self) -> Any:
        """Return the pool, opened by the first caller."""
        if self._pool is None:
            async with self._opening:
                if self._pool is None and not self._is_closed:
                    self._pool = await self._opened()
                    if self._is_closed:
                        # The end came while it was opened: nobody else would close it.
                        self._pool.terminate()
        self.check_open()
        return self._pool

    async def _opened(self) -> Any:
        with reaching():
            pool = await asyncpg.create_pool(
                self.target.database_url,
                min_size=1,
                max_size=self._max_connections,
                timeout=CONNECT_S_MAX,
                connection_class=_Connection,
                init=_init,
                **self.target.settings,
            )
        try:
            with translated():
                async with pool.acquire() as conn:
                    await check_version(conn, self.schema)
        except BaseException:
            pool.terminate()
            raise
        return pool

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Any]:
        """Lend one connection for as long as the block lasts."""
        pool = await self.pool()
        with translated():
            conn = await _acquired(pool)
            try:
                yield conn
            finally:
                await pool.release(conn)

    async def taken(self) -> Any:
        """Take a connection for the caller's own SQL; `give_back` is to follow."""
        pool = await self.pool()
        with translated():
            conn = await _acquired(pool)
        conn.soil()
        return conn

    async def give_back(self, conn: Any) -> None:
        """Give a taken connection back, with whatever its session held undone.

        Whoever had it is done with it: what cannot be undone any more is closed.
        """
        assert self._pool is not None, "nothing was taken"
        try:
            with translated():
                await self._pool.release(conn, timeout=CONNECT_S_MAX)
        except AwaError as error:
            logger.info("a connection was closed, for it could not be reset: %s", error)

    async def producer(self) -> ProducerStore:
        """Open the door for producers, on any connection of the pool."""
        return ProducerStore(_Pooled(await self.pool()), self.schema)

    async def operator(self) -> OperatorStore:
        """Open the door for people, on any connection of the pool."""
        return OperatorStore(_Pooled(await self.pool()), self.schema)

    async def leader(self) -> LeaderStore:
        """Open the door for the leader, on any connection of the pool."""
        return LeaderStore(_Pooled(await self.pool()), self.schema)

    async def close(self) -> None:
        """Close the pool, once what was taken is given back, or after a while; twice is once."""
        self._is_closed = True
        if self._pool is not None:
            async with self._closing:
                try:
                    async with asyncio.timeout(CLOSE_S_MAX):
                        await self._pool.close()
                except TimeoutError:
                    logger.warning("transactions that nobody has ended are rolled back")
                    self._pool.terminate()


async def check_version(conn: Any, schema: str) -> None:
    """Raise SchemaNotMigrated unless the schema is of the version that this library speaks with."""
    found = await found_version(conn, schema)
    if found != SCHEMA_VERSION:
        advice = (
            "the schema is newer than this library" if found > SCHEMA_VERSION else "run migrate"
        )
        raise SchemaNotMigrated(
            f"schema not migrated: expected version {SCHEMA_VERSION}, found {found}: {advice}"
        )
