"""Who catches a bug: the test that is named, and the judges of the trace that it leaves.

Owns: how a bug is run once for all of them, and what each of them says.
Keeps: a judge who refuses without the bug is not asked. None is asked twice.
Above: `python -m tests.bugs`. Below: child, kinds, awa.lab, tests.lab.audit, tests.rig.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from awa.lab.check import check
from awa.lab.collect import collect
from awa.lab.monitor import Monitor
from awa.lab.trace import TraceError
from awa.store.recorder import recorder
from tests import postgres
from tests.bugs import child
from tests.bugs.kinds import Patch, Sown
from tests.lab.audit import audited_database
from tests.rig import Rig
from tests.store.arena import FOUND

MISSED = (*FOUND, ValueError, TypeError, pytest.fail.Exception)
"""What a test finds may be a set of one too many, or an error that did not come."""

MONITOR = Monitor()
TEST_S_MAX = 60.0


class Court:
    """Runs bugs on one server, under audit."""

    def __init__(self, server: postgres.Server) -> None:
        self._server = server
        self._refused_without: dict[tuple[Callable[..., Awaitable[None]], str], set[str]] = {}

    async def catches(self, bug: Sown) -> list[str]:
        """Return who catches a bug in SQL."""
        key = (bug.test, repr(bug.given))
        if key not in self._refused_without:
            self._refused_without[key] = await self._run(bug, is_sown=False)
            assert "test" not in self._refused_without[key], f"{bug.missed_by} fails without a bug"
        return sorted(await self._run(bug, is_sown=True) - self._refused_without[key])

    async def _run(self, bug: Sown, *, is_sown: bool) -> set[str]:
        """Run the test of a bug; return who refuses."""
        refused = set()
        async with audited_database(self._server) as audit:
            async with Rig(audit.url) as rig:
                if is_sown:
                    await rig.sow(bug.verb, bug.good, bug.bad)
                try:
                    async with asyncio.timeout(TEST_S_MAX):
                        await bug.test(rig, *bug.given)
                except (*MISSED, TimeoutError):
                    refused.add("test")
            refused |= await _models(audit.url)
            if await audit.findings():
                refused.add("audit")
        return refused


async def _models(url: str) -> set[str]:
    """Return which models refuse what was traced; the order stands before them all."""
    async with recorder(url) as store:
        try:
            report = check(await collect(store, "a bug"), MONITOR)
        except TraceError:
            return {"form"}
    return {one.model for one in report.findings}


def catches(bug: Patch, tree: Path) -> list[str]:
    """Return who catches a bug in Python, sown in this copy of the tree."""
    if bug.open:
        return []
    bug.sow(tree)
    try:
        return sorted(child.run(tree, bug.test).judges)
    finally:
        bug.mend(tree)
