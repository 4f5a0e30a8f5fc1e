"""What a Python value becomes before it travels. Pure: no clock, no dice, no database.

Owns: the name of a kind, the JSON text of args, instants, ordering keys, integers that fit.
Keeps: a value is either written so that reading it back gives what the contract says, or refused
    with a clear exception; nothing is dropped in silence. No JSON lies deeper than JSON_DEPTH_MAX.
Above: job, config, options and whatever sends a value to Postgres. Below: errors.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from types import FunctionType, MethodType, ModuleType
from typing import Any
from uuid import UUID

import orjson

from awa.errors import SerializationError, ValidationError

__all__ = [
    "FOREVER_S",
    "JSON_DEPTH_MAX",
    "args_text",
    "build_args",
    "checked_bool",
    "checked_integer",
    "checked_text",
    "derive_kind",
    "has_nul",
    "json_text",
    "kind_of",
    "ordering_hash",
    "ordering_key_bytes",
    "parse_run_at",
    "timestamp_text",
]

JSON_DEPTH_MAX = 64
"""How deep a value may lie below the args object. It stops a list that contains itself."""

FOREVER_S = 3_155_760_000.0
"""100 years, in seconds. A longer wait means the same, and would leave the years that both a
timestamptz and a Python datetime can hold, so that the job could be stored but not read back."""

I64_MIN, I64_MAX = -(2**63), 2**63 - 1

# A program has as many args classes as it has kinds; a bound, should it make classes in a loop.
_CLASSES_MAX = 1024


# --- Kinds -------------------------------------------------------------------------------------


def derive_kind(name: str) -> str:
    """Return the kind of a class name, in snake_case; TypeError when it is not a str.

    Example: `derive_kind("SendConfirmationEmail") == "send_confirmation_email"`
    """
    if not isinstance(name, str):
        raise TypeError(f"a kind is derived from a str, not from {type(name).__name__}")
    # Blanks stand for "no neighbour": a blank is neither upper-case, lower-case nor a digit.
    padded = f" {name} "
    out = []
    for before, char, after in zip(padded, name, padded[2:], strict=False):
        if char.isupper():
            # Some upper-case letters lower to two characters; the first is the letter itself.
            out.append(f"_{char.lower()[0]}" if _starts_word(before, after) else char.lower()[0])
        else:
            out.append(char)
    return "".join(out)


def _starts_word(before: str, after: str) -> bool:
    """Return whether an upper-case letter between these two begins a word."""
    if before.isupper():
        return after.islower()
    return before.islower() or (before.isascii() and before.isdigit())


_derived = lru_cache(_CLASSES_MAX)(derive_kind)


def kind_of(args: object, kind: str | None = None) -> str:
    """Return the given kind, or the one derived from the class of the args.

    Raises TypeError when the kind is not a str, ValidationError when it is not valid Unicode.
    """
    return _derived(type(args).__name__) if kind is None else checked_text(kind, "kind")


# --- JSON --------------------------------------------------------------------------------------

# What JSON has a word for. orjson writes NaN and the infinities as null.
_SCALARS = frozenset({str, bool, float, type(None)})


def args_text(args: object, *, sort_keys: bool = False) -> str:
    """Return a job's args, a dataclass, pydantic model or dict, as compact JSON text.

    Raises ValidationError for another object, TypeError for a value in it that JSON has no word
    for, ValueError for one nested deeper than 64, OverflowError for an int that no float can hold,
    SerializationError for text that is not valid Unicode.
    """
    option = orjson.OPT_SORT_KEYS if sort_keys else 0
    cls: Any = type(args)
    by_fields = False
    if cls is dict:
        value: Any = args
    elif isinstance(args, type):
        raise ValidationError(_ARGS_SHAPE)
    elif hasattr(args, "model_dump"):
        value = args.model_dump(mode="json")
    elif hasattr(cls, "__dataclass_fields__"):
        value = {name: getattr(args, name) for name in _field_names(cls)}
        by_fields = True
    elif isinstance(args, dict):
        value = args
    else:
        raise ValidationError(_ARGS_SHAPE)
    return _dumps(value if _is_flat(value) else _plain(value, 0, by_fields), option)


_ARGS_SHAPE = "Job args must be a dataclass, pydantic BaseModel, or dict"


def json_text(value: object) -> str:
    """Return metadata, a payload or any other JSON value as compact text; raises as args_text."""
    return _dumps(value if _is_flat(value) else _plain(value, 0, False), 0)


def has_nul(json: str) -> bool:
    r"""Return whether a JSON text holds a NUL character, which jsonb cannot store.

    Without its escaped backslashes (`\\`), a text holds `\u0000` only where that is an escape.
    """
    return "\\u0000" in json and "\\u0000" in json.replace("\\\\", "")


def build_args(args_type: Any, value: Any) -> Any:
    """Return the stored args as what the handler registered: a model, a dataclass, or as they are.

    Whatever the model's or the dataclass's own checks raise goes through.
    """
    if hasattr(args_type, "model_validate"):
        return args_type.model_validate(value)
    if not hasattr(args_type, "__dataclass_fields__"):
        return value
    computed = _computed_names(args_type)
    if computed and isinstance(value, Mapping):
        # `args_text` writes every field; those with init=False are the class's own to fill.
        value = {name: item for name, item in value.items() if name not in computed}
    return args_type(**value)


@lru_cache(_CLASSES_MAX)
def _field_names(cls: Any) -> tuple[str, ...]:
    """Return a dataclass's field names; asking `dataclasses` each time would double the cost."""
    return tuple(field.name for field in fields(cls))


