"""A producer process of the demo: `python -m awa.demo.producer ROLE URL FOLDER COUNT`.

Owns: what a producer of each role enqueues.
Keeps: a token is noted only after its commit was acknowledged, or as rolled back after that.
Above: play starts it. Below: mortal, notes, client.
"""

import asyncio
import sys
from pathlib import Path

from awa.client import AsyncClient
from awa.demo.mortal import die_with_parent
from awa.demo.notes import Notes

__all__ = ["main"]

BATCH = 500
STEADY_S = 0.01
ROLLED_BACK_EACH = 5


async def bulk(client: AsyncClient, notes: Notes, count: int) -> None:
    """Enqueue in bulk, by COPY."""
    for first in range(0, count, BATCH):
        tokens = [f"bulk-{n}" for n in range(first, min(first + BATCH, count))]
        jobs = [{"token": token} for token in tokens]
        await client.insert_many_copy(jobs, kind="quick", queue="quick")
        notes.write("committed", *tokens)


async def orders(client: AsyncClient, notes: Notes, count: int) -> None:
    """Enqueue inside transactions with rows of its own; each fifth of them rolls back."""
    for n in range(count):
        tokens = [f"order-{n}-{part}" for part in range(4)]
        tx = await client.transaction()
        await tx.execute("insert into demo_order (number) values ($1)", n)
        for token in tokens:
            await tx.insert({"token": token}, kind="quick", queue="quick")
        if n % ROLLED_BACK_EACH == 0:
            await tx.rollback()
            notes.write("rolled_back", *tokens)
        else:
            await tx.commit()
            notes.write("committed", *tokens)


async def slow(client: AsyncClient, notes: Notes, count: int) -> None:
    """Enqueue jobs that run for most of a second, so that there is something to kill."""
    tokens = [f"slow-{n}" for n in range(count)]
    jobs = [{"token": token} for token in tokens]
    await client.insert_many_copy(jobs, kind="slow", queue="slow")
    notes.write("committed", *tokens)


async def steady(client: AsyncClient, notes: Notes, count: int) -> None:
    """Enqueue one job after another at a steady pace, for the pickup latency."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for n in range(count):
        await asyncio.sleep(max(0.0, began + n * STEADY_S - loop.time()))
        token = f"steady-{n}"
        await client.insert({"token": token}, kind="steady", queue="steady")
        notes.write("committed", token)


ROLES = {"bulk": bulk, "orders": orders, "slow": slow, "steady": steady}


async def main(role: str, url: str, folder: str, count: str) -> None:
    """Produce as many jobs as asked, or four for each order."""
    notes = Notes(Path(folder) / f"producer-{role}.txt")
    async with AsyncClient(url, 2) as client:
        await ROLES[role](client, notes, int(count))


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main(*sys.argv[1:]))
