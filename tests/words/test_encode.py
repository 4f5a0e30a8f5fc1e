"""Kinds, args and JSON: the golden cases of the contract, and round trips."""

import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic import ValidationError as ModelError

from awa.encode import (
    args_text,
    build_args,
    derive_kind,
    has_nul,
    json_text,
    kind_of,
)
from awa.errors import SerializationError, ValidationError

few = settings(max_examples=20, deadline=None)
# A small alphabet of every sort of letter: to draw from all of Unicode takes seconds to set up.
words = st.text('abAB1_ \n\\"éÉßİ\U0001f600', max_size=8)


NOON = datetime(2031, 5, 6, 12, tzinfo=UTC)


@dataclass
class SendEmail:
    to: str
    copies: int = 1


@dataclass(slots=True)
class Slim:
    x: int


class Model(BaseModel):
    at: datetime
    name: str = "x"


class Color(Enum):
    RED = 1


class Rank(IntEnum):
    HIGH = 3


class Mode(StrEnum):
    FAST = "fast"


def nested(depth: int, leaf: object) -> Any:
    for _ in range(depth):
        leaf = {"a": leaf}
    return leaf


def read(args: object) -> Any:
    return orjson.loads(args_text(args))


# --- Kinds -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SendEmail", "send_email"),
        ("SendConfirmationEmail", "send_confirmation_email"),
        ("SMTPEmail", "smtp_email"),
        ("OAuthRefresh", "o_auth_refresh"),
        ("PDFRenderJob", "pdf_render_job"),
        ("ProcessV2Import", "process_v2_import"),
        ("ReconcileQ3Revenue", "reconcile_q3_revenue"),
        ("HTMLToPDF", "html_to_pdf"),
        ("IOError", "io_error"),
        ("Send_Email", "send_email"),
        ("HTTP2Server", "http2_server"),
        ("JobV2A", "job_v2_a"),
        ("a1b2C3D", "a1b2_c3_d"),
        ("ABCD", "abcd"),
        ("", ""),
        ("x", "x"),
        ("_Private", "_private"),
        ("ÄrgerÖl", "ärger_öl"),
        ("İstanbul", "istanbul"),
        ("A٣B", "a٣b"),
    ],
)
def test_a_kind_is_the_class_name_in_snake_case(name: str, kind: str) -> None:
    assert derive_kind(name) == kind


@few
@given(words)
def test_a_derived_kind_holds_the_letters_of_its_name(name: str) -> None:
    letters = [c.lower()[0] if c.isupper() else c for c in name]
    assert derive_kind(name).replace("_", "") == "".join(letters).replace("_", "")


def test_a_kind_is_derived_from_a_str_only() -> None:
    bad: Any = b"SendEmail"
    with pytest.raises(TypeError, match="not from bytes"):
        derive_kind(bad)


def test_an_explicit_kind_wins_and_a_dict_is_a_dict() -> None:
    assert kind_of(SendEmail("a")) == "send_email"
    assert kind_of(SendEmail("a"), "mail") == "mail"
    assert kind_of({"kind": "mail"}) == "dict"
    bad: Any = 5
    with pytest.raises(TypeError, match="kind must be a str, not int"):
        kind_of({}, bad)


# --- Args --------------------------------------------------------------------------------------


def test_args_are_a_model_a_dataclass_or_a_dict() -> None:
    at = datetime(2031, 5, 6, tzinfo=UTC)
    assert args_text(SendEmail("a@b.c")) == '{"to":"a@b.c","copies":1}'
    assert args_text(Slim(1)) == '{"x":1}'
    assert args_text(Model(at=at)) == '{"at":"2031-05-06T00:00:00Z","name":"x"}'
    assert args_text({"ä": [None, True, 1.5]}) == '{"ä":[null,true,1.5]}'
    assert args_text(OrderedDict(b=1, a=2)) == '{"b":1,"a":2}'


