"""Behind: a copy of the database whose sequences count anew is noticed by people.

Owns: what a worker says of a queue whose claims are refused.
Keeps: other queues go on, and this one does once it is mended.
Above: nobody. Below: tests.rig, tests.runtime.scene, awa.
"""

from typing import Any

import pytest

import awa
from tests.rig import Rig
from tests.runtime.scene import Runs, handle, insert, until, until_all, working

SET = """
select setval(l.sequence, (l.lane::bigint << 40) + $1) from awa.lane l
join awa.queue q on q.queue = l.queue where q.name = 'q' and not l.returning_jobs
"""


async def test_a_queue_that_counts_anew_is_told_once_until_it_is_mended(
    client: awa.AsyncClient,
    rig: Rig,
    runs: Runs,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("awa.runtime.pace.BEHIND_S", 0.05)
    handle(client, runs)
    handle(client, runs, "other", "other")
    async with working(client) as engine:
        await until_all(rig, await insert(client, 3))
        for times in (1, 2):
            await rig.conn.execute(SET, 1)
            await until(lambda: said(caplog)[times - 1 :])  # noqa: B023 - it ends in this round
            steps = engine.dispatcher.counts["steps"]
            await until(lambda: engine.dispatcher.counts["steps"] > steps + 3)  # noqa: B023
            assert not (await client.health_check()).healthy
            await until_all(rig, await insert(client, kind="other", queue="other"))
            assert len(said(caplog)) == times
            await rig.conn.execute(SET, 1000 * times)
            await until_all(rig, await insert(client))
            assert (await client.health_check()).healthy


def said(caplog: pytest.LogCaptureFixture) -> list[Any]:
    """What was said about the queue."""
    return [one for one in caplog.records if "queue 'q' gives out nothing" in one.getMessage()]
