"""The machine's own limits, measured in the same run, so that a rate can be told as a share of one.

Owns: what is compared with: a COPY into a table of the same columns without our indexes, one
    commit a row, an empty round trip.
Keeps: the same payload, driver and server as the phases.
Above: core. Below: adapter, asyncpg.
"""

import json
import time
from typing import Any

import asyncpg

from bench.adapter import payload

__all__ = ["limits"]

TABLE = """
create table bench_limit (
  seq bigint not null, id bigint not null, created_at timestamptz not null default now(),
  segment smallint not null default 0, kind text not null, args json not null,
  options jsonb, past jsonb)
"""


async def limits(url: str, copies: int, commits: int, trips: int) -> dict[str, float]:
    """Return rows copied, rows committed one by one and round trips, a second each."""
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(TABLE)
        return {
            "limit_copy_per_s": await _copy(conn, copies),
            "limit_commit_per_s": await _commit(conn, commits),
            "limit_round_trip_per_s": await _trip(conn, trips),
        }
    finally:
        await conn.execute("drop table if exists bench_limit")
        await conn.close()


async def _copy(conn: Any, count: int) -> float:
    text = json.dumps(payload(1))
    rows = [(n, n, "noop", text) for n in range(1000)]
    began = time.perf_counter()
    for _ in range(0, count, 1000):
        await conn.copy_records_to_table(
            "bench_limit", columns=["seq", "id", "kind", "args"], records=rows
        )
    return count / (time.perf_counter() - began)


async def _commit(conn: Any, count: int) -> float:
    insert = await conn.prepare(
        "insert into bench_limit (seq, id, kind, args) values ($1, $1, $2, $3)"
    )
    text = json.dumps(payload(1))
    began = time.perf_counter()
    for n in range(count):
        await insert.fetch(n, "noop", text)
    return count / (time.perf_counter() - began)


async def _trip(conn: Any, count: int) -> float:
    select = await conn.prepare("select 1")
    began = time.perf_counter()
    for _ in range(count):
        await select.fetch()
    return count / (time.perf_counter() - began)