@lru_cache(_CLASSES_MAX)
def _computed_names(cls: Any) -> frozenset[str]:
    """Return the fields that a dataclass's constructor does not take."""
    return frozenset(field.name for field in fields(cls) if not field.init)


def _dumps(value: object, option: int) -> str:
    """Return plain JSON values as text; SerializationError when a str is not valid Unicode."""
    try:
        return orjson.dumps(value, option=option).decode()
    except orjson.JSONEncodeError as error:
        # Everything else that orjson would refuse is gone by now.
        raise SerializationError("cannot write a lone surrogate as UTF-8 JSON") from error


def _is_flat(value: object) -> bool:
    """Return whether a value is a dict of nothing but JSON scalars, so that it can go as it is.

    Nearly all args are. orjson must not see anything else: it would write a tuple, a UUID or a
    plain Enum, and an int between 2**63 and 2**64 that jsonb gives back and a bigint cannot hold.
    """
    if type(value) is not dict:
        return False
    for key, item in value.items():
        cls = type(item)
        if type(key) is not str or not (
            cls in _SCALARS or (cls is int and I64_MIN <= item <= I64_MAX)
        ):
            return False
    return True


def _plain(value: Any, depth: int, by_fields: bool) -> object:
    """Return the value made of JSON's own kinds only; `by_fields` reads dataclasses as asdict does.

    Unlike `dataclasses.asdict` it copies no leaf, and ends at a list that contains itself.
    """
    if depth > JSON_DEPTH_MAX:
        raise ValueError(f"JSON nesting too deep (max {JSON_DEPTH_MAX} levels)")
    if type(value) in _SCALARS or (depth < JSON_DEPTH_MAX and _is_flat(value)):
        return value
    for bases, convert in _CONVERTERS:
        if isinstance(value, bases):
            return convert(value)
    if isinstance(value, list):
        return [_plain(item, depth + 1, by_fields) for item in value]
    if isinstance(value, dict):
        return {_plain_key(key): _plain(item, depth + 1, by_fields) for key, item in value.items()}
    return _plain_object(value, depth, by_fields)


def _plain_object(value: Any, depth: int, by_fields: bool) -> object:
    """Return an object's attributes as JSON: its fields inside a dataclass, else its `__dict__`."""
    cls: Any = type(value)
    attributes = getattr(value, "__dict__", None)
    if hasattr(cls, "__dataclass_fields__") and (by_fields or attributes is None):
        inner = {name: getattr(value, name) for name in _field_names(cls)}
        return _plain(inner, depth, by_fields)
    if not isinstance(attributes, dict):
        _refuse(value)
    return _plain(attributes, depth, False)


def _plain_key(key: object) -> str:
    """Return a dict's key as an exact str; TypeError for any other type."""
    if not isinstance(key, str):
        raise TypeError(f"JSON object keys must be str, not {type(key).__name__}")
    return str.__str__(key)


def _plain_int(value: int) -> int | float:
    """Return an int that a bigint can hold, else the nearest float; OverflowError past those."""
    number = int.__int__(value)
    return number if I64_MIN <= number <= I64_MAX else float(number)


