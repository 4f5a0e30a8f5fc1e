"""The audit on a real server: what the engine does is all told, and what is not told is found.

Owns: that every verb under audit leaves no finding, and that changes by hand, verbs that forget to
    tell and verbs that tell what they meant leave one.
Keeps: what an audit made is gone after it, and what a killed one left is gone with the next.
Above: nobody. Below: awa.lab, awa.store, awa.embedded, tests.
"""

import json
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from awa.embedded import EmbeddedPostgres
from awa.errors import AwaError
from awa.lab.audit import Audit, audited
from awa.lab.expected import NO_TRANSITION
from awa.lab.trace import ACTS
from awa.store.migrate import migrate
from awa.store.recorder import recorder
from tests import judged, postgres
from tests.bugs.told import TOLD
from tests.lab.audit import SETTINGS, audited_database, by_acts, database, logical
from tests.lab.deeds import do_all
from tests.rig import Rig


@pytest.fixture(scope="module")
def keeper() -> Iterator[postgres.Server]:
    """A server that keeps what its transactions change."""
    with logical() as server:
        yield server


@pytest.fixture
async def audit(keeper: postgres.Server) -> AsyncIterator[Audit]:
    """A database under audit."""
    async with audited_database(keeper) as made:
        yield made


@pytest.fixture
async def rig(audit: Audit) -> AsyncIterator[Rig]:
    """Verbs by hand, in the database under audit."""
    async with Rig(audit.url) as made:
        yield made


async def found(audit: Audit) -> list[str]:
    """Return what the audit has found, as text."""
    return [str(one) for one in await audit.findings()]


# --- What is told ------------------------------------------------------------------------------


async def test_every_verb_is_explained(audit: Audit, rig: Rig) -> None:
    await do_all(rig)
    assert await found(audit) == []
    # A Switch is a sequence's, which no transaction can take back and no slot tells.
    assert {act for _, _, act in by_acts(audit.ledger.explained)} == ACTS - {"Switch"}
    assert "Switch" in await rig.acts()
    met = {why for _, _, why in audit.ledger.explained} - ACTS
    assert {free.why for free in NO_TRANSITION} <= met, "what never happens needs no excuse"


async def test_what_is_found_stays_found_and_is_found_once(audit: Audit, rig: Rig) -> None:
    await rig.enqueue()
    assert await found(audit) == []
    await rig.conn.execute("delete from awa.entry")
    once = await found(audit)
    assert len(once) == 1
    await rig.enqueue()
    assert await found(audit) == once


async def test_what_was_there_before_the_audit_is_taken_as_it_is(keeper: postgres.Server) -> None:
    async with database(keeper) as url, Rig(url) as rig:
        worker = await rig.worker()
        leader = await rig.lead(worker)
        await rig.enqueue(6)
        first, second, third, *_ = await worker.take()
        await worker.end(first)
        await rig.enqueue(queue="unheard")
        await leader.rotate()
        async with audited(url) as audit:
            await worker.end(second, verdict="fail")
            await worker.end(third, verdict="retry")
            await leader.sort()
            assert await leader.prune_all() == [1]
            assert await found(audit) == []


# --- What is not told --------------------------------------------------------------------------

BY_HAND = {
    "a job is put back": "update awa.held set state = 'cancelled'",
    "a job is changed": "update awa.entry set past = '{\"attempt\": 9}'",
    "a job is deleted": "delete from awa.entry where id = 2",
    "a held job is deleted": "delete from awa.held",
    "an entry is ended": "insert into awa.ending values (1, now(), 0, 'failed', 1)",
    "an entry is made twice": "insert into awa.entry "
    "select seq, id, created_at, 1, kind, args from awa.entry limit 1",
    "a log is emptied": "truncate awa.part_0",
    "a worker is declared lost": "update awa.worker set lost_at = now()",
    "a worker is revived": "update awa.worker set floor = 0, stopped_at = now()",
    "another leads": "update awa.leader set worker = 9",
    "a segment is closed": "update awa.segment set closed_at = now(), sealed_at = now() "
    "where segment = 0",
    "a lane is deleted": "delete from awa.lane where lane = (select max(lane) from awa.lane)",
    "an event is told again": "insert into awa.trace_event (n, xid, k, act, actor, input, output, "
    "post) select 9999, pg_current_xact_id(), 1, act, actor, input, output, post "
    "from awa.trace_event where act = 'Fail'",
    "an event is changed": "update awa.trace_event set act = 'Cancel' where n = 9999",
    "an event is taken away": "delete from awa.trace_event where n = 9999",
    "all events are taken away": "truncate awa.trace_event",
}