def test_the_keys_are_sorted_at_every_depth_when_asked() -> None:
    assert args_text({"b": {"d": 1, "c": 2}, "a": 3}, sort_keys=True) == '{"a":3,"b":{"c":2,"d":1}}'
    assert args_text({"b": 1, "a": 3}, sort_keys=True) == '{"a":3,"b":1}'


@pytest.mark.parametrize(
    "args", [None, 5, "text", [1], (1,), SimpleNamespace(a=1), SendEmail, dict]
)
def test_args_of_another_kind_are_refused(args: object) -> None:
    with pytest.raises(ValidationError, match="Job args must be a dataclass, pydantic BaseModel"):
        args_text(args)


def test_only_the_fields_of_a_dataclass_are_written() -> None:
    @dataclass
    class Order:
        lines: list[SendEmail]
        by_name: dict[str, SendEmail]

        @cached_property
        def total(self) -> int:
            return 7

    inner = SendEmail("a")
    inner.extra = 1  # type: ignore[attr-defined]
    order = Order([inner], {"b": inner})
    assert order.total == 7
    assert read(order) == asdict(order)


def test_a_field_that_holds_an_object_is_written_by_its_attributes() -> None:
    @dataclass
    class Order:
        where: object

    inner = SendEmail("a")
    inner.extra = 1  # type: ignore[attr-defined]
    where = SimpleNamespace(street="x", inner=inner)
    assert read(Order(where)) == {
        "where": {"street": "x", "inner": {"to": "a", "copies": 1, "extra": 1}}
    }


def test_an_object_in_a_dict_is_written_by_its_attributes() -> None:
    assert read({"a": SimpleNamespace(b=[SimpleNamespace(c=1)])}) == {"a": {"b": [{"c": 1}]}}
    assert read({"a": SendEmail("x")}) == {"a": {"to": "x", "copies": 1}}
    assert read({"a": Slim(2)}) == {"a": {"x": 2}}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2**63 - 1, "9223372036854775807"),
        (-(2**63), "-9223372036854775808"),
        (2**63, "9.223372036854775808e18"),
        (-(2**63) - 1, "-9.223372036854775808e18"),
        (2**64 - 1, "1.8446744073709552e19"),
        (10**30, "1e30"),
        (float("nan"), "null"),
        (float("inf"), "null"),
        (Decimal("1.5"), "1.5"),
        (Decimal("NaN"), "null"),
        (Decimal("sNaN"), "null"),
        (Decimal("1e999"), "null"),
        (Rank.HIGH, "3"),
        (Mode.FAST, '"fast"'),
        (True, "true"),
        (type("Text", (str,), {})("x"), '"x"'),
        (type("Real", (float,), {})(0.5), "0.5"),
        (type("List", (list,), {})([1]), "[1]"),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_a_value_is_written_as_the_contract_says(value: object, written: str) -> None:
    number = orjson.loads(written)
    for text in (args_text({"a": value}), args_text({"a": value, "b": [value]})):
        stored = orjson.loads(text)["a"]
        assert (type(stored), stored) == (type(number), number)
    assert json_text([value]) == f"[{orjson.dumps(number).decode()}]"


@pytest.mark.parametrize(
    "value",
    [
        (1,),
        {1},
        frozenset(),
        NOON,
        date(2031, 5, 6),
        time(1),
        timedelta(1),
        uuid.UUID(int=1),
        b"x",
        bytearray(b"x"),
        memoryview(b"x"),
        Color.RED,
        Color,
        len,
        asdict,
        SendEmail("a").__init__,  # type: ignore[misc]
        pytest,
        object(),
        1j,
        type("Pair", (tuple,), {})((1, 2)),
        orjson.Fragment(b"1"),
        type("Sly", (), {"__slots__": (), "__dict__": 5})(),
    ],
)
def test_a_value_that_json_has_no_word_for_is_refused(value: object) -> None:
    for args in ({"a": value}, {"a": [value]}, SendEmail(value)):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=f"Cannot convert {type(value).__name__} to JSON"):
            args_text(args)


