"""What is known of an expression's value before it is computed.

Owns: kinds, how they are joined, and which of them Python's own `==` compares rightly.
Keeps: a kind is never too narrow. ANY is always right, and makes the check happen at run time.
Above: the compiler. Below: errors, values.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from awa.errors import AwaError
from awa.lab.tla.values import Function, Value, sort_of

__all__ = [
    "ANY",
    "BOOL",
    "INT",
    "NEVER",
    "POSITIVE",
    "STR",
    "EvaluationError",
    "Kind",
    "exact",
    "join",
    "join_all",
    "kind_of",
    "record_of",
    "seq_of",
    "set_of",
    "tuple_of",
]


class EvaluationError(AwaError):
    """An expression has no value: TLC would stop here as well."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of values, what they are made of, and the names of a record's parts."""

    name: str
    parts: tuple["Kind", ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def sort(self) -> str:
        """The sort that values.sort_of gives to all values of this kind."""
        return {"positive": "int", "seq": "function", "tuple": "function"}.get(
            self.name, "function" if self.name in ("fun", "record") else self.name
        )

    @property
    def item(self) -> "Kind":
        """What every element of a set, or value of a function, is of."""
        return self.parts[1] if self.name == "fun" else join_all(self.parts)

    @property
    def value(self) -> "Kind":
        """What the values of a function are of, if it is one; nothing is known of another."""
        return self.item if self.sort in ("function", "never") else ANY

    @property
    def indexed(self) -> bool:
        """Tell if the values are Python tuples."""
        return self.name in ("seq", "tuple")

    @property
    def mapped(self) -> bool:
        """Tell if the values are Functions."""
        return self.name in ("fun", "record")

    @property
    def key(self) -> "Kind":
        """What every argument of a function is of."""
        if self.mapped:
            return STR if self.name == "record" else self.parts[0]
        return POSITIVE if self.indexed else ANY


ANY = Kind("any")
NEVER = Kind("never")
BOOL = Kind("bool")
INT = Kind("int")
POSITIVE = Kind("positive")
STR = Kind("str")


def set_of(item: Kind) -> Kind:
    """Return the kind of finite sets of these."""
    return Kind("set", (item,))


def seq_of(item: Kind) -> Kind:
    """Return the kind of sequences of these."""
    return Kind("seq", (item,))


def tuple_of(parts: Iterable[Kind]) -> Kind:
    """Return the kind of tuples with just these parts."""
    return Kind("tuple", tuple(parts))


def record_of(fields: dict[str, Kind]) -> Kind:
    """Return the kind of records with just these fields."""
    labels = tuple(sorted(fields))
    return Kind("record", tuple(fields[label] for label in labels), labels)


def join(one: Kind, other: Kind) -> Kind:
    """Return the narrowest kind that both are of."""
    if one == other or other is NEVER:
        return one
    if one is NEVER:
        return other
    if one.sort != other.sort:
        return ANY
    if one.sort == "int":
        return INT
    return (
        _join_functions(one, other)
        if one.sort == "function"
        else set_of(join(one.item, other.item))
    )


def _join_functions(one: Kind, other: Kind) -> Kind:
    if (one.name, one.labels, len(one.parts)) == (other.name, other.labels, len(other.parts)):
        return Kind(one.name, tuple(map(join, one.parts, other.parts)), one.labels)
    if one.indexed and other.indexed:
        return seq_of(join(one.item, other.item))
    if one.mapped and other.mapped:
        return Kind("fun", (join(one.key, other.key), join(one.item, other.item)))
    return ANY


def join_all(kinds: Iterable[Kind]) -> Kind:
    """Return the narrowest kind that all are of."""
    return reduce(join, kinds, NEVER)


def exact(one: Kind, other: Kind) -> bool:
    """Tell if Python's `==` between values of these kinds says what TLA+ says."""
    if NEVER in (one, other):
        return True
    if one.sort != other.sort or one is ANY:
        return False
    if (one.name, one.labels, len(one.parts)) == (other.name, other.labels, len(other.parts)):
        return all(map(exact, one.parts, other.parts))
    return one.sort == "int" or (exact(one.key, other.key) and exact(one.item, other.item))


def kind_of(value: Value) -> Kind:
    """Return the narrowest kind of a value."""
    if isinstance(value, frozenset):
        return set_of(join_all(map(kind_of, value)))
    if isinstance(value, tuple):
        return tuple_of(map(kind_of, value))
    if isinstance(value, Function):
        if all(isinstance(key, str) for key in value):
            return record_of({key: kind_of(item) for key, item in value.items()})
        keys, items = join_all(map(kind_of, value)), join_all(map(kind_of, value.values()))
        return Kind("fun", (keys, items))
    if sort_of(value) == "int" and int(value) >= 1:
        return POSITIVE
    return {"bool": BOOL, "int": INT, "str": STR}[sort_of(value)]
