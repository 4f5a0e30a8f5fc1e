"""A finish that is refused for what it says ends its job all the same, and no other waits.

Owns: steps that are refused for their content.
Keeps: the refusal is Postgres' own, sown into a verb: the runtime lets nothing through that would
    be refused as things are.
Above: nobody. Below: tests.rig, awa.
"""

import asyncio

import awa
from tests.rig import Rig
from tests.runtime.scene import engine_of, until

REFUSES = "b.past := case when error like '%poison%' then ('{' || error)::jsonb else"


async def test_one_finish_that_is_refused_keeps_no_other_from_landing(
    rig: Rig, client: awa.AsyncClient
) -> None:
    await rig.sow(
        "retry",
        "b.past := with_error(b.past, error, false);",
        f"{REFUSES} with_error(b.past, error, false) end;",
    )
    together = asyncio.Barrier(20)

    @client.task(dict, kind="k", queue="q")
    async def run(job: awa.Job[dict[str, int]]) -> None:
        await together.wait()
        if job.args["n"] == 7:
            raise ValueError("poison")

    async def all_have_ended() -> bool:
        return set((await rig.states()).values()) <= {"completed", "retryable"}

    jobs = await client.insert_many_copy([{"n": n} for n in range(20)], kind="k", queue="q")
    await client.start([("q", 20)])
    await until(all_have_ended)
    # Those that come after it go together again.
    dispatcher = engine_of(client).dispatcher
    await until(lambda: not dispatcher._is_wary)
    await client.shutdown()
    states = await rig.states()
    assert [job.args["n"] for job in jobs if states[job.id] != "completed"] == [7]
    (error,) = (await client.get_job(jobs[7].id)).errors
    assert error["error"] == "what came of this attempt could not be stored"
