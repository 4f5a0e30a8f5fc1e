"""What may not be stored is refused by the class that is documented, and nothing is written.

Owns: bad args, bad options, bad routes of a batch, and options of later versions, on all ways in.
Keeps: after a refusal every table and every sequence stands as it stood, so no number is lost.
Above: nobody. Below: tests.story.stage, tests.rig, awa.
"""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest

import awa
from awa.store.migrate import grant_roles
from tests.rig import Rig
from tests.story.stage import written

Refusal = tuple[Any, type[Exception], str]
WAYS = ("insert", "tx.insert", "tx.insert_many", "insert_many_copy", "enqueue_many_copy")
COPIES = WAYS[3:]


class Colour(Enum):
    RED = "red"


def nested(depth: int) -> dict[str, Any]:
    """Return args nested so many levels deep."""
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


def cyclic() -> dict[str, Any]:
    """Return args that contain themselves."""
    value: dict[str, Any] = {}
    value["a"] = [value]
    return value


SHAPE = "Job args must be a dataclass, pydantic BaseModel, or dict"
NUL = "NUL|Unicode escape|0x00"
ARGS: dict[str, Refusal] = {
    "a set": ({"a": {1}}, TypeError, "Cannot convert set to JSON"),
    "bytes": ({"a": b"x"}, TypeError, "Cannot convert bytes to JSON"),
    "a tuple": ({"a": (1,)}, TypeError, "Cannot convert tuple to JSON"),
    "a date": ({"a": date(2031, 1, 1)}, TypeError, "Cannot convert date to JSON"),
    "a UUID": ({"a": UUID(int=1)}, TypeError, "Cannot convert UUID to JSON"),
    "an Enum": ({"a": Colour.RED}, TypeError, "Cannot convert Colour to JSON"),
    "a key that is no str": ({1: 2}, TypeError, "keys must be str"),
    "a key that is None": ({"a": {None: 2}}, TypeError, "keys must be str"),
    "a cycle": (cyclic(), ValueError, r"JSON nesting too deep \(max 64 levels\)"),
    "65 levels": (nested(66), ValueError, r"JSON nesting too deep \(max 64 levels\)"),
    "an int past all floats": ({"a": 10**400}, OverflowError, "too large"),
    "half a surrogate pair": ({"a": "\ud800"}, awa.SerializationError, "surrogate"),
    "a list": ([1], awa.ValidationError, SHAPE),
    "a str": ("a", awa.ValidationError, SHAPE),
    "None": (None, awa.ValidationError, SHAPE),
    "a class": (Colour, awa.ValidationError, SHAPE),
}
OPTIONS: dict[str, Refusal] = {
    "priority 0": ({"priority": 0}, awa.DatabaseError, "between 1 and 4, got 0"),
    "priority 9": ({"priority": 9}, awa.DatabaseError, "between 1 and 4, got 9"),
    "priority False": ({"priority": False}, awa.DatabaseError, "between 1 and 4, got 0"),
    "priority past i16": ({"priority": 40_000}, OverflowError, "priority"),
    "priority 1.5": ({"priority": 1.5}, TypeError, "priority must be an int"),
    "priority None": ({"priority": None}, TypeError, "priority must be an int"),
    "no attempts": ({"max_attempts": 0}, awa.DatabaseError, "between 1 and 1000, got 0"),
    "1001 attempts": ({"max_attempts": 1001}, awa.DatabaseError, "between 1 and 1000, got 1001"),
    "attempts past i16": ({"max_attempts": 10**9}, OverflowError, "max_attempts"),
    "a queue of 201": ({"queue": "ü" * 201}, awa.DatabaseError, "at most 200 characters, got 201"),
    "a queue of 300": ({"queue": "q" * 300}, awa.DatabaseError, "at most 200 characters, got 300"),
    "a NUL in the queue": ({"queue": "a\0b"}, awa.DatabaseError, NUL),
    "a queue that is no str": ({"queue": 7}, TypeError, "queue must be a str"),
    "no queue": ({"queue": None}, TypeError, "queue must be a str"),
    "half a pair in the queue": ({"queue": "\ud800"}, awa.ValidationError, "surrogate"),
    "a kind that is no str": ({"kind": 7}, TypeError, "kind must be a str"),
    "a NUL in a tag": ({"tags": ["a", "b\0"]}, awa.DatabaseError, NUL),
    "21 tags": ({"tags": ["a"] * 21}, awa.DatabaseError, "at most 20 values, got 21"),
    "tags in one str": ({"tags": "abc"}, TypeError, "tags must be a list of str"),
    "a tag that is no str": ({"tags": [1]}, TypeError, "a tag must be a str"),
    "metadata in a list": ({"metadata": [1]}, TypeError, "metadata must be a dict"),
    "metadata of a set": ({"metadata": {"a": {1}}}, TypeError, "Cannot convert set to JSON"),
    "a date without a time": ({"run_at": "2031-01-01"}, awa.ValidationError, "RFC3339"),
    "run_at in seconds": ({"run_at": 1e9}, awa.ValidationError, "run_at must be a datetime"),
    "run_at for ever": ({"run_at": "infinity"}, awa.ValidationError, "RFC3339"),
    "an ordering key of None's kind": ({"ordering_key": 3}, awa.ValidationError, "ordering_key"),
    "an option of nobody's": ({"prority": 1}, TypeError, "unexpected keyword argument 'prority'"),
}