def _plain_decimal(value: Decimal) -> float | None:
    """Return the nearest float; a NaN of either sort is null, as it is for a float."""
    return None if value.is_nan() else float(value)


def _refuse(value: object) -> Any:
    """Raise the TypeError for what JSON has no word for."""
    raise TypeError(f"Cannot convert {type(value).__name__} to JSON")


# In this order: an IntEnum is an int and a StrEnum a str before either is an Enum. The refused
# ones stand here because their subclasses have a `__dict__`, which would be written in their place.
_CONVERTERS: tuple[tuple[type | tuple[type, ...], Callable[[Any], object]], ...] = (
    (int, _plain_int),
    (str, str.__str__),
    (float, float.__float__),
    (Decimal, _plain_decimal),
    ((tuple, set, frozenset, bytes, bytearray, date, time, timedelta, UUID, Enum), _refuse),
    ((type, FunctionType, MethodType, ModuleType), _refuse),
)


# --- Text and numbers --------------------------------------------------------------------------


def checked_text(value: object, name: str) -> str:
    """Return a str argument; TypeError for another type, ValidationError for a lone surrogate."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValidationError(f"{name} must be valid Unicode: it holds a lone surrogate") from None
    return str.__str__(value)


def checked_integer(value: object, name: str, low: int, high: int) -> int:
    """Return an integer argument; TypeError for another type, OverflowError outside low..high."""
    try:
        number = int(operator.index(value))  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an int, not {type(value).__name__}") from None
    if not low <= number <= high:
        # The number itself is left out: it may have more digits than Python agrees to print.
        raise OverflowError(f"{name} must be between {low} and {high}")
    return number


def checked_bool(value: object, name: str) -> bool:
    """Return a bool argument; TypeError for anything that merely looks true or false."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool, not {type(value).__name__}")
    return value


# --- Instants ----------------------------------------------------------------------------------

# RFC 3339, and what Postgres prints: a blank for the T, an offset of hours only, or none (UTC).
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)


def parse_run_at(value: object) -> datetime | None:
    """Return a datetime or an RFC 3339 string as an instant in UTC, and None as None.

    Without an offset it means UTC. Whatever else, a date without a time too, is a ValidationError.
    """
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return _utc(_read_instant(value))
        if isinstance(value, datetime):
            return _utc(value)
    except (ValueError, OverflowError) as error:
        raise ValidationError(f"run_at is not an instant: {error}") from None
    name = type(value).__name__
    raise ValidationError(f"run_at must be a datetime or an RFC3339 string, not {name}")


def _read_instant(value: str) -> datetime:
    """Return the datetime a string writes out; ValueError when it is not RFC 3339."""
    if not _INSTANT.fullmatch(value):
        raise ValueError(f"expected RFC3339 such as 2031-05-06T07:08:09Z, got {value[:80]!r}")
    return datetime.fromisoformat(value.upper())


def _utc(value: datetime) -> datetime:
    """Return the instant in UTC; one without an offset is in UTC already."""
    return value.replace(tzinfo=UTC) if value.utcoffset() is None else value.astimezone(UTC)


def timestamp_text(value: datetime) -> str:
    """Return an instant as RFC 3339 with `+00:00` and 0, 3 or 6 digits of a second, as needed."""
    instant = value if value.tzinfo is UTC else _utc(value)
    if instant.microsecond % 1000:
        return instant.isoformat()
    return instant.isoformat(timespec="milliseconds" if instant.microsecond else "seconds")


# --- Ordering keys -----------------------------------------------------------------------------

_HASH_START = 14695981039346656037
_HASH_PRIME = 1099511628211
_U64 = 2**64 - 1


def ordering_key_bytes(value: object) -> bytes:
    """Return an ordering key as bytes: a str as UTF-8, bytes-like as is, a list of ints 0..255.

    Raises ValidationError for anything else.
    """
    try:
        if isinstance(value, str):
            return value.encode()
        if isinstance(value, list | tuple):
            return bytes(value)
        return memoryview(value).tobytes()  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValidationError("ordering_key must be bytes-like or str") from None


def ordering_hash(key: bytes) -> int:
    """Return the 64-bit hash of an ordering key (FNV's constants, but added and not xored)."""
    value = _HASH_START
    for byte in key:
        value = (value * _HASH_PRIME + byte) & _U64
    return value
