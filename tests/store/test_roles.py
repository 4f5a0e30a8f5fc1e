"""Roles: each may call its verbs, and nothing else; nobody needs a right on a table.

Owns: the four authorities, each led through what it may and may not do.
Keeps: a verb that a role was not granted, and a table that is nobody's, is refused with 42501.
Above: nobody. Below: tests.rig, awa.store.
"""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from awa.options import InsertOptions
from awa.store.migrate import grant_roles, migrate
from awa.store.producer import NewJob, ProducerStore
from awa.store.sql import ROLES, Verbs, verb_files
from awa.store.worker import Ask, WorkerStore
from tests.rig import Rig

PRODUCER = {"enqueue", "enqueue_many", "reserve", "may_copy", "open", "wake"}
WORKER = {"register", "step", "finish", "heartbeat", "open_entries", "retire", "elect", "resign"}
LEADER = {"promote", "sort", "rescue", "expire", "rotate", "prune", "tally", "purge"}
OPERATOR = {"cancel", "redrive", "redrive_failed", "discard_failed", "pause", "unpause", "drain"}
HEALTH = {"queue_stats", "search"}
LOOKS = {"storage_status"}
GRANTED = {
    "producer": PRODUCER | HEALTH,
    "worker": WORKER | LEADER | HEALTH | {"wake"},
    "operator": OPERATOR | LOOKS | HEALTH | {"wake"},
    "reader": LOOKS | HEALTH,
}
TABLES = (
    *("entry", "claim", "part", "ending", "hole", "deferred", "held", "worker", "leader"),
    *("queue", "lane", "segment", "trace_event", "tally", "entry_0", "claim_0", "part_0"),
)


@pytest.fixture
async def granted(rig: Rig) -> AsyncIterator[Rig]:
    """A rig whose database has the four roles."""
    await grant_roles(rig.url)
    yield rig


async def as_role(rig: Rig, role: str) -> asyncpg.Connection:
    """Return a connection that acts for a role alone."""
    conn = await rig.connect()
    await conn.execute(f"set role awa_{role}")
    return conn


async def may_execute(conn: asyncpg.Connection) -> set[str]:
    """Return the functions of the schema that the present role may call."""
    rows = await conn.fetch(
        "select p.proname from pg_proc p where p.pronamespace = 'awa'::regnamespace "
        "and has_function_privilege(p.oid, 'execute')"
    )
    return {row["proname"] for row in rows}


@pytest.mark.parametrize("role", GRANTED)
async def test_a_role_may_call_its_verbs_alone(granted: Rig, role: str) -> None:
    conn = await as_role(granted, role)
    verbs = {path.stem for path in verb_files(*ROLES)}
    may = await may_execute(conn)
    assert may & verbs == GRANTED[role]
    # What the view calls is called with the rights of who reads it.
    assert may - verbs <= {"is_unclaimed", "clock"}


@pytest.mark.parametrize("role", GRANTED)
async def test_a_verb_that_was_not_granted_is_refused(granted: Rig, role: str) -> None:
    conn = await as_role(granted, role)
    calls: dict[str, tuple[Any, ...]] = {
        "enqueue": ("k", "1", "q", 2, 25, [], "{}", None, True),
        "register": ("n", ["q"], ["k"]),
        "heartbeat": (1, [], "{}"),
        "elect": (1, 30.0),
        "prune": (1, 0.0, 10),
        "rescue": (1, 30.0, 10),
        "cancel": (1,),
        "pause": ("q", "me"),
        "storage_status": (),
    }
    for verb, given in calls.items():
        if verb in GRANTED[role]:
            continue
        with pytest.raises(Exception, match="permission denied for function"):
            await Verbs(conn)(verb, *given)


@pytest.mark.parametrize("role", GRANTED)
async def test_no_role_needs_a_table(granted: Rig, role: str) -> None:
    conn = await as_role(granted, role)
    for table in TABLES:
        for right in ("select", "insert", "update", "delete", "truncate"):
            sql = "select has_table_privilege($1, $2)"
            assert not await conn.fetchval(sql, f"awa.{table}", right), (table, right)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.execute("insert into awa.entry select * from awa.entry")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.execute("select nextval('awa.lane_1')")


@pytest.mark.parametrize("role", GRANTED)
async def test_every_role_reads_the_jobs(granted: Rig, role: str) -> None:
    worker = await granted.worker()
    jobs = await granted.enqueue(2)
    await worker.take(1)
    conn = await as_role(granted, role)
    rows = await conn.fetch("select id, state from awa.jobs order by id")
    assert [tuple(row) for row in rows] == [(jobs[0], "running"), (jobs[1], "available")]


async def test_a_stranger_to_the_schema_is_refused(granted: Rig) -> None:
    conn = await granted.connect()
    await conn.execute(
        "do $$ begin create role awa_test_nobody; exception when others then null; end $$"
    )
    await conn.execute("set role awa_test_nobody")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.execute("select from awa.enqueue('k', '1')")