def ways(client: awa.AsyncClient) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return the ways in, each as a call that takes args and options."""

    async def in_transaction(args: Any, **options: Any) -> Any:
        async with await client.transaction() as tx:
            return await tx.insert(args, **options)

    async def many_in_transaction(args: Any, **options: Any) -> Any:
        async with await client.transaction() as tx:
            return await tx.insert_many([{}, args], **options)

    return {
        "insert": client.insert,
        "tx.insert": in_transaction,
        "tx.insert_many": many_in_transaction,
        "insert_many_copy": lambda args, **how: client.insert_many_copy([{}, args], **how),
        "enqueue_many_copy": lambda args, **how: client.enqueue_many_copy([{}, args], **how),
    }


async def refused(
    client: awa.AsyncClient, rig: Rig, way: str, args: Any, options: Any, refusal: Refusal
) -> None:
    """Check that a call is refused as it is to be, and that nothing is left of it."""
    before = await written(rig)
    _, error, text = refusal
    with pytest.raises(error, match=text) as caught:
        await ways(client)[way](args, **{"kind": "k", **options})
    assert type(caught.value) is error, "a subclass would be another promise"
    assert await written(rig) == before


@pytest.mark.parametrize("way", WAYS)
async def test_args_that_are_no_json_are_refused(
    client: awa.AsyncClient, rig: Rig, way: str
) -> None:
    for refusal in ARGS.values():
        await refused(client, rig, way, refusal[0], {}, refusal)


@pytest.mark.parametrize("way", WAYS)
async def test_an_option_out_of_its_bounds_is_refused(
    client: awa.AsyncClient, rig: Rig, way: str
) -> None:
    for refusal in OPTIONS.values():
        await refused(client, rig, way, {}, refusal[0], refusal)


@pytest.fixture(params=["owner", "producer"])
async def writer(url: str, request: pytest.FixtureRequest) -> AsyncIterator[awa.AsyncClient]:
    """A client that may copy into the log, and one that has the verbs alone."""
    await grant_roles(url)
    role = "?role=awa_producer" if request.param == "producer" else ""
    async with awa.AsyncClient(url + role) as made:
        yield made


async def test_a_nul_or_a_long_kind_is_refused_whoever_writes(
    writer: awa.AsyncClient, rig: Rig
) -> None:
    """A batch is checked by the library, for a COPY would store it; what is single, by the verb."""
    long, nul = {"kind": "k" * 201}, {"kind": "a\0"}
    in_batch, in_kind = awa.ValidationError, awa.DatabaseError
    for args, options, error, text in (
        ({"a": ["x", "y\0"]}, {}, in_batch, NUL),
        ({"\0": 1}, {}, in_batch, NUL),
        ({}, {"metadata": {"a": "\0"}}, in_batch, NUL),
        ({}, nul, in_kind, NUL),
        ({}, long, in_kind, "kind must be at most 200 characters, got 201"),
    ):
        for way in WAYS:
            wanted = error if way in COPIES else awa.DatabaseError
            # A queue of its own: not even its name is to be there after a refusal.
            given: dict[str, Any] = {**options, "queue": "unheard"}
            await refused(writer, rig, way, args, given, (None, wanted, text))


@pytest.mark.parametrize("way", COPIES)
async def test_one_queues_refused_jobs_leave_no_other_queue_behind(
    writer: awa.AsyncClient, rig: Rig, way: str
) -> None:
    before = await written(rig)
    with pytest.raises(awa.ValidationError):
        opts = [{"queue": "one"}, {"queue": "other"}]
        await getattr(writer, way)([{}, {"a": "\0"}], kind="k", opts=opts)
    assert await written(rig) == before


@pytest.mark.parametrize("way", COPIES)
async def test_one_bad_job_among_a_thousand_leaves_nothing(
    client: awa.AsyncClient, rig: Rig, way: str
) -> None:
    await client.insert({}, kind="k")
    await client.insert({}, kind="k", queue="other")
    before = await written(rig)
    bad: list[tuple[Any, type[Exception]]] = [
        ({"a": "\0"}, awa.ValidationError),
        ({"a": {1}}, TypeError),
        ([], awa.ValidationError),
    ]
    opts = [{"queue": "other"} if n % 2 else None for n in range(1000)]
    for args, error in bad:
        for place in (0, 499, 999):
            jobs: list[Any] = [{"n": n} for n in range(1000)]
            jobs[place] = args
            with pytest.raises(error):
                await getattr(client, way)(jobs, kind="k", opts=opts)
            assert await _without_queues(rig) == _without_numbers(before)
    assert len(await rig.states()) == 2


async def _without_queues(rig: Rig) -> dict[str, Any]:
    return _without_numbers(await written(rig))


def _without_numbers(seen: dict[str, Any]) -> dict[str, Any]:
    """Return what is written but for the numbers: a batch of two queues has drawn one's already."""
    places = ("entry", "deferred", "held", "ending", "claim", "part", "trace_event", "queue")
    return {place: seen[place] for place in places}


