"""The client's life: it connects on first use, writes jobs in each way, looks at them, and ends.

Owns: migrate, the three ways in, get_job, list_jobs, health_check, close.
Keeps: what was written is what is read back, in the order and with the options given.
Above: nobody. Below: tests.story.stage, tests.rig, awa.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import asyncpg
import pydantic
import pytest

import awa
from awa import enqueuer
from awa.options import InsertOptions
from awa.store.producer import NewJob, ProducerStore
from tests.rig import Rig
from tests.story.stage import STATES, lead_to_all


@dataclass
class ResizeImage:
    path: str
    width: int


class SendEmail(pydantic.BaseModel):
    to: str
    at: datetime


async def test_a_client_that_was_never_used_needs_no_database() -> None:
    async with awa.AsyncClient("postgres://127.0.0.1:1/nowhere") as client:
        assert client.database_url == "postgres://127.0.0.1:1/nowhere"
    await client.close()


async def test_migrate_may_be_called_by_many_and_again(empty_url: str) -> None:
    async with awa.AsyncClient(empty_url) as client:
        await asyncio.gather(*(client.migrate() for _ in range(5)), awa.migrate(empty_url))
        await client.migrate()
        assert (await client.insert({}, kind="k")).state is awa.JobState.Available
    conn = await asyncpg.connect(empty_url)
    versions = await conn.fetch("select version from awa.schema_version")
    await conn.close()
    assert [row["version"] for row in versions] == [awa.current_migration_version()]


async def test_a_schema_that_was_made_by_hand_is_as_good(empty_url: str) -> None:
    conn = await asyncpg.connect(empty_url)
    for _, _, sql in awa.migrations():
        async with conn.transaction():
            await conn.execute(sql)
    await conn.close()
    async with awa.AsyncClient(empty_url) as client:
        assert (await client.insert({}, kind="k")).state is awa.JobState.Available
        await client.migrate()
        assert len(await client.list_jobs()) == 1


async def test_a_migrate_keeps_what_is_there(client: awa.AsyncClient) -> None:
    job = await client.insert({"a": 1}, kind="k")
    await client.migrate()
    assert (await client.get_job(job.id)).args == {"a": 1}


async def test_two_schemas_of_one_database_know_nothing_of_each_other(empty_url: str) -> None:
    async with (
        awa.AsyncClient(empty_url, schema="one") as one,
        awa.AsyncClient(empty_url, schema="two") as two,
    ):
        await asyncio.gather(one.migrate(), two.migrate())
        await one.insert({}, kind="k")
        assert len(await one.list_jobs()) == 1
        assert await two.list_jobs() == []
        with pytest.raises(awa.AwaError, match="job not found: 1"):
            await two.get_job(1)


async def test_a_job_has_the_defaults_that_are_documented(client: awa.AsyncClient) -> None:
    made = await client.insert(ResizeImage("a.png", 640))
    for job in (made, await client.get_job(made.id)):
        assert (job.kind, job.queue, job.args) == (
            *("resize_image", "default"),
            {"path": "a.png", "width": 640},
        )
        assert (job.state, job.priority, job.attempt, job.max_attempts) == (
            *(awa.JobState.Available, 2, 0, 25),
        )
        assert (job.tags, job.metadata, job.errors, job.progress) == ([], {}, [], None)
        assert job.run_at == job.created_at
        assert (job.deadline, job.finalized_at, job.traceparent) == (None, None, None)
        assert repr(job) == (
            f"Job(id={made.id}, kind='resize_image', queue='default', state=Available, attempt=0)"
        )


async def test_every_option_is_read_back(client: awa.AsyncClient) -> None:
    options: dict[str, Any] = {
        "queue": "mail",
        "priority": 4,
        "max_attempts": 3,
        "tags": ["a", "b"],
        "metadata": {"awa:traceparent": "00-1-2-01", "deep": {"x": [1, None, True]}},
        "ordering_key": "customer-7",
    }
    at = datetime(2031, 5, 6, 7, 8, 9, 123456, UTC)
    made = await client.insert(SendEmail(to="a@b", at=at), kind="mail", **options)
    batch = await client.insert_many_copy([{"to": "a@b"}], kind="mail", **options)
    for job in (made, *batch, *await client.list_jobs(kind="mail")):
        assert (job.queue, job.priority, job.max_attempts) == ("mail", 4, 3)
        assert (job.tags, job.metadata) == (["a", "b"], options["metadata"])
        assert job.traceparent == "00-1-2-01"
    stored = (await client.get_job(made.id)).args
    assert stored == {"to": "a@b", "at": "2031-05-06T07:08:09.123456Z"}


INSTANTS: dict[Any, str] = {
    datetime(2031, 5, 6, 7, 8, 9): "2031-05-06T07:08:09+00:00",  # noqa: DTZ001
    datetime(2031, 5, 6, 7, 8, 9, 500_000, UTC): "2031-05-06T07:08:09.500+00:00",
    datetime(2031, 5, 6, 9, 8, 9, 5, timezone(timedelta(hours=2))): (
        "2031-05-06T07:08:09.000005+00:00"
    ),
    "2031-05-06 07:08:09": "2031-05-06T07:08:09+00:00",
    "2031-05-06T09:08:09+02:00": "2031-05-06T07:08:09+00:00",
}


async def test_any_run_at_makes_a_job_scheduled_and_a_naive_one_is_utc(
    client: awa.AsyncClient,
) -> None:
    for n, (given, stored) in enumerate(INSTANTS.items()):
        options: dict[str, Any] = {"kind": f"k{n}", "run_at": given}
        one = await client.insert({}, **options)
        (two,) = await client.insert_many_copy([{}], **options)
        assert await client.enqueue_many_copy([{}], **options) == 1
        jobs = [one, two, *await client.list_jobs(state="scheduled", kind=f"k{n}")]
        assert len(jobs) == 5
        assert {job.run_at for job in jobs} == {stored}
        assert {job.state for job in jobs} == {awa.JobState.Scheduled}


async def test_a_run_at_that_is_past_makes_a_job_scheduled_too(client: awa.AsyncClient) -> None:
    job = await client.insert({}, kind="k", run_at="2001-01-01T00:00:00Z")
    assert job.run_at == "2001-01-01T00:00:00+00:00"
    assert (await client.get_job(job.id)).state is job.state is awa.JobState.Scheduled


async def test_a_batch_comes_back_in_its_order_with_its_routes(client: awa.AsyncClient) -> None:
    batch: list[Any] = [ResizeImage(f"{n}.png", n) for n in range(50)]
    opts = [{"queue": f"q{n % 3}"} if n % 2 else None for n in range(50)]
    jobs = await client.insert_many_copy(batch, queue="rest", opts=opts)
    assert [job.args["width"] for job in jobs] == list(range(50))
    assert [job.queue for job in jobs] == [f"q{n % 3}" if n % 2 else "rest" for n in range(50)]
    for job in jobs[:5]:
        stored = await client.get_job(job.id)
        assert (stored.queue, stored.args, stored.created_at) == (
            *(job.queue, job.args, job.created_at),
        )


async def test_an_empty_batch_writes_nothing(client: awa.AsyncClient, rig: Rig) -> None:
    assert await client.insert_many_copy([]) == []
    assert await client.enqueue_many_copy([]) == 0
    assert await rig.states() == {}


async def test_a_count_of_a_batch_is_what_was_written(client: awa.AsyncClient, rig: Rig) -> None:
    assert await client.enqueue_many_copy([{"n": n} for n in range(2500)], kind="k") == 2500
    assert len(await rig.states()) == 2500


async def test_a_batch_may_be_any_iterable(client: awa.AsyncClient, rig: Rig) -> None:
    """Counted from what was written: a call that commits and then raises would be repeated."""
    made: Any = ({"n": n} for n in range(3))
    assert await client.enqueue_many_copy(made, kind="k") == 3
    made = ({"n": n} for n in range(3, 5))
    jobs = await client.insert_many_copy(made, kind="k")
    assert [job.args["n"] for job in jobs] == [3, 4]
    assert len(await rig.states()) == 5


async def test_a_client_remembers_no_more_lanes_than_it_may(
    client: awa.AsyncClient, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue a customer: the one used last is kept, the one not used for longest is asked for."""
    opened: list[str] = []
    by_hand = ProducerStore.open

    async def told(store: ProducerStore, job: NewJob, options: InsertOptions) -> None:
        opened.append(options.queue)
        await by_hand(store, job, options)

    monkeypatch.setattr(ProducerStore, "open", told)
    monkeypatch.setattr(enqueuer, "OPENED_MAX", 2)
    for queue in ("a", "b", "a", "c", "a", "b"):
        await client.insert({}, kind="k", queue=queue)
    assert opened == ["a", "b", "c", "b"]
    assert len(await rig.states()) == 6