@pytest.mark.parametrize("key", [1, None, True, (1, 2), b"x"])
def test_a_key_that_is_no_str_is_refused(key: object) -> None:
    with pytest.raises(TypeError, match="keys must be str"):
        args_text({key: 1})


def test_a_key_may_be_a_member_of_a_str_enum() -> None:
    assert args_text({Mode.FAST: 1}) == '{"fast":1}'


def test_values_may_lie_64_levels_deep_and_no_deeper() -> None:
    assert read(nested(64, 1)) == nested(64, 1)
    assert read(nested(64, {})) == nested(64, {})
    for args in (nested(65, 1), nested(64, {"a": 1}), nested(64, [1])):
        with pytest.raises(ValueError, match=r"JSON nesting too deep \(max 64 levels\)"):
            args_text(args)


@pytest.mark.parametrize("wrap", [lambda x: {"a": x}, lambda x: SendEmail(x)])
def test_a_list_that_contains_itself_is_refused(wrap: Callable[[Any], object]) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="too deep"):
        args_text(wrap(endless))


def test_an_int_that_no_float_can_hold_is_refused() -> None:
    with pytest.raises(OverflowError):
        args_text({"a": 10**400})


@pytest.mark.parametrize("args", [{"a": "\ud800"}, {"\udfff": 1}, {"a": [{"b": "x\ud800y"}]}])
def test_a_lone_surrogate_is_refused(args: object) -> None:
    with pytest.raises(SerializationError, match="lone surrogate"):
        args_text(args)


def test_five_megabytes_are_no_too_many() -> None:
    assert len(args_text({"a": "x" * 5_000_000})) > 5_000_000


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@few
@given(st.dictionaries(words, json_values, max_size=4))
def test_what_json_can_say_is_read_back_as_it_was(args: dict[str, Any]) -> None:
    assert read(args) == args
    assert json_text(args) == args_text(args)


@few
@given(st.text("\\u0\0a", max_size=12))
def test_a_nul_is_found_exactly_where_there_is_one(said: str) -> None:
    assert has_nul(args_text({"a": said})) == ("\0" in said)
    assert has_nul(args_text({said: 1})) == ("\0" in said)


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert not has_nul(r'{"a":"\\u0000"}')
    assert has_nul(r'{"a":"\\\u0000"}')
    assert not has_nul("{}")


# --- Delivery ----------------------------------------------------------------------------------


def test_args_are_built_as_the_handler_registered_them() -> None:
    assert build_args(SendEmail, {"to": "a"}) == SendEmail("a")
    assert build_args(Model, {"at": "2031-05-06T00:00:00Z"}).at.year == 2031
    assert build_args(dict, {"to": "a"}) == {"to": "a"}
    assert build_args("not a class", {"to": "a"}) == {"to": "a"}


def test_args_that_do_not_fit_raise_what_the_class_raises() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'cc'"):
        build_args(SendEmail, {"to": "a", "cc": "b"})
    with pytest.raises(TypeError):
        build_args(SendEmail, [1])
    with pytest.raises(ModelError):
        build_args(Model, {})


@few
@given(words, st.integers(-(2**63), 2**63 - 1))
def test_a_dataclass_survives_the_journey(to: str, copies: int) -> None:
    assert build_args(SendEmail, read(SendEmail(to, copies))) == SendEmail(to, copies)


def test_a_field_that_the_class_computes_is_left_to_it() -> None:
    @dataclass
    class Area:
        side: int
        area: int = field(init=False)

        def __post_init__(self) -> None:
            self.area = self.side**2

    assert read(Area(3)) == {"side": 3, "area": 9}
    assert build_args(Area, {"side": 3, "area": 10}) == Area(3)
    with pytest.raises(TypeError):
        build_args(Area, [1])
