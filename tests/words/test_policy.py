"""The backoff curve, and that no exception whatever can spoil the text written about it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awa.policy import BACKOFF_S_MAX, ERROR_BYTES_MAX, backoff_duration, error_text, safe_text

few = settings(max_examples=20, deadline=None)
texts = st.text("ab\n\0\ud800\udfff\U0001f600é", max_size=20)


def raised(error: BaseException) -> BaseException:
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def assert_is_storable(text: str, bytes_max: int = ERROR_BYTES_MAX) -> None:
    assert len(text.encode()) <= bytes_max
    assert "\0" not in text


# --- Backoff -----------------------------------------------------------------------------------


def test_the_first_retry_waits_two_seconds_and_up_to_a_quarter_more() -> None:
    assert backoff_duration(1, 25, random_unit=0.0) == 2.0
    assert backoff_duration(1, 25, random_unit=0.5) == 2.25
    assert all(2.0 <= backoff_duration(1, 25) <= 2.5 for _ in range(100))
    assert len({backoff_duration(1, 25) for _ in range(100)}) > 1


def test_each_retry_waits_twice_as_long_until_a_day() -> None:
    waits = [backoff_duration(attempt, 25, random_unit=0.0) for attempt in range(1, 20)]
    assert waits == [*(2.0**n for n in range(1, 17)), BACKOFF_S_MAX, BACKOFF_S_MAX, BACKOFF_S_MAX]


@few
@given(st.integers(), st.integers(), st.floats(0, 1, exclude_max=True))
def test_a_backoff_is_always_within_its_bounds(attempt: int, limit: int, unit: float) -> None:
    assert 0.0 < backoff_duration(attempt, limit, random_unit=unit) <= BACKOFF_S_MAX


# --- Text for the database ---------------------------------------------------------------------


@few
@given(texts, st.integers(64, 200))
def test_a_safe_text_is_storable_and_bounded(text: str, bytes_max: int) -> None:
    assert_is_storable(safe_text(text * 20, bytes_max), bytes_max)


@few
@given(st.text("aé\n\U0001f600", max_size=40))
def test_a_safe_text_is_the_text_where_that_is_possible(text: str) -> None:
    assert safe_text(text, 200) == text


def test_a_safe_text_shows_what_cannot_be_stored() -> None:
    assert safe_text("a\0b\ud800c", 100) == r"a\x00b\ud800c"
    assert safe_text("x" * 200, 100).endswith("x... (200 characters in all)")
    assert safe_text("\0" * 90, 100).endswith("... (90 characters in all)")
    assert safe_text("é" * 50, 100) == "é" * 50


def test_a_safe_text_does_not_trust_a_subclass_of_str() -> None:
    class Sly(str):
        __slots__ = ()

        def __len__(self) -> int:
            raise RuntimeError

        def __getitem__(self, index: object) -> str:
            raise RuntimeError

    assert safe_text(Sly("plain"), 100) == "plain"


# --- Errors ------------------------------------------------------------------------------------


def test_an_error_starts_with_its_class_and_what_it_says() -> None:
    class Outer:
        class CardExpired(Exception):
            pass

    assert error_text(ValueError("bad value")) == "ValueError: bad value"
    name = "test_an_error_starts_with_its_class_and_what_it_says.<locals>.Outer.CardExpired"
    assert error_text(Outer.CardExpired("x")) == f"{name}: x"


def test_an_error_that_was_raised_ends_with_its_traceback() -> None:
    lines = error_text(raised(ValueError("bad value"))).splitlines()
    assert lines[:2] == ["ValueError: bad value", "Traceback (most recent call last):"]
    assert lines[-1] == "ValueError: bad value"
    assert any("raise error" in line for line in lines)


def test_a_long_traceback_keeps_its_last_ten_lines() -> None:
    def deep(n: int) -> None:
        if n:
            shallow(n)
        raise KeyError("deep")

    def shallow(n: int) -> None:
        deep(n - 1)

    with pytest.raises(KeyError) as caught:
        deep(10)
    lines = error_text(caught.value).splitlines()
    assert lines[0] == "KeyError: 'deep'"
    assert lines[1].startswith("... (")
    assert lines[1].endswith(" frames truncated, full trace in logs)")
    assert len(lines) == 12
    assert lines[-1] == "KeyError: 'deep'"


def test_a_huge_text_is_cut_but_says_how_long_it_was() -> None:
    text = error_text(raised(ValueError("x" * 10_000_000)))
    assert_is_storable(text)
    assert "... (10000000 characters in all)" in text
    assert "raise error" in text


def test_the_largest_error_is_within_the_bound() -> None:
    name = "N" * 10_000
    cls: Any = type(name, (Exception,), {"__qualname__": "Q" * 10_000})
    notes = raised(cls("x" * 8000))
    for _ in range(20):
        notes.add_note("\0" * 5_000)
    text = error_text(notes)
    assert_is_storable(text)
    assert len(text) > ERROR_BYTES_MAX * 0.8


def test_a_str_that_raises_does_not_prevent_the_text() -> None:
    class Rude(Exception):
        __qualname__ = "Rude"

        def __str__(self) -> str:
            raise SystemExit(3)

    assert error_text(Rude()) == "Rude: <exception str() failed>"
    assert_is_storable(error_text(raised(Rude())))


def test_a_str_that_returns_no_str_does_not_prevent_the_text() -> None:
    class Odd(Exception):
        __qualname__ = "Odd"

        def __str__(self) -> str:
            return 7  # type: ignore[return-value]

    assert error_text(Odd()) == "Odd: <exception str() failed>"
    assert error_text(ValueError(7, None)) == "ValueError: (7, None)"


def test_a_class_without_a_name_does_not_prevent_the_text() -> None:
    class Nameless(type):
        def __getattribute__(cls, name: str) -> Any:
            if name == "__qualname__":
                raise AttributeError
            return super().__getattribute__(name)

    class Odd(Exception, metaclass=Nameless):
        pass

    assert error_text(Odd("x")) == "<unnamed exception>: x"


def test_a_traceback_that_cannot_be_formatted_is_left_out() -> None:
    class Odd(Exception):
        __qualname__ = "Odd"

        @property
        def __traceback__(self) -> None:  # type: ignore[override]
            raise RuntimeError

    assert error_text(raised(Odd("x"))) == "Odd: x"


def test_a_circle_of_causes_ends() -> None:
    first, second = raised(ValueError("first")), raised(KeyError("second"))
    first.__cause__, second.__cause__ = second, first
    assert_is_storable(error_text(first))


def test_a_group_of_errors_is_bounded() -> None:
    inner = [raised(ValueError("\0\ud800" * 1000)) for _ in range(50)]
    text = error_text(raised(BaseExceptionGroup("many", inner)))
    assert text.startswith("ExceptionGroup: many (50 sub-exceptions)")
    assert_is_storable(text)


@few
@given(st.lists(texts, max_size=5))
def test_no_text_of_an_error_prevents_its_storing(said: list[str]) -> None:
    error = raised(ValueError(*(text * 500 for text in said)))
    for text in said:
        error.add_note(text)
    assert_is_storable(error_text(error))
