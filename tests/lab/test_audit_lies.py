"""The audit is judged: a true record of changes, with one lie in it, is never taken for true.

Owns: the lies: an event left out, told twice or put elsewhere; a row left out; a value changed.
Keeps: every event and every row of a story of all verbs is lied about, one at a time.
Above: nobody. Below: awa.lab, tests.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import pytest

from awa.lab.audit import Ledger
from awa.lab.wal import Change, Decoder, Transaction
from awa.store.recorder import recorder
from tests import postgres
from tests.lab.audit import by_acts, database, logical
from tests.lab.deeds import do_all
from tests.rig import Rig

Record = Sequence[Transaction]
Lie = Callable[[Change], list[Change]]

TOLD = {
    "entry": ("seq", "id", "past"),
    "deferred": ("seq", "id", "past", "state"),
    "ending": ("seq", "outcome", "by_worker"),
    "held": ("id", "past", "state"),
    "claim": ("claim", "worker", "seqs", "moved", "lanes", "hi", "pages"),
    "part": ("claim", "part", "seqs", "ended", "completed", "closes"),
    "hole": ("page", "seqs", "reads_from", "fillers"),
    "worker": ("worker", "queues", "kinds", "lost_at", "stopped_at"),
    "leader": ("epoch", "worker"),
    "segment": ("number", "opened_at", "sealed_at", "closed_at"),
}
"""What events tell of a row."""


@pytest.fixture(scope="module")
def record() -> Record:
    """What changes while all is done that there is to do."""
    with logical() as server:
        return asyncio.run(recorded(server))


async def recorded(server: postgres.Server) -> Record:
    """Do all, and return the changes."""
    async with database(server) as url, recorder(url) as store:
        await store.begin_audit()
        async with Rig(url) as rig:
            await do_all(rig)
        decoder = Decoder()
        read = [decoder.read(data) async for data in store.changes()]
        await store.end_audit()
    return [transaction for transaction in read if transaction is not None]


def branch(ledger: Ledger) -> Ledger:
    """Return a ledger of its own that goes on from here."""
    return replace(
        ledger, findings=[*ledger.findings], explained=Counter(), _rows=dict(ledger._rows)
    )


def lied(record: Record, table: str, lie: Lie) -> Iterator[tuple[str, bool]]:
    """Lie about each change of a table in turn; return it and whether the lie was found."""
    ledger = Ledger()
    for at, transaction in enumerate(record):
        truth = branch(ledger)
        truth.take(transaction)
        for place, change in enumerate(transaction.changes):
            if change.table != table or (told := lie(change)) == [change]:
                continue
            without = branch(ledger)
            without.take(altered(transaction, place, []))
            if table != "trace_event" and by_acts(without.explained) == by_acts(truth.explained):
                continue  # No event tells of it: nobody would miss it.
            lying = branch(ledger)
            for one in (altered(transaction, place, told), *record[at + 1 :]):
                lying.take(one)
                if lying.count:
                    break
            yield str(change), lying.count > 0
        ledger = truth


def altered(transaction: Transaction, place: int, told: list[Change]) -> Transaction:
    """Return a transaction with something else in the place of one of its changes."""
    before, after = transaction.changes[:place], transaction.changes[place + 1 :]
    return replace(transaction, changes=(*before, *told, *after))


def left_out(_change: Change) -> list[Change]:
    """Leave a change out."""
    return []


def is_silent(change: Change) -> bool:
    """Return whether an event names no row, so that nobody misses it."""
    row = change.row
    return (
        row["act"] == "Switch"
        or (row["act"] == "Done" and '"stopped": false' in str(row["output"]))
        or (row["act"] == "Carry" and not re.search(r"\[[^]]", f"{row['input']}{row['output']}"))
        or (row["act"] == "Complete" and '"part": null' in str(row["output"]))
    )


def told_again(change: Change) -> list[Change]:
    """Tell an event twice, under another number."""
    if is_silent(change):
        return [change]
    return [change, replace(change, new={**change.row, "n": "1" + str(change.row["n"])})]


def untold(change: Change) -> list[Change]:
    """Leave an event out that names a row."""
    return [change] if is_silent(change) else []


def told_of_another(change: Change) -> list[Change]:
    """Say that an event belongs to another transaction."""
    return [replace(change, new={**change.row, "xid": str(int(str(change.row["xid"])) + 1)})]


def test_the_record_is_true(record: Record) -> None:
    ledger = Ledger()
    for transaction in record:
        ledger.take(transaction)
    assert ledger.findings == []


@pytest.mark.parametrize("lie", [untold, told_again, told_of_another])
def test_a_lie_about_an_event_is_found(record: Record, lie: Lie) -> None:
    lies = list(lied(record, "trace_event", lie))
    assert len(lies) > 100
    assert [what for what, found in lies if not found] == []


@pytest.mark.parametrize("table", TOLD)
def test_a_lie_about_a_row_is_found(record: Record, table: str) -> None:
    lies_told: list[Lie] = [left_out, *(partial(otherwise, column) for column in TOLD[table])]
    for lie in lies_told:
        lies = list(lied(record, table, lie))
        assert lies
        assert [what for what, found in lies if not found] == [], lie


def otherwise(column: str, change: Change) -> list[Change]:
    """Put another value of the same form in a column, if that was written."""
    if change.new is None or (change.old or {}).get(column, "") == change.new[column]:
        return [change]
    now = change.new[column]
    other: str | None = {"t": "f", "f": "t"}.get(str(now), "77")
    if column.endswith("_at"):
        other = None if now else "2000-01-01 00:00:00+00"
    elif column == "past":
        other = '{"attempt": 77}'
    elif column in {"lanes", "hi", "pages", "fillers", "queues", "kinds"}:
        other = "{77}"
    elif column in {"seqs", "moved", "ended"}:
        other = "{[77,78)}"
    return [replace(change, new={**change.new, column: other})]
