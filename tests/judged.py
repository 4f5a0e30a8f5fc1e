"""Every test that has a database leaves a trace in it, and is judged by it.

Owns: which tests are not judged, and why; and what of the models all of them have shown.
Keeps: a trace is judged unless the test says why not: it sows a bug, or writes rows by hand.
Above: conftest, arena. Below: awa.lab, awa.store.
"""

import tomllib

import pytest

from awa.lab.check import check
from awa.lab.collect import collect
from awa.lab.coverage import Coverage
from awa.lab.monitor import Monitor
from awa.lab.tlc import spec_folder
from awa.lab.trace import write
from awa.store.recorder import recorder

MONITOR = Monitor()
"""One for all tests of a process: what was walked once is not walked again."""


async def record(address: str) -> None:
    """Have every session of this database traced from now on."""
    async with recorder(address) as store:
        await store.record(True)


async def judge(address: str, item: pytest.Item) -> str:
    """Return what is illegal in the trace of a test, unless it is not to be judged."""
    if item.get_closest_marker("unjudged"):
        return ""
    said = await illegal(address, item.nodeid)
    folder = item.config.getoption("--stories")
    if folder is not None and not said and (told := item.get_closest_marker("story")):
        async with recorder(address) as store:
            trace = await collect(store, item.nodeid, pg=await store.version())
        write(folder / f"{told.args[0]}.jsonl", trace.header, trace.events)
    return said


async def illegal(address: str, origin: str) -> str:
    """Return what is illegal in the trace of a database; an empty text if all is legal."""
    async with recorder(address) as store:
        report = check(await collect(store, origin), MONITOR)
    return "" if report.is_legal else str(report)


def walked() -> Coverage:
    """Return what the tests of this process have shown of the models."""
    rows = tomllib.loads((spec_folder() / "coverage.toml").read_text())
    return Coverage.of(MONITOR, {model: row.get("witnesses", ()) for model, row in rows.items()})
