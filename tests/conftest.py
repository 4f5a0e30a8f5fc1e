"""What the tests stand on: one Postgres a run, one database a test.

Owns: the fixtures that give a test its database, and that every test is traced and judged.
Keeps: a test shares nothing with another: its database is a copy of the migrated template. A test
    whose trace the models refuse has failed, whatever it asserted.
Above: the tests. Below: judged, postgres, rig, awa.
"""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import awa
from awa.lab.coverage import Coverage
from awa.store.migrate import migrate
from tests import judged, postgres
from tests.rig import Rig

RUN = pytest.StashKey[postgres.Run]()
WALKED = pytest.StashKey[Coverage]()
_number = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch for what takes long."""
    parser.addoption("--slow", action="store_true", help="run the slow tests too")
    parser.addoption("--stories", type=Path, help="write the traces of stories to this folder")
    parser.addoption("--walked", type=Path, help="write what was shown of the models to this file")


def pytest_configure(config: pytest.Config) -> None:
    """Start the run's server, in the controller; its workers inherit it."""
    postgres.check()
    config.stash[RUN] = postgres.begin(settings={"max_prepared_transactions": 10})
    config.stash[WALKED] = Coverage()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    if (run := config.stash.get(RUN, None)) is not None:
        asyncio.run(postgres.end(run))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is slow for the nightly run."""
    if not config.getoption("--slow"):
        left = [item for item in items if item.get_closest_marker("slow")]
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take in what the tests of a process have shown of the models, when it ends."""
    if told := getattr(node, "workeroutput", {}).get("walked"):
        node.config.stash[WALKED].add(Coverage.load(told))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Say what was shown of the models: to the controller, or in the end to a file."""
    config = session.config
    if (file := config.getoption("--walked")) is None:
        return
    config.stash[WALKED].add(judged.walked())
    if hasattr(config, "workeroutput"):
        config.workeroutput["walked"] = config.stash[WALKED].dump()
    else:
        file.write_bytes(config.stash[WALKED].dump())


@pytest.fixture
def server(request: pytest.FixtureRequest) -> postgres.Server:
    """The run's server."""
    return postgres.require(request.config.stash[RUN])


@pytest.fixture
async def url(request: pytest.FixtureRequest, server: postgres.Server) -> AsyncIterator[str]:
    """The address of a migrated database, this test's alone, whose trace is judged at the end."""
    name = f"p{os.getpid()}_{next(_number)}"
    address = await postgres.make_database(server, name, migrate)
    await judged.record(address)
    yield address
    illegal = await judged.judge(address, request.node)
    await postgres.drop_database(server, name)
    if illegal:
        pytest.fail(illegal, pytrace=False)


@pytest.fixture
async def empty_url(server: postgres.Server) -> AsyncIterator[str]:
    """The address of an empty database that is this test's alone."""
    name = f"e{os.getpid()}_{next(_number)}"
    yield await postgres.make_database(server, name)
    await postgres.drop_database(server, name)


@pytest.fixture
async def conn(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the test's database."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def rig(url: str) -> AsyncIterator[Rig]:
    """Verbs by hand: connections, workers and producers of the test's database."""
    async with Rig(url) as made:
        yield made


@pytest.fixture
async def client(url: str) -> AsyncIterator[awa.AsyncClient]:
    """A client of the test's database."""
    async with awa.AsyncClient(url) as made:
        yield made
