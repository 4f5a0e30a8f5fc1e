"""One transaction: the application's rows and its jobs, together or not at all.

Owns: commit, rollback, savepoints, what may be bound and what comes back, and plain SQL.
Keeps: nobody sees a job before its commit, and nothing is left of one that was rolled back.
Above: nobody. Below: tests.story.stage, tests.rig, awa.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

import awa
from tests.rig import Rig

ENDED = "Transaction already committed or rolled back"


@pytest.fixture
async def shop(client: awa.AsyncClient, rig: Rig) -> AsyncIterator[awa.AsyncClient]:
    """A client whose database has a table of the application's."""
    await rig.conn.execute("create table shop_order (number int primary key, note jsonb)")
    yield client


async def orders(rig: Rig) -> list[int]:
    """Return the numbers of the orders that are there."""
    rows = await rig.conn.fetch("select number from shop_order order by number")
    return [row["number"] for row in rows]


async def ship(tx: awa.Transaction, number: int) -> awa.Job[Any]:
    """Write an order and its job."""
    assert await tx.execute("insert into shop_order (number) values ($1)", number) == 1
    return await tx.insert({"order": number}, kind="ship", queue="q")


async def test_a_commit_shows_the_row_and_the_job_together(shop: awa.AsyncClient, rig: Rig) -> None:
    async with await shop.transaction() as tx:
        job = await ship(tx, 1)
        (second,) = await tx.insert_many([{"order": 1}], kind="bill", tags=["t"])
        assert (await orders(rig), await rig.states()) == ([], {})
        found = await tx.fetch_one("select state from awa.jobs where id = $1", job.id)
        assert found == {"state": "available"}
    assert await orders(rig) == [1]
    assert await rig.states() == {job.id: "available", second.id: "available"}
    assert (await shop.get_job(second.id)).tags == ["t"]


async def test_an_exception_leaves_nothing_and_goes_on(shop: awa.AsyncClient, rig: Rig) -> None:
    with pytest.raises(ZeroDivisionError):
        async with await shop.transaction() as tx:
            await ship(tx, 1)
            await tx.insert_many([{}] * 3, kind="k")
            raise ZeroDivisionError
    assert (await orders(rig), await rig.states()) == ([], {})
    worker = await rig.worker()
    assert await worker.claim(kinds=["ship", "k"]) == []


@pytest.mark.parametrize("ending", ["commit", "rollback"])
async def test_a_transaction_without_a_block_ends_once(
    shop: awa.AsyncClient, rig: Rig, ending: str
) -> None:
    tx = await shop.transaction()
    job = await ship(tx, 1)
    await getattr(tx, ending)()
    assert await rig.states() == ({job.id: "available"} if ending == "commit" else {})
    for call in (
        tx.commit(),
        tx.rollback(),
        tx.execute("select 1"),
        tx.fetch_all("select 1"),
        tx.fetch_one("select 1"),
        tx.fetch_optional("select 1"),
        tx.insert({}, kind="k"),
        tx.insert_many([{}], kind="k"),
    ):
        with pytest.raises(awa.AwaError, match=ENDED):
            await call
    with pytest.raises(awa.AwaError, match=ENDED):
        async with tx:
            raise AssertionError("the block of an ended transaction was entered")


async def test_a_block_that_ended_its_transaction_itself_is_left_in_peace(
    shop: awa.AsyncClient, rig: Rig
) -> None:
    async with await shop.transaction() as tx:
        await ship(tx, 1)
        await tx.rollback()
    async with await shop.transaction() as tx:
        await ship(tx, 2)
        await tx.commit()
    assert await orders(rig) == [2]


async def test_a_savepoint_takes_back_its_own_jobs_alone(shop: awa.AsyncClient, rig: Rig) -> None:
    async with await shop.transaction() as tx:
        first = await ship(tx, 1)
        await tx.execute("savepoint inner_one")
        await ship(tx, 2)
        await tx.insert_many([{}] * 2, kind="k", queue="q")
        assert await tx.execute("rollback to savepoint inner_one") == 0
        third = await ship(tx, 3)
        await tx.execute("savepoint inner_two")
        fourth = await ship(tx, 4)
        await tx.execute("release savepoint inner_two")
    assert await orders(rig) == [1, 3, 4]
    kept = [first.id, third.id, fourth.id]
    assert sorted(await rig.states()) == kept
    worker = await rig.worker()
    leader = await rig.lead(worker)
    await leader.sort(settles=True)
    assert sorted(await worker.claim(kinds=["ship", "k"])) == kept