async def test_five_megabytes_of_args_are_kept_whole(client: awa.AsyncClient) -> None:
    text = "ü" * 2_500_000
    one = await client.insert({"text": text}, kind="k")
    (two,) = await client.insert_many_copy([{"text": text}], kind="k")
    for job in (one, two):
        assert (await client.get_job(job.id)).args == {"text": text}


async def test_jobs_are_listed_newest_first_and_by_filter(client: awa.AsyncClient) -> None:
    for n in range(6):
        await client.insert({"n": n}, kind="even" if n % 2 == 0 else "odd", queue=f"q{n % 3}")

    async def listed(**filters: Any) -> list[int]:
        return [job.args["n"] for job in await client.list_jobs(**filters)]

    assert await listed() == [5, 4, 3, 2, 1, 0]
    assert await listed(kind="even") == [4, 2, 0]
    assert await listed(queue="q1") == [4, 1]
    assert await listed(kind="odd", queue="q1") == [1]
    assert await listed(limit=2) == [5, 4]
    assert await listed(state="available", limit=1) == [5]
    assert await listed(state="running") == []
    assert await listed(kind="nobody's") == []


async def test_a_limit_is_brought_between_1_and_1000(client: awa.AsyncClient) -> None:
    await client.enqueue_many_copy([{}] * 1001, kind="k")
    for limit, count in {-5: 1, 0: 1, 1: 1, 999: 999, 1000: 1000, 5000: 1000}.items():
        assert len(await client.list_jobs(limit=limit)) == count
    assert len(await client.list_jobs()) == 100