async def test_what_is_done_by_hand_is_found(audit: Audit, rig: Rig) -> None:
    worker = await rig.worker()
    await rig.lead(worker)
    await rig.enqueue(3)
    await worker.end(*await worker.take(1), verdict="fail")
    assert await found(audit) == []
    missed = []
    for deed, sql in BY_HAND.items():
        count = audit.ledger.count
        done = await rig.conn.execute(sql)
        assert not done.endswith(" 0"), f"{deed}: there is no such row"
        await found(audit)
        if audit.ledger.count == count:
            missed.append(deed)
    assert missed == []


async def test_a_value_that_is_stored_apart_and_stays_is_no_change(audit: Audit, rig: Rig) -> None:
    worker = await rig.worker()
    await rig.enqueue(args=json.dumps(random.Random(7).randbytes(20_000).hex()))
    await worker.end(*await worker.take(), verdict="fail")
    await rig.conn.execute("update awa.held set state = 'cancelled'")
    (one,) = await found(audit)
    assert one.endswith("no event tells of it: state")


async def test_a_session_that_is_not_traced_is_found(audit: Audit, rig: Rig) -> None:
    await rig.conn.execute("set awa.trace to 'off'")
    await rig.enqueue()
    (one,) = await found(audit)
    assert one.endswith("no event tells of it")


async def test_a_verb_that_tells_less_or_else_than_it_does_is_found(audit: Audit, rig: Rig) -> None:
    missed = {}
    for name, bug in TOLD.items():
        await rig.sow(bug.verb, bug.good, bug.bad)
        await bug.test(rig)
        await rig.sow(bug.verb, bug.good, bug.good)
        before = len(audit.ledger.findings)
        findings = (await found(audit))[before:]
        if not any(bug.said in one for one in findings):
            missed[name] = findings
    assert missed == {}


async def test_a_copy_that_is_not_the_same_is_found(audit: Audit, rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead()
    await rig.sow("carry", "select here, e.seq, e.id,", "select here, e.seq, e.id + 1,")
    await rig.enqueue(2)
    await worker.end(*(await worker.take())[1:])
    await leader.rotate()
    assert await leader.prune() == 1
    (one,) = await found(audit)
    assert "id is 2, and was 1" in one


# --- The audit itself --------------------------------------------------------------------------

LEFT = """
select 'slot' from pg_replication_slots where database = current_database()
union all select 'publication' from pg_publication
union all select relname from pg_class
where relnamespace = 'awa'::regnamespace and relreplident = 'f'
"""


async def test_an_audit_leaves_nothing_and_takes_away_what_another_left(
    keeper: postgres.Server,
) -> None:
    async with database(keeper) as url, recorder(url) as store:
        await store.begin_audit()
        assert await store.conn.fetch(LEFT)
        async with audited(url) as audit, Rig(url) as rig:
            await rig.enqueue()
            assert await found(audit) == []
            assert audit.ledger.explained["insert", "entry", "Enqueue"] == 1
        assert await store.conn.fetch(LEFT) == []


async def test_a_server_that_keeps_nothing_cannot_be_audited(url: str) -> None:
    with pytest.raises(AwaError, match="wal_level"):
        async with audited(url):
            pass


async def test_a_crash_of_the_server_tells_nothing_twice(tmp_path: Path) -> None:
    settings = {**SETTINGS, "fsync": "off"}
    server = EmbeddedPostgres(tmp_path / "pg", settings=settings, binaries=postgres.binaries())
    with server:
        await migrate(server.dsn)
        await judged.record(server.dsn)
        async with audited(server.dsn) as audit:
            for _ in range(2):
                async with Rig(server.dsn) as rig:
                    await rig.enqueue()
                assert await found(audit) == []
                server.stop("immediate")
                server.start()
            assert await found(audit) == []
            assert audit.ledger.explained["insert", "entry", "Enqueue"] == 2
