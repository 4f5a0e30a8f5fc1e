"""The options of an insert, and the bytes of a unique key."""

from dataclasses import FrozenInstanceError, dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from awa.errors import ValidationError
from awa.options import (
    InsertOptions,
    UniqueOptions,
    parse_copy_opts,
    parse_insert,
    parse_unique,
    unique_key,
)

few = settings(max_examples=20, deadline=None)


@dataclass
class Charge:
    b: int
    a: int


def parsed(**options: object) -> InsertOptions:
    return parse_insert(options)


# --- Inserts -----------------------------------------------------------------------------------


def test_the_defaults_are_those_of_the_reference() -> None:
    assert parsed() == InsertOptions(
        queue="default",
        priority=2,
        max_attempts=25,
        tags=(),
        metadata={},
        run_at=None,
        ordering_key=None,
        unique_opts=None,
    )
    names = ["tags", "metadata", "run_at", "ordering_key", "unique_opts"]
    assert parsed(**dict.fromkeys(names)) == parsed()


def test_every_option_is_read() -> None:
    options = parsed(
        queue="",
        priority=-9,
        max_attempts=9999,
        tags=["a", "a"],
        metadata={"x": 1},
        run_at="2031-05-06 12:00:00",
        ordering_key="k",
        unique_opts={"by_queue": True},
    )
    assert options == InsertOptions(
        queue="",
        priority=-9,
        max_attempts=9999,
        tags=("a", "a"),
        metadata={"x": 1},
        run_at=datetime(2031, 5, 6, 12, tzinfo=UTC),
        ordering_key=b"k",
        unique_opts=UniqueOptions(by_queue=True),
    )
    with pytest.raises(FrozenInstanceError):
        options.queue = "other"  # type: ignore[misc]


def test_what_the_caller_does_to_its_metadata_later_changes_nothing() -> None:
    metadata = {"x": 1}
    options = parsed(metadata=metadata)
    metadata["y"] = 2
    assert options.metadata == {"x": 1}


@pytest.mark.parametrize(
    ("option", "value", "cls"),
    [
        ("queue", None, TypeError),
        ("queue", b"q", TypeError),
        ("queue", "\ud800", ValidationError),
        ("priority", "2", TypeError),
        ("priority", None, TypeError),
        ("priority", 2.0, TypeError),
        ("priority", 2**15, OverflowError),
        ("priority", -(2**15) - 1, OverflowError),
        ("max_attempts", 2**15, OverflowError),
        ("tags", "tag", TypeError),
        ("tags", {"tag"}, TypeError),
        ("tags", [1], TypeError),
        ("tags", ["\ud800"], ValidationError),
        ("metadata", [], TypeError),
        ("metadata", "{}", TypeError),
        ("run_at", "2031-05-06", ValidationError),
        ("run_at", 5, ValidationError),
        ("ordering_key", 5, ValidationError),
        ("unique_opts", [], ValidationError),
        ("unique_opts", True, ValidationError),
        ("queu", "q", TypeError),
    ],
)
def test_a_wrong_option_is_refused_by_name(
    option: str, value: object, cls: type[Exception]
) -> None:
    with pytest.raises(cls, match=option.rstrip("s")) as caught:
        parsed(**{option: value})
    assert type(caught.value) is cls


# --- Batches -----------------------------------------------------------------------------------


def test_a_batch_without_opts_is_all_alike() -> None:
    assert parse_copy_opts(None, 2, parsed(queue="q")) == [("q", None), ("q", None)]
    assert parse_copy_opts([], 0, parsed()) == []


def test_each_job_of_a_batch_may_have_its_own_queue_and_key() -> None:
    opts = [None, {}, {"queue": "r"}, {"ordering_key": "x"}, {"ordering_key": None}]
    assert parse_copy_opts(opts, 5, parsed(queue="q", ordering_key="k")) == [
        ("q", b"k"),
        ("q", b"k"),
        ("r", b"k"),
        ("q", b"x"),
        ("q", None),
    ]


@pytest.mark.parametrize(
    ("opts", "text"),
    [
        ([{}, {}], "opts length must match jobs length (got 2, expected 1)"),
        ([], "opts length must match jobs length (got 0, expected 1)"),
        ({}, "opts must be a list, not dict"),
        ([{"prio": 1}], "unsupported opts key 'prio'; expected 'queue' or 'ordering_key'"),
        ([{"queue": ""}], "opts queue must not be empty"),
        ([{"queue": None}], "opts queue must be a string"),
        ([{"queue": 5}], "opts queue must be a string"),
        ([5], "each opts entry must be a dict or None"),
        ([[("queue", "q")]], "each opts entry must be a dict or None"),
        ([{"ordering_key": 5}], "ordering_key must be bytes-like or str"),
    ],
)
def test_wrong_opts_are_a_validation_error(opts: object, text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_copy_opts(opts, 1, parsed())
    assert str(caught.value) == text


# --- Uniqueness --------------------------------------------------------------------------------


def test_uniqueness_has_the_defaults_of_the_reference() -> None:
    assert parse_unique(None) is None
    assert parse_unique({}) == UniqueOptions(
        by_queue=False, by_args=True, by_period=None, states=0b0001_1111
    )
    assert parse_unique({"by_color": True}) == UniqueOptions()


@pytest.mark.parametrize(
    ("opts", "cls"),
    [
        ({"by_queue": None}, TypeError),
        ({"by_queue": 1}, TypeError),
        ({"by_args": "yes"}, TypeError),
        ({"by_period": None}, TypeError),
        ({"by_period": 1.5}, TypeError),
        ({"by_period": 2**63}, OverflowError),
        ({"states": -1}, OverflowError),
        ({"states": 256}, OverflowError),
        ({"states": "11111"}, TypeError),
    ],
)
def test_a_wrong_key_of_unique_opts_is_named(opts: dict[str, Any], cls: type[Exception]) -> None:
    with pytest.raises(cls, match=next(iter(opts))):
        parse_unique(opts)


def digest(data: bytes) -> bytes:
    return blake3(data).digest()[:16]


def test_a_unique_key_is_made_of_the_parts_that_are_given() -> None:
    args = {"b": 1, "a": {"d": "é", "c": None}}
    text = '{"a":{"c":null,"d":"é"},"b":1}'.encode()
    period = (480_000).to_bytes(8, "little")
    assert unique_key("k") == digest(b"k")
    assert unique_key("k", queue="q") == digest(b"k\0q")
    assert unique_key("k", queue="") == digest(b"k\0")
    assert unique_key("k", args=args) == digest(b"k\0" + text)
    assert unique_key("k", by_period=480_000) == digest(b"k\0" + period)
    assert unique_key("k", by_period=-1) == digest(b"k\0" + b"\xff" * 8)
    assert unique_key("k", queue="q", args=args, by_period=480_000) == digest(
        b"k\0q\0" + text + b"\0" + period
    )
    assert unique_key("k", args=Charge(b=1, a=2)) == unique_key("k", args={"a": 2, "b": 1})


@few
@given(st.dictionaries(st.text("abé", max_size=3), st.integers(-5, 5), max_size=5), st.randoms())
def test_a_unique_key_does_not_depend_on_the_order_of_the_args(
    args: dict[str, int], random: Any
) -> None:
    shuffled = list(args.items())
    random.shuffle(shuffled)
    assert unique_key("k", args=dict(shuffled)) == unique_key("k", args=args)
    assert len(unique_key("k", args=args)) == 16