async def test_jobs_are_listed_by_each_state(rig: Rig, client: awa.AsyncClient) -> None:
    jobs = await lead_to_all(rig)
    for state in STATES:
        (found,) = await client.list_jobs(state=state)
        assert (found.id, str(found.state)) == (jobs[state], state)
        assert found.state is (await client.get_job(jobs[state])).state
    assert await client.list_jobs(state="waiting_external") == []


async def test_a_filter_that_makes_no_sense_is_refused(client: awa.AsyncClient) -> None:
    bad: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"state": "zz"}, ValueError, "unknown job state: zz"),
        ({"state": awa.JobState.Failed}, TypeError, "state must be a str"),
        ({"limit": "5"}, TypeError, "an integer is needed"),
        ({"limit": True}, TypeError, "an integer is needed"),
        ({"limit": 2**63}, OverflowError, "does not fit"),
        ({"tag": "a"}, TypeError, "tag"),
    ]
    for filters, error, text in bad:
        with pytest.raises(error, match=text):
            await client.list_jobs(**filters)


async def test_a_job_that_is_not_there_is_an_error(client: awa.AsyncClient) -> None:
    calls = (client.get_job, client.cancel, client.retry, client.dump_job, client.dump_run)
    for call in calls:
        for number in (0, -1, 77, 2**63 - 1):
            with pytest.raises(awa.AwaError, match=f"job not found: {number}") as caught:
                await call(number)
            assert type(caught.value) is awa.AwaError
        with pytest.raises(TypeError):
            await call("1")  # type: ignore[arg-type]
        with pytest.raises(OverflowError):
            await call(2**63)


async def test_after_close_every_call_says_so(client: awa.AsyncClient) -> None:
    await client.insert({}, kind="k")
    await client.close()
    await client.close()
    for call in (
        client.insert({}, kind="k"),
        client.enqueue_many_copy([{}], kind="k"),
        client.transaction(),
        client.get_job(1),
        client.list_jobs(),
        client.queue_stats(),
    ):
        with pytest.raises(awa.DatabaseError, match="closed pool"):
            await call
    assert not (await client.health_check()).postgres_connected


async def test_health_without_a_runtime_is_the_database_alone(client: awa.AsyncClient) -> None:
    assert await client.health_check() == awa.HealthCheck(
        healthy=False,
        postgres_connected=True,
        poll_loop_alive=False,
        heartbeat_alive=False,
        shutting_down=False,
        leader=False,
        queues={},
    )


async def test_health_of_a_worker_shows_its_slots_until_it_stops(client: awa.AsyncClient) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    @client.task(dict, kind="k", queue="q")
    async def work(job: awa.Job[Any]) -> None:
        begun.set()
        await go_on.wait()

    await client.start([("q", 1)])
    await client.enqueue_many_copy([{}] * 3, kind="k", queue="q")
    await begun.wait()
    health = await client.health_check()
    assert health.healthy and health.poll_loop_alive and health.heartbeat_alive
    assert health.queues == {"q": awa.QueueHealth(in_flight=1, available=2, max_workers=1)}
    go_on.set()
    await client.shutdown()
    await client.shutdown()
    health = await client.health_check()
    assert (health.healthy, health.postgres_connected, health.queues) == (False, True, {})
