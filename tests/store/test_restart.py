"""Restart: who has prepared has another name after the server was started anew, and is waited for.

Owns: holes over a restart of the server.
Keeps: a server of its own for each test, kept in a folder, with room for prepared transactions.
Above: nobody. Below: tests.judged, tests.rig, awa.embedded.
"""

from pathlib import Path

import pytest

from awa.embedded import EmbeddedPostgres
from awa.store.migrate import migrate
from tests import judged
from tests.postgres import binaries
from tests.rig import Rig

FORGOTTEN = ("examine", "if exists (select from unnest", "if false and exists (select from unnest")
SETTINGS = {"max_prepared_transactions": 3, "fsync": "off"}


async def prepare_over_a_restart(folder: Path, *bugs: tuple[str, str, str]) -> str:
    """Have a writer prepare behind a hole, restart, look, commit; then the late job is given.

    Return what is illegal in the trace of all that.
    """
    server = EmbeddedPostgres(folder, settings=SETTINGS, binaries=binaries())
    with server:
        await migrate(server.dsn)
        await judged.record(server.dsn)
        async with Rig(server.dsn) as rig:
            for bug in bugs:
                await rig.sow(*bug)
            worker = await rig.worker()
            writer = await rig.begin()
            late = await rig.enqueue(conn=writer)
            newer = await rig.enqueue()
            assert await worker.claim() == newer
            await writer.execute("prepare transaction 'p'")
            (before,) = await rig.pages()
    with server:
        async with Rig(server.dsn) as rig:
            worker = await rig.worker()
            assert await worker.claim() == []
            (after,) = await rig.pages()
            assert before["seqs"] == after["seqs"]
            assert before["fillers"] != after["fillers"]
            await rig.conn.execute("commit prepared 'p'")
            assert await worker.claim() == late
        return await judged.illegal(server.dsn, "over a restart")


async def test_who_prepared_is_waited_for_over_a_restart(tmp_path: Path) -> None:
    assert await prepare_over_a_restart(tmp_path / "pg") == ""


async def test_a_prepared_one_that_is_forgotten_is_missed(tmp_path: Path) -> None:
    with pytest.raises((AssertionError, ValueError)):
        await prepare_over_a_restart(tmp_path / "pg", FORGOTTEN)