async def test_a_refused_job_aborts_the_whole_transaction(shop: awa.AsyncClient, rig: Rig) -> None:
    tx = await shop.transaction()
    await ship(tx, 1)
    with pytest.raises(awa.DatabaseError, match="priority must be between 1 and 4"):
        await tx.insert({}, kind="k", priority=9)
    with pytest.raises(awa.DatabaseError, match="current transaction is aborted"):
        await ship(tx, 2)
    await tx.rollback()
    assert (await orders(rig), await rig.states()) == ([], {})


async def test_a_unique_conflict_of_the_users_own_is_named(shop: awa.AsyncClient) -> None:
    with pytest.raises(awa.UniqueConflict, match="shop_order_pkey"):
        async with await shop.transaction() as tx:
            await ship(tx, 1)
            await ship(tx, 1)


async def test_the_users_own_mistake_in_sql_is_a_database_error(shop: awa.AsyncClient) -> None:
    mistakes = ("select no_such_function()", "table no_such_table")
    for sql in (
        *mistakes,
        "selct 1",
        "insert into shop_order (number) values (null)",
        "select 1 / 0",
    ):
        async with await shop.transaction() as tx:
            with pytest.raises(awa.DatabaseError) as caught:
                await tx.execute(sql)
            assert type(caught.value) is awa.DatabaseError
            await tx.rollback()


async def test_what_is_bound_comes_back_as_it_was(shop: awa.AsyncClient) -> None:
    async with await shop.transaction() as tx:
        sql = (
            "select $1::bool as b, $2::int8 as i, $3::float8 as f, $4::text as t, $5::jsonb as j,"
            " $6::jsonb as l, $7::text as n"
        )
        bound = (True, 2**62, 1.5, "ü\n", {"a": [1, None]}, [1, {"b": 2}], None)
        row = await tx.fetch_one(sql, *bound)
        assert tuple(row.values()) == bound
        for value in (b"x", datetime(2031, 1, 1, tzinfo=UTC), {1}):
            with pytest.raises(TypeError):
                await tx.fetch_all("select $1", value)


async def test_each_type_of_a_column_reads_as_documented(shop: awa.AsyncClient) -> None:
    sql = """
    select 1::int2 as i2, 2::int4 as i4, 1.5::float4 as f4, 'n'::name as n, 'x'::bytea as bytes,
      timestamptz '2031-05-06 09:08:09.5+02' as tz, timestamp '2031-05-06 07:08:09.123456' as ts,
      '{"a": [1]}'::json as js, array['a', 'b'] as texts, array['1', '{}']::jsonb[] as docs
    """
    async with await shop.transaction() as tx:
        assert await tx.fetch_one(sql) == {
            "i2": 1,
            "i4": 2,
            "f4": 1.5,
            "n": "n",
            "bytes": b"x",
            "tz": "2031-05-06T07:08:09.500+00:00",
            "ts": "2031-05-06 07:08:09.123",
            "js": {"a": [1]},
            "texts": ["a", "b"],
            "docs": [1, {}],
        }
        assert await tx.fetch_optional("select 1 where false") is None
        assert await tx.fetch_all("select n from generate_series(1, 3) n") == [
            *({"n": n} for n in (1, 2, 3)),
        ]
        with pytest.raises(awa.DatabaseError, match="no rows returned by a query"):
            await tx.fetch_one("select 1 where false")
        assert await tx.execute("create table other (a int)") == 0
        assert await tx.execute("insert into other select generate_series(1, 4)") == 4
        assert await tx.execute("update other set a = 0 where a > 1") == 3


async def test_what_a_transaction_set_does_not_stay_in_its_session(url: str) -> None:
    async with awa.AsyncClient(url, 1) as client:
        async with await client.transaction() as tx:
            await tx.execute("set statement_timeout to '1234ms'")
            await tx.execute("select pg_advisory_lock(7)")
        async with await client.transaction() as tx:
            row = await tx.fetch_one("show statement_timeout")
            assert row == {"statement_timeout": "0"}
            sql = "select count(*) as held from pg_locks where locktype = 'advisory'"
            assert await tx.fetch_one(sql) == {"held": 0}


async def test_plain_sql_in_the_users_own_connection_is_a_producer(
    rig: Rig, client: awa.AsyncClient
) -> None:
    conn = await asyncpg.connect(rig.url)
    sql = "select id, state from awa.enqueue('send_email', $1, run_at => $2)"
    async with conn.transaction():
        row = await conn.fetchrow(sql, '{"to": "a"}', None)
        assert await rig.states() == {}
    assert (row["state"], await rig.states()) == ("available", {row["id"]: "available"})
    undone = conn.transaction()
    await undone.start()
    await conn.fetchrow(sql, "{}", datetime(2031, 1, 1, tzinfo=UTC))
    await undone.rollback()
    await conn.close()
    (job,) = await client.list_jobs()
    assert (job.id, job.kind, job.args) == (row["id"], "send_email", {"to": "a"})
