"""Single values: text and numbers, instants, ordering keys."""

from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum, StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awa.encode import (
    checked_integer,
    checked_text,
    ordering_hash,
    ordering_key_bytes,
    parse_run_at,
    timestamp_text,
)
from awa.errors import ValidationError

few = settings(max_examples=20, deadline=None)
NOON = datetime(2031, 5, 6, 12, tzinfo=UTC)


class Rank(IntEnum):
    HIGH = 3


class Mode(StrEnum):
    FAST = "fast"


# --- Text and numbers --------------------------------------------------------------------------


def test_a_checked_text_is_an_exact_str() -> None:
    checked = checked_text(Mode.FAST, "queue")
    assert (type(checked), checked) == (str, "fast")
    with pytest.raises(TypeError, match="queue must be a str, not NoneType"):
        checked_text(None, "queue")
    with pytest.raises(ValidationError, match="queue must be valid Unicode"):
        checked_text("a\ud800", "queue")


def test_a_checked_integer_is_an_exact_int_within_its_bounds() -> None:
    checked = checked_integer(True, "priority", -5, 5)
    assert (type(checked), checked) == (int, 1)
    assert checked_integer(Rank.HIGH, "priority", 0, 3) == 3
    for outside in (-6, 6, 10**5000):
        with pytest.raises(OverflowError, match="priority must be between -5 and 5"):
            checked_integer(outside, "priority", -5, 5)
    for other in ("1", 1.0, None):
        with pytest.raises(TypeError, match="priority must be an int, not"):
            checked_integer(other, "priority", -5, 5)


# --- Instants ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        NOON,
        NOON.replace(tzinfo=None),
        datetime(2031, 5, 6, 14, tzinfo=timezone(timedelta(hours=2))),
        "2031-05-06T12:00:00Z",
        "2031-05-06t12:00:00z",
        "2031-05-06T12:00:00",
        "2031-05-06 12:00:00",
        "2031-05-06 12:00:00.000000000",
        "2031-05-06 14:00:00+02",
        "2031-05-06 14:00:00+0200",
        "2031-05-06T14:00:00.0+02:00",
    ],
)
def test_run_at_is_a_datetime_or_rfc3339_and_utc_unless_it_says_otherwise(value: object) -> None:
    parsed = parse_run_at(value)
    assert parsed == NOON
    assert parsed is not None
    assert parsed.tzinfo is UTC


def test_run_at_may_be_absent_or_finer_than_a_microsecond() -> None:
    assert parse_run_at(None) is None
    assert parse_run_at("2031-05-06T12:00:00.123456789Z") == NOON.replace(microsecond=123456)


@pytest.mark.parametrize(
    "value",
    [
        "2031-05-06",
        "2031-05-06T12:00",
        "20310506T120000Z",
        "2031-13-06T12:00:00Z",
        "2031-05-06T12:00:00Zulu",
        "2031-05-06T12:00:00+25:00",
        " 2031-05-06T12:00:00Z",
        "٢٠٣١-05-06T12:00:00Z",
        "0001-01-01T00:00:00+10:00",
        "tomorrow",
        "",
        "x" * 1000,
        date(2031, 5, 6),
        1_936_000_000,
        b"2031-05-06T12:00:00Z",
        timedelta(1),
    ],
)
def test_run_at_of_another_form_is_refused_in_a_short_text(value: object) -> None:
    with pytest.raises(ValidationError, match="run_at") as caught:
        parse_run_at(value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("microsecond", "text"),
    [
        (0, "2031-05-06T12:00:00+00:00"),
        (120_000, "2031-05-06T12:00:00.120+00:00"),
        (123_456, "2031-05-06T12:00:00.123456+00:00"),
        (1, "2031-05-06T12:00:00.000001+00:00"),
    ],
)
def test_a_timestamp_has_as_many_digits_as_it_needs(microsecond: int, text: str) -> None:
    instant = NOON.replace(microsecond=microsecond)
    assert timestamp_text(instant) == text
    assert timestamp_text(instant.replace(tzinfo=None)) == text
    assert timestamp_text(instant.astimezone(timezone(timedelta(hours=-7)))) == text


@few
@given(st.datetimes(timezones=st.just(UTC)))
def test_a_timestamp_is_read_back_as_it_was(instant: datetime) -> None:
    assert parse_run_at(timestamp_text(instant)) == instant


# --- Ordering keys -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["aé", "aé".encode(), bytearray("aé".encode()), memoryview("aé".encode()), [97, 195, 169]],
)
def test_an_ordering_key_is_bytes_like_or_text(value: object) -> None:
    assert ordering_key_bytes(value) == b"a\xc3\xa9"


@pytest.mark.parametrize("value", [5, None, object(), 1.5, {1: 2}, [256], [-1], ["a"], "\ud800"])
def test_an_ordering_key_of_another_kind_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="ordering_key must be bytes-like or str"):
        ordering_key_bytes(value)


@pytest.mark.parametrize(
    ("key", "number"),
    [
        (b"", 14695981039346656037),
        (b"\0", 12638153115695167455),
        (b"a", 12638153115695167552),
        (b"ab", 590790720448369954),
    ],
)
def test_the_ordering_hash_multiplies_and_then_adds(key: bytes, number: int) -> None:
    assert ordering_hash(key) == number


@few
@given(st.binary(max_size=40))
def test_the_ordering_hash_stays_within_64_bits(key: bytes) -> None:
    by_hand = 14695981039346656037
    for byte in key:
        by_hand = (by_hand * 1099511628211 + byte) % 2**64
    assert ordering_hash(key) == by_hand