async def test_a_producer_enqueues_in_every_way_but_copy(granted: Rig) -> None:
    conn = await as_role(granted, "producer")
    store = ProducerStore(conn)
    await store.open(NewJob("k", "1"), InsertOptions(queue="p", priority=3))
    await store.enqueue(NewJob("k", "1"), InsertOptions(queue="p"), wake=True)
    await store.enqueue(NewJob("k", "1"), InsertOptions(queue="p", priority=3), wake=False)
    await store.enqueue_many([NewJob("k", "1")] * 3, InsertOptions(queue="unheard"), wake=False)
    await store.wake(["p"])
    assert not await store.may_copy()
    assert len(await granted.states()) == 5


async def test_the_owner_may_copy(granted: Rig) -> None:
    assert await ProducerStore(granted.conn).may_copy()


async def test_a_worker_lives_its_whole_life(granted: Rig) -> None:
    store = WorkerStore(await as_role(granted, "worker"))
    told = await store.register("w", ["q"], ["k"])
    jobs = await granted.enqueue(3)
    await granted.enqueue(kind="strange")
    ask = Ask(
        queue=told.queues[0], room=9, ageing_ms=60_000, deadline_s=60, asleep=True, settles=True
    )
    answer = await store.step(told.worker, [], [ask], ["k"])
    assert [row["id"] for row in answer.rows] == jobs
    assert (await store.heartbeat(told.worker, [], {})).is_alive
    opened = await store.open_entries(told.worker)
    verdicts = ["retry", "fail", "release"]
    for (seq, claim), verdict in zip(opened.items(), verdicts, strict=True):
        await store.verbs(
            "finish",
            told.worker,
            [claim],
            [f"{{[{seq},{seq}]}}"],
            [1],
            f'[{{"seq": {seq}, "verdict": "{verdict}", "delay_s": 60}}]',
        )
    assert await store.retire(told.worker)


async def test_a_leader_is_a_worker(granted: Rig) -> None:
    conn = await as_role(granted, "worker")
    store = WorkerStore(conn)
    worker = (await store.register("w", ["q"], ["k"])).worker
    epoch = (await Verbs(conn).one("elect", worker, 30.0))["elect"]
    await granted.enqueue(queue="unheard")
    for verb, given in {
        "promote": (None, 10),
        "sort": (10, False),
        "rescue": (30.0, 10),
        "expire": (5.0, 10),
        "tally": (),
        "purge": (1.0, 1.0, 10),
        "resign": (),
    }.items():
        await Verbs(conn)(verb, epoch, *given)
    epoch = (await Verbs(conn).one("elect", worker, 30.0))["elect"]
    # A rotation that runs out of segments makes tables, in the name of the schema's owner.
    for _ in range(13):
        for given in ((0.0, 1), (1e9, 2**60), (1e9, 2**60)):
            await Verbs(conn)("rotate", epoch, *given)
        await Verbs(conn)("prune", epoch, 0.0, 100)


async def test_an_operator_manages_and_does_not_work(granted: Rig) -> None:
    await granted.worker()
    jobs = await granted.enqueue(4)
    conn = await as_role(granted, "operator")
    verbs = Verbs(conn)
    await verbs("pause", "q", "me")
    await verbs("unpause", "q")
    assert (await verbs.one("cancel", jobs[0]))["cancel"]
    assert (await verbs.one("redrive", jobs[0]))["redrive"]
    assert await verbs("redrive_failed", "k", None, 0, 10) == []
    assert (await verbs.one("discard_failed", "k"))["discard_failed"] == 0
    assert (await verbs.one("drain", "q", 0, 100))["cancelled"] == 4
    assert len(await verbs("queue_stats")) == 1
    assert await verbs.one("storage_status")


async def test_a_reader_looks_and_does_nothing(granted: Rig) -> None:
    await granted.worker()
    await granted.enqueue()
    verbs = Verbs(await as_role(granted, "reader"))
    (stats,) = await verbs("queue_stats")
    assert stats["available"] == 1
    assert await verbs.one("storage_status")


async def test_a_migration_leaves_the_grants_in_place(granted: Rig) -> None:
    await migrate(granted.url)
    for role, verbs in GRANTED.items():
        assert verbs <= await may_execute(await as_role(granted, role))


async def test_a_hostile_search_path_changes_nothing(granted: Rig) -> None:
    """A function of the caller's own, named like one of ours, is not called with our rights."""
    await granted.worker()
    await granted.conn.execute("grant create on schema public to awa_producer")
    conn = await as_role(granted, "producer")
    await conn.execute(
        "create function public.check_job(text, json, text, int, int, text[], timestamptz) "
        "returns void language plpgsql as $$ begin raise exception 'called'; end $$;"
        "create function public.nextval(regclass) returns bigint language sql as 'select 7';"
        "set search_path to public, awa"
    )
    await conn.execute("select from awa.enqueue('k', '1', 'q')")
    assert len(await granted.states()) == 1
