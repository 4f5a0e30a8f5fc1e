"""Sets of numbers and snapshots, as Postgres writes them.

Owns: what is read, and what is refused.
Keeps: a text that is neither is never taken for an empty one.
Above: nobody. Below: awa.lab.
"""

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from awa.lab.ranges import NUMBERS_MAX, Ranges, Snapshot


@given(st.sets(st.integers(0, 60)))
def test_a_set_is_what_it_was_made_of(numbers: set[int]) -> None:
    made = Ranges.of(sorted(numbers))
    assert set(made) == numbers and made.count == len(numbers)
    assert [n for n in range(62) if n in made] == sorted(numbers)
    assert made.last == max(numbers, default=None)
    text = "{" + ",".join(f"[{low},{high})" for low, high in made.spans) + "}"
    assert Ranges.read(text) == made


@pytest.mark.parametrize(
    "text", ["", "[1,2)", "{[1,2]}", "{[1,2),}", "{[-1,2)}", "{(1,2)}", "null"]
)
def test_what_is_no_set_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no set of numbers"):
        Ranges.read(text)


def test_a_set_too_large_is_counted_and_not_written_out() -> None:
    huge = Ranges.read("{[1,9000000000)}")
    assert huge.count > NUMBERS_MAX and 7 in huge
    with pytest.raises(ValueError, match="more than an event may name"):
        list(huge)


@pytest.mark.parametrize("text", ["", "1:2", "1:2:3,", "a:b:", "1:2:,3"])
def test_what_is_no_snapshot_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no snapshot"):
        Snapshot.read(text)


async def test_a_snapshot_sees_what_postgres_says_that_it_sees(conn: asyncpg.Connection) -> None:
    text = "100:110:100,103,109"
    snapshot = Snapshot.read(text)
    for xid in range(95, 115):
        sql = "select pg_visible_in_snapshot($1::text::xid8, $2::text::pg_snapshot)"
        assert snapshot.sees(xid) == await conn.fetchval(sql, str(xid), text), xid
