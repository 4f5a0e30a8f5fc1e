"""A database under audit: on a server that keeps what its transactions change.

Owns: the server with wal_level=logical that a module's tests share, and the databases on it.
Keeps: a database is traced and audited from before its first transaction.
Above: test_audit, test_audit_lies, test_audit_work. Below: awa.lab, awa.embedded, tests.
"""

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from awa.embedded import EmbeddedPostgres
from awa.lab.audit import Audit, audited
from awa.lab.trace import ACTS
from awa.store.migrate import migrate
from tests import judged, postgres

SETTINGS = {"wal_level": "logical", "max_prepared_transactions": 3}
_number = itertools.count(1)


@contextmanager
def logical() -> Iterator[postgres.Server]:
    """Have a server of one's own that keeps what its transactions change."""
    with EmbeddedPostgres(settings=SETTINGS, binaries=postgres.binaries()) as server:
        yield postgres.Server(server.dsn, "audit", throwaway=True)


@asynccontextmanager
async def database(server: postgres.Server) -> AsyncIterator[str]:
    """Have a migrated and traced database on it."""
    name = f"d{next(_number)}"
    url = await postgres.make_database(server, name, migrate)
    await judged.record(url)
    yield url
    await postgres.drop_database(server, name)


@asynccontextmanager
async def audited_database(server: postgres.Server) -> AsyncIterator[Audit]:
    """Have a database that is audited as well."""
    async with database(server) as url, audited(url) as audit:
        yield audit


def by_acts(explained: dict[tuple[str, str, str], int]) -> dict[tuple[str, str, str], int]:
    """Return how many changes were explained by an act, and by which."""
    return {key: count for key, count in explained.items() if key[2] in ACTS}
