"""A database that cannot be had, or whose schema is another's, says so by class and in one line.

Owns: wrong addresses, wrong passwords, and a schema that is missing, older or newer.
Keeps: every call says the same, a worker does not start, and nothing is written or changed.
Above: nobody. Below: tests.story.stage, tests.rig, awa.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

import awa
from tests.postgres import Server
from tests.story.stage import awa as run_awa
from tests.story.stage import program

CALLS: dict[str, Callable[[awa.AsyncClient], Awaitable[Any]]] = {
    "insert": lambda client: client.insert({}, kind="k"),
    "insert_many_copy": lambda client: client.insert_many_copy([{}], kind="k"),
    "enqueue_many_copy": lambda client: client.enqueue_many_copy([{}], kind="k"),
    "transaction": lambda client: client.transaction(),
    "get_job": lambda client: client.get_job(1),
    "list_jobs": lambda client: client.list_jobs(),
    "cancel": lambda client: client.cancel(1),
    "queue_stats": lambda client: client.queue_stats(),
    "start": lambda client: client.start([("q", 1)]),
}


async def all_calls_raise(url: str, error: type[awa.AwaError], text: str) -> None:
    """Check that whatever a client does first fails with this, each time it is tried."""
    async with awa.AsyncClient(url, 1) as client:
        client.task(dict, kind="k", queue="q")(lambda job: None)
        for name, call in CALLS.items():
            for _ in range(2):
                with pytest.raises(error, match=text) as caught:
                    await call(client)
                assert type(caught.value) is error, name


def addresses(server: Server) -> dict[str, tuple[str, str]]:
    """Return addresses that lead nowhere, and what is said about each."""
    good = re.sub(r"/[^/]*$", "/postgres", server.dsn)
    other = re.sub(r":[^:/@]+@", ":wrong@", good)
    assert other != good
    return {
        "no address": ("nonsense", "invalid DSN"),
        "another scheme": ("mysql://localhost/app", "invalid DSN"),
        "a port that is no number": ("postgres://127.0.0.1:abc/app", "invalid literal"),
        "half an address": ("postgres://[::1/app", "Invalid IPv6 URL"),
        "a refused port": ("postgres://127.0.0.1:1/app", "cannot reach the database"),
        "no such host": ("postgres://nowhere.invalid/app", "cannot reach the database"),
        "no such database": (f"{good}_nowhere", 'database "postgres_nowhere" does not exist'),
        "a wrong password": (other, "password authentication failed"),
        "an unknown setting": (f"{good}?sslmode=perhaps", "sslmode"),
    }


async def test_a_database_that_cannot_be_had_is_a_database_error(server: Server) -> None:
    for address, text in addresses(server).values():
        await all_calls_raise(address, awa.DatabaseError, text)
        with pytest.raises(awa.DatabaseError, match=text):
            await awa.migrate(address)
        async with awa.AsyncClient(address) as client:
            assert not (await client.health_check()).postgres_connected
        with awa.Client(address) as blocking, pytest.raises(awa.DatabaseError, match=text):
            blocking.insert({}, kind="k")


async def test_the_program_says_in_one_line_what_cannot_be_had(server: Server) -> None:
    places = addresses(server)
    said = {
        name: await run_awa("--database-url", address, "job", "list")
        for name, (address, _) in places.items()
    }
    address, _ = places["a wrong password"]
    said["a wrong password"] = await program("job", "list", url=address)
    for name, one in said.items():
        address, text = places[name]
        assert one.code == 1
        assert one.error.startswith("error: ") and re.search(text, one.error), one.error
        assert one.out == ""
        if password := re.search(r":([^:/@]+)@", address):
            assert password[1] not in one.err, "a password was printed"


async def test_an_address_that_is_no_text_is_a_type_error() -> None:
    for address in (None, 5, b"postgres://localhost/app"):
        with pytest.raises(TypeError, match="database_url must be a str"):
            awa.AsyncClient(address)  # type: ignore[arg-type]


@pytest.mark.parametrize("schema", ["", "A", "a-b", "a" * 41, "a;drop", "1a", 'a"b'])
def test_a_schema_that_is_no_plain_name_is_refused(schema: str) -> None:
    with pytest.raises(ValueError, match="schema must be"):
        awa.AsyncClient("postgres://localhost/app", schema=schema)
    with pytest.raises(ValueError, match="schema must be"):
        awa.Client("postgres://localhost/app", schema=schema)


async def test_a_schema_that_is_missing_is_not_migrated(empty_url: str) -> None:
    text = "schema not migrated: expected version 1, found 0"
    await all_calls_raise(empty_url, awa.SchemaNotMigrated, text)
    said = await run_awa("queue", "stats", url=empty_url)
    assert (said.code, said.error) == (1, f"error: {text}: run migrate")
    conn = await asyncpg.connect(empty_url)
    assert not await conn.fetchval(
        "select count(*) from pg_class where relnamespace::regnamespace"
        "::text not in ('pg_catalog', 'information_schema', 'pg_toast')"
    )
    await conn.close()


@pytest.mark.parametrize("found", [0, 2])
async def test_a_schema_of_another_version_is_left_alone(url: str, found: int) -> None:
    """Older is brought forward by migrate; newer is not for this library to touch."""
    conn = await asyncpg.connect(url)
    await conn.execute("delete from awa.schema_version")
    if found:
        await conn.execute("insert into awa.schema_version values ($1, 'of tomorrow')", found)
    text = f"schema not migrated: expected version 1, found {found}"
    await all_calls_raise(url, awa.SchemaNotMigrated, text)
    if found:
        for call in (awa.migrate(url), awa.AsyncClient(url).migrate()):
            with pytest.raises(awa.SchemaNotMigrated, match="newer than this library"):
                await call
        said = await run_awa("migrate", url=url)
        assert (said.code, said.error) == (
            *(1, f"error: {text}: the schema is newer than this library"),
        )
    assert await conn.fetchval("select count(*) from awa.jobs") == 0
    assert await conn.fetchval("select count(*) from awa.worker") == 0
    assert await conn.fetchval("select count(*) from awa.trace_event") == 0
    health = await run_awa("health", "--json", url=url)
    assert (health.code, health.data["ready"], health.data["schema_version"]) == (1, False, found)
    await conn.close()


async def test_a_client_that_was_refused_works_once_the_schema_is_there(empty_url: str) -> None:
    async with awa.AsyncClient(empty_url) as client:
        with pytest.raises(awa.SchemaNotMigrated):
            await client.insert({}, kind="k")
        await client.migrate()
        assert (await client.insert({}, kind="k")).id == 1


@pytest.mark.unjudged("the test drops the schema, and the trace with it")
async def test_a_schema_that_goes_away_under_a_client_is_not_migrated(url: str) -> None:
    async with awa.AsyncClient(url) as client:
        await client.insert({}, kind="k")
        conn = await asyncpg.connect(url)
        await conn.execute("drop schema awa cascade")
        await conn.close()
        for call in (client.insert({}, kind="k"), client.list_jobs(), client.get_job(1)):
            with pytest.raises(awa.SchemaNotMigrated, match="expected version 1, found 0"):
                await call


async def test_a_database_that_comes_back_is_found_again(url: str) -> None:
    async with awa.AsyncClient(url, 2) as client:
        await client.insert({}, kind="k")
        conn = await asyncpg.connect(url)
        await conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        await conn.close()

        async def works() -> bool:
            try:
                await client.insert({}, kind="k")
            except awa.DatabaseError:
                return False
            return True

        # Each connection of the pool may fail once.
        assert True in [await works() for _ in range(3)]
        assert await works()
