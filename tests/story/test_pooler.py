"""Without prepared statements and session state: behind a PgBouncer in transaction mode.

Owns: a whole round trip with statement_cache_size=0 and no LISTEN, and one through a real pooler.
Keeps: nothing in the path of a job relies on the session it was prepared or set in.
Above: nobody. Below: tests.story.stage, tests.rig, awa.
"""

import asyncio
import os
import pwd
import re
import secrets
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import awa
from tests.rig import Rig
from tests.runtime.proxy import Proxy
from tests.story.stage import awa as run_awa

COUNT = 60
INI = """
[databases]
* = host=127.0.0.1 port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 4
max_client_conn = 100
unix_socket_dir =
logfile =
pidfile =
ignore_startup_parameters = extra_float_digits
server_reset_query = discard all
server_reset_query_always = 1
"""


async def round_trip(client: awa.AsyncClient) -> None:
    """Enqueue in every way, run all of it with a failure and a retry, and look at it."""
    done: asyncio.Queue[int] = asyncio.Queue()

    @client.task(dict, kind="k", queue="q")
    async def work(job: awa.Job[Any]) -> awa.RetryAfter | None:
        if job.args["n"] == 0 and job.attempt == 1:
            return awa.RetryAfter(0)
        done.put_nowait(job.args["n"])
        return None

    await client.start([("q", 8)], poll_interval_ms=20, promote_interval_ms=20)
    for n in range(10):
        await client.insert({"n": n}, kind="k", queue="q")
    await client.enqueue_many_copy([{"n": n} for n in range(10, 40)], kind="k", queue="q")
    async with await client.transaction() as tx:
        await tx.insert_many([{"n": n} for n in range(40, COUNT)], kind="k", queue="q")
        assert (await tx.fetch_one("select count(*) as n from awa.jobs"))["n"] >= COUNT - 40
    async with asyncio.timeout(60):
        ran = sorted([await done.get() for _ in range(COUNT)])
    assert ran == list(range(COUNT))
    await client.shutdown()
    jobs = await client.list_jobs(state="completed")
    assert len(jobs) == COUNT
    assert sorted(job.attempt for job in jobs) == [1] * (COUNT - 1) + [2]
    assert (await client.queue_stats())[0].completed_last_hour == COUNT


async def test_a_job_makes_its_round_trip_without_prepared_statements(rig: Rig) -> None:
    settings: dict[str, Any] = {"statement_cache_size": 0, "listen_url": ""}
    async with awa.AsyncClient(rig.url, 4, **settings) as client:
        await client.migrate()
        await round_trip(client)
        async with await client.transaction() as tx:
            sql = "select statement from pg_prepared_statements where name <> ''"
            others = await tx.fetch_all(sql)
            # The one that looks is itself prepared by the driver, for its row's types.
            assert [row for row in others if "pg_prepared_statements" not in row["statement"]] == []


@asynccontextmanager
async def pooler(program: str, url: str, folder: Path) -> AsyncIterator[str]:
    """Run a PgBouncer in transaction mode before the server of a URL; yield the URL through it."""
    found = re.fullmatch(r"(\w+://\w+):(\w+)@127.0.0.1:(\d+)/(\w+)", url)
    assert found is not None
    own = free_port()
    user = configure(folder, password=found[2], port=found[3], own=own)
    process = await asyncio.create_subprocess_exec(program, "-q", f"{folder}/ini", user=user)
    through = f"{found[1]}@127.0.0.1:{own}/{found[4]}"
    try:
        await until_it_answers(through)
        yield through
    finally:
        process.terminate()
        await process.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def configure(folder: Path, *, password: str, port: str, own: int) -> int | None:
    """Write the pooler's files; return as whom it is to run, for it refuses to be root."""
    (folder / "users").write_text(f'"postgres" "{password}"\n')
    (folder / "ini").write_text(INI.format(port=port, own=own, folder=folder))
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    for path in (folder, *folder.iterdir()):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    return nobody.pw_uid


async def until_it_answers(url: str) -> None:
    """Wait for a process that has just been started and tells nobody that it listens."""
    async with asyncio.timeout(20):
        while True:
            try:
                conn = await asyncpg.connect(url, statement_cache_size=0)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                await conn.close()
                return


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder that another user may look into; pytest's own are for their owner alone."""
    folder = Path(tempfile.gettempdir()) / f"awa-pooler-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
async def test_a_persons_commands_go_through_a_pooler(empty_url: str, room: Path) -> None:
    """Each a few times: every connection is new, and meets sessions that others have used."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("no pgbouncer on PATH")
    lines = ("migrate --roles", "health", "queue pause q", "queue stats", "job list", "migrate")
    async with pooler(program, empty_url, room) as through:
        for line in lines * 3:
            said = await run_awa(*line.split(), url=through)
            assert said.code == 0, said.err


async def test_a_persons_commands_prepare_nothing(empty_url: str) -> None:
    async with Proxy(empty_url) as proxy:
        for line in ("migrate --roles", "health", "queue pause q", "queue stats", "job list"):
            said = await run_awa(*line.split(), url=proxy.url)
            assert said.code == 0, said.err
        sent = b"".join(wire.sent for wire in proxy._wires)
    assert b"awa.jobs" in sent and b"__asyncpg_stmt" not in sent


@pytest.mark.slow
@pytest.mark.parametrize("listens", [True, False])
async def test_a_job_makes_its_round_trip_through_a_pooler(
    url: str, room: Path, listens: bool
) -> None:
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("no pgbouncer on PATH")
    async with pooler(program, url, room) as through:
        listen_url = url if listens else ""
        async with awa.AsyncClient(
            through, 8, statement_cache_size=0, listen_url=listen_url
        ) as client:
            await client.migrate()
            await round_trip(client)