@pytest.mark.parametrize("way", COPIES)
async def test_routes_that_make_no_sense_are_refused(
    client: awa.AsyncClient, rig: Rig, way: str
) -> None:
    await client.insert({}, kind="k")
    before = await written(rig)
    for opts, text in (
        ([{}], r"opts length must match jobs length \(got 1, expected 2\)"),
        ([None, 7], "each opts entry must be a dict or None"),
        ([None, {"x": 1}], "unsupported opts key 'x'; expected 'queue' or 'ordering_key'"),
        ([None, {"queue": ""}], "opts queue must not be empty"),
        ([None, {"queue": 7}], "opts queue must be a string"),
        ([None, {"ordering_key": 7}], "ordering_key must be bytes-like or str"),
        ({"queue": "q"}, "opts must be a list"),
    ):
        with pytest.raises(awa.ValidationError, match=text):
            await getattr(client, way)([{}, {}], kind="k", opts=opts)
    assert await written(rig) == before


async def test_what_looks_wrong_and_is_allowed_is_stored(client: awa.AsyncClient) -> None:
    args = {"a": math.nan, "b": [math.inf], "c": 2**63, "d": Decimal("1.5"), "e": nested(60)}
    stored = (await client.get_job((await client.insert(args, kind="k")).id)).args
    assert float(stored.pop("c")) == 2.0**63
    assert stored == {"a": None, "b": [None], "d": 1.5, "e": nested(60)}
    allowed: list[dict[str, Any]] = [
        {"queue": ""},
        {"queue": "ü" * 200},
        {"kind": "k" * 200},
        {"max_attempts": 1000},
        {"tags": ["a"] * 20},
        {"priority": True},
    ]
    for options in allowed:
        job = await client.insert({}, **{"kind": "k", **options})
        assert await client.enqueue_many_copy([{}], **{"kind": "k", **options}) == 1
        again = await client.get_job(job.id)
        for name, value in options.items():
            assert getattr(again, name) == value


# --- What later versions will do ---------------------------------------------------------------


async def test_unique_jobs_are_refused_and_not_ignored(client: awa.AsyncClient, rig: Rig) -> None:
    refusal = (None, awa.AwaError, "unique_opts: unique jobs are not part of this version")
    for way in ("insert", "tx.insert", *COPIES):
        await refused(client, rig, way, {}, {"unique_opts": {"by_args": True}}, refusal)
    wrong = (None, TypeError, "unexpected keyword argument 'unique_opts'")
    await refused(client, rig, "tx.insert_many", {}, {"unique_opts": {}}, wrong)


@pytest.mark.parametrize(
    ("queues", "options", "named"),
    [
        ([{"name": "q", "min_workers": 1}], {"global_max_workers": 9}, "global_max_workers"),
        ([{"name": "q", "min_workers": 1}], {}, "min_workers"),
        ([{"name": "q", "max_workers": 1, "rate_limit": (1.0, 1)}], {}, "rate_limit"),
        ([{"name": "q", "max_workers": 1, "dlq_enabled": True}], {}, "dlq_enabled"),
        ([("q", 1)], {"dlq_enabled_by_default": True}, "dlq_enabled"),
        ([{"name": "q", "max_workers": 1, "retention": {"failed_hours": 1}}], {}, "retention"),
        ([{"name": "q", "max_workers": 1, "claimers": 2}], {}, "claimers"),
        ([("q", 1)], {"dlq_retention_days": 7}, "dlq_retention_days"),
        ([("q", 1)], {"descriptor_retention_days": 0}, "descriptor_retention_days"),
        ([("q", 1)], {"callback_rescue_interval_ms": 1000}, "callback_rescue_interval_ms"),
    ],
)
async def test_a_setting_of_a_later_version_is_refused_before_anything_starts(
    queues: Any, options: dict[str, Any], named: str
) -> None:
    async with awa.AsyncClient("postgres://127.0.0.1:1/nowhere") as client:
        client.task(dict, kind="k", queue="q")(lambda job: None)
        with pytest.raises(awa.AwaError, match=f"{named}: not part of this version") as caught:
            await client.start(queues, **options)
        assert type(caught.value) is awa.AwaError
