"""What a value of TLA+ is in Python, how it is written, and in which order values stand.

Owns: the forms of values: bool, int, str, frozenset, tuple and Function.
Keeps: one value has one form. A function over 1..n is the tuple of its values, as TLA+ has it; so
    a Function is never empty and never over 1..n. Values do not change and can be hashed.
Above: everything in awa.lab.tla. Below: the standard library only.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeAlias

__all__ = ["Function", "Value", "function", "ordered", "read", "render", "sort_of"]

Value: TypeAlias = "bool | int | str | frozenset[Any] | tuple[Any, ...] | Function"

_IDENTIFIER = re.compile(r"[A-Za-z]\w*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}

SORTS = {bool: "bool", int: "int", str: "str", frozenset: "set", tuple: "function"}
RANKS = ("bool", "int", "str", "set", "function")


class Function(dict[Any, Any]):
    """A function that is no sequence; one whose arguments are strings is a record as well."""

    __slots__ = ("_hash",)
    _hash: int

    def __hash__(self) -> int:  # type: ignore[override]
        try:
            return self._hash
        except AttributeError:
            self._hash = hash(frozenset(self.items()))
            return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        return Function, (dict(self),)

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError("a value does not change")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


def function(pairs: Mapping[Any, Any]) -> Value:
    """Return a function by its arguments and values, in the form that it must have."""
    count = len(pairs)
    if all(type(key) is int and 1 <= key <= count for key in pairs):
        return tuple(pairs[key] for key in range(1, count + 1))
    return Function(pairs)


def sort_of(value: Value) -> str:
    """Return which of the five sorts a value is of; only values of one sort can be compared."""
    if type(value) is Function:
        return "function"
    if type(value) not in SORTS:
        raise TypeError(f"{value!r} is a {type(value).__name__}, and no value of TLA+")
    return SORTS[type(value)]


def ordered(values: Iterable[Value]) -> list[Any]:
    """Return values in the one order that they have everywhere, whatever was hashed how."""
    return sorted(values, key=_order)


def _order(value: Value) -> tuple[Any, ...]:
    rank = RANKS.index(sort_of(value))
    if isinstance(value, frozenset):
        return rank, len(value), sorted(map(_order, value))
    if isinstance(value, tuple | Function):
        pairs = enumerate(value, 1) if isinstance(value, tuple) else value.items()
        return rank, len(value), sorted((_order(key), _order(item)) for key, item in pairs)
    return rank, value


def render(value: Value) -> str:
    """Return a value as TLA+ writes it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return '"' + "".join(_ESCAPES.get(letter, letter) for letter in value) + '"'
    if isinstance(value, frozenset):
        return "{" + ", ".join(map(render, ordered(value))) + "}"
    if isinstance(value, tuple):
        return "<<" + ", ".join(map(render, value)) + ">>"
    return _render_function(value) if isinstance(value, Function) else str(value)


def _render_function(value: Function) -> str:
    keys = ordered(value)
    if all(isinstance(key, str) and _IDENTIFIER.fullmatch(key) for key in keys):
        return "[" + ", ".join(f"{key} |-> {render(value[key])}" for key in keys) + "]"
    return "(" + " @@ ".join(f"{render(key)} :> {render(value[key])}" for key in keys) + ")"


_TOKEN = re.compile(r'\s*(<<|>>|:>|@@|\|->|"(?:[^"\\]|\\.)*"|-?\d+\.\.-?\d+|-?\d+|\w+|[{}\[\](),])')
_WORDS = {"TRUE": True, "FALSE": False}


def read(text: str) -> Any:
    """Return the value that TLA+, or TLC, writes so."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != "".join(_TOKEN.sub(r"\1", text).split()):
        raise ValueError("there is no value of this form")
    value, rest = _read(tokens)
    if rest:
        raise ValueError(f"{rest[0]} follows a value")
    return value


def _read(tokens: list[str]) -> tuple[Any, list[str]]:
    """Read one value from the front of what is left."""
    first, *rest = tokens or ["nothing"]
    if first == "{":
        items, rest = _read_items(rest, "}")
        return frozenset(items), rest
    if first == "<<":
        items, rest = _read_items(rest, ">>")
        return tuple(items), rest
    if first in ("[", "("):
        return _read_function(rest, *(("|->", ",", "]") if first == "[" else (":>", "@@", ")")))
    return _read_plain(first), rest


def _read_plain(word: str) -> Any:
    """Read what is one token: a boolean, a string, a number, or the numbers from one to another."""
    if word in _WORDS:
        return _WORDS[word]
    if word.startswith('"'):
        return json.loads(word)
    if word.lstrip("-").isdigit():
        return int(word)
    if ".." in word:
        least, most = map(int, word.split(".."))
        return frozenset(range(least, most + 1))
    raise ValueError(f"{word} is no value")


def _read_items(tokens: list[str], end: str) -> tuple[list[Any], list[str]]:
    items: list[Any] = []
    while tokens and tokens[0] != end:
        item, tokens = _read(tokens)
        items.append(item)
        if tokens[:1] == [","]:
            tokens = tokens[1:]
    if not tokens:
        raise ValueError(f"{end} is missing")
    return items, tokens[1:]


def _read_function(tokens: list[str], maps: str, comma: str, end: str) -> tuple[Value, list[str]]:
    pairs: dict[Any, Any] = {}
    while tokens and tokens[0] != end:
        key, tokens = (tokens[0], tokens[1:]) if maps == "|->" else _read(tokens)
        if tokens[:1] != [maps]:
            raise ValueError(f"{maps} is missing")
        pairs[key], tokens = _read(tokens[1:])
        if tokens[:1] == [comma]:
            tokens = tokens[1:]
    if not tokens:
        raise ValueError(f"{end} is missing")
    return function(pairs), tokens[1:]
