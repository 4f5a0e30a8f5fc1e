"""The pool: who waits for a connection, and what closing does to those that are taken.

Owns: waits with a bound; a close beside open transactions and beside the opening of the pool.
Keeps: a commit that succeeded is told as one, whatever becomes of its connection.
Above: nobody. Below: tests.runtime.scene, awa.
"""

import asyncio
import logging

import asyncpg
import pytest

import awa
from tests.rig import Rig
from tests.runtime.conftest import Clients
from tests.runtime.scene import WITHIN_S, backends, cut, until, until_all


async def test_who_waits_for_a_connection_that_never_comes_free_is_told(
    clients: Clients, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tasks that enqueue beside transactions that they have open wait for each other."""
    client = clients(max_connections=2)
    open_ones = [await client.transaction() for _ in range(2)]
    monkeypatch.setattr("awa.store.CONNECT_S_MAX", 0.1)
    for call in (
        client.insert({}, kind="k"),
        client.insert_many_copy([{}], kind="k"),
        client.queue_stats(),
        client.transaction(),
    ):
        with pytest.raises(awa.DatabaseError, match=r"had within 0\.1 s: the pool has 2"):
            async with asyncio.timeout(WITHIN_S):
                await call
    for tx in open_ones:
        await tx.rollback()
    await until_all(rig, [(await client.insert({}, kind="k")).id], "available")


@pytest.mark.parametrize("ending", ["commit", "rollback"])
async def test_a_close_waits_for_open_transactions_and_breaks_none(
    clients: Clients, rig: Rig, ending: str
) -> None:
    client = clients()
    tx = await client.transaction()
    job = await tx.insert({}, kind="k")
    pool = client._store._pool
    closes = [asyncio.create_task(client.close()) for _ in range(2)]
    await until(lambda: pool._closing)
    with pytest.raises(awa.DatabaseError, match="closed pool"):
        await client.insert({}, kind="k")
    async with asyncio.timeout(WITHIN_S):
        await getattr(tx, ending)()
        await asyncio.gather(*closes)
    assert await rig.states() == ({job.id: "available"} if ending == "commit" else {})
    await until(lambda: nobody(rig))


async def nobody(rig: Rig) -> bool:
    return await backends(rig) == []


async def test_a_close_while_the_pool_is_opened_leaves_nothing(
    clients: Clients, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = clients()
    opens, opened = asyncio.Event(), asyncio.Event()
    create = asyncpg.create_pool

    async def slow(*args: object, **how: object) -> object:
        pool = await create(*args, **how)
        opened.set()
        await opens.wait()
        return pool

    monkeypatch.setattr("asyncpg.create_pool", slow)
    calls = [asyncio.create_task(client.queue_stats()) for _ in range(2)]
    await opened.wait()
    await client.close()
    opens.set()
    for call in calls:
        with pytest.raises(awa.DatabaseError, match="closed pool"):
            await call
    await until(lambda: nobody(rig))


LAST = "select 'the last statement of the transaction'"


async def test_a_connection_that_cannot_be_reset_after_its_commit_makes_room_for_another(
    clients: Clients, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = clients(max_connections=1)
    await client.insert({}, kind="k")
    dies = "select pg_terminate_backend(pg_backend_pid())"
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("awa.store._Connection.get_reset_query", lambda conn: dies)
        async with await client.transaction() as tx:
            job = await tx.insert({}, kind="k")
    await until_all(rig, [job.id], "available")
    async with asyncio.timeout(WITHIN_S):
        await client.insert({}, kind="k")


async def test_a_rollback_that_fails_does_not_hide_why_it_was_wanted(
    clients: Clients, rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    client = clients(max_connections=1)
    with pytest.raises(ZeroDivisionError):
        async with await client.transaction() as tx:
            await tx.insert({}, kind="k")
            await tx.execute(LAST)
            await cut(rig, LAST)
            raise ZeroDivisionError
    (record,) = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert record.name == "awa.transaction"
    assert await rig.states() == {}
    await until_all(rig, [(await client.insert({}, kind="k")).id], "available")


async def test_what_a_transaction_left_in_its_session_is_undone_for_the_next(
    clients: Clients, rig: Rig
) -> None:
    client = clients(max_connections=1)
    async with await client.transaction() as tx:
        await tx.execute("set application_name to 'left'")
    async with await client.transaction() as tx:
        assert await tx.fetch_one("show application_name") != {"application_name": "left"}


async def test_a_transaction_that_nobody_ends_does_not_keep_a_close(
    clients: Clients, rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("awa.store.CLOSE_S_MAX", 0.1)
    client = clients()
    tx = await client.transaction()
    await tx.insert({}, kind="k")
    await client.close()
    assert "transactions that nobody has ended are rolled back" in caplog.text
    with pytest.raises(awa.DatabaseError):
        await tx.commit()
    assert await rig.states() == {}
