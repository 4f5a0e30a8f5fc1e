"""What compiled expressions call, where Python's own operator says less than TLA+'s.

Owns: comparison, membership, application and change of values whose kind is known at run time.
Keeps: what TLC would not compute raises, and is neither true nor false.
Above: compiled expressions, by the name of each function. Below: kinds, values.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations, product
from typing import Any

from awa.lab.tla.kinds import EvaluationError
from awa.lab.tla.values import Function, Value, function, ordered, render, sort_of

__all__ = ["ERRORS", "NAMES"]

ERRORS = (TypeError, KeyError, IndexError, AttributeError, RecursionError)
"""What Python raises when an expression is applied to values that it has no meaning for."""

SUBSETS_MAX = 20
"""A set of more than 2**20 sets is a mistake."""


def ask(sort: str, value: Any) -> Any:
    """Return a value that must be of a sort."""
    if sort_of(value) != sort:
        raise EvaluationError(f"{render(value)} is no {sort}")
    return value


def is_a(sort: str, value: Any) -> bool:
    """Tell that a value is of a sort; TLC does not say of any other that it is not."""
    ask(sort, value)
    return True


def equal(one: Any, other: Any) -> bool:
    """Compare two values, all of whose parts must be comparable."""
    sort = sort_of(one)
    if sort != sort_of(other):
        raise EvaluationError(f"{render(one)} and {render(other)} cannot be compared")
    if sort == "set":
        for item in one:
            member(item, other)
        return bool(one == other)
    if sort == "function":
        keys = domain(one)
        return equal(keys, domain(other)) and all(equal(at(one, k), at(other, k)) for k in keys)
    return bool(one == other)


def member(item: Any, values: Any) -> bool:
    """Tell if a value is an element of a set that it can be compared with."""
    for other in ask("set", values):
        if sort_of(item) not in ("set", "function"):
            equal(item, other)
            return item in values
        break
    return any([equal(item, other) for other in values])


def alike(values: frozenset[Any]) -> frozenset[Any]:
    """Return a set all of whose elements must be comparable."""
    for item in values:
        member(item, values)
    return values


def domain(one: Any) -> frozenset[Any]:
    """Return the arguments of a function."""
    if type(one) is tuple:
        return frozenset(range(1, len(one) + 1))
    return frozenset(ask("function", one))


def at(one: Any, key: Any) -> Any:
    """Return a function's value for an argument."""
    if type(one) is tuple:
        if type(key) is int and 0 < key <= len(one):
            return one[key - 1]
    elif key in ask("function", one):
        return one[key]
    raise EvaluationError(f"{render(one)} has no value at {render(key)}")


def put(one: Any, key: Any, change: Callable[[Any], Any]) -> Any:
    """Return a function with another value at one place, or the same if there is no such place."""
    if type(one) is tuple:
        if type(key) is int and 0 < key <= len(one):
            return (*one[: key - 1], change(one[key - 1]), *one[key:])
    elif key in ask("function", one):
        return Function({**one, key: change(one[key])})
    return one


def values_of(one: Any) -> Iterable[Any]:
    """Return a function's values."""
    return one if type(one) is tuple else ask("function", one).values()


def sequence(one: Any) -> Any:
    """Return a value that must be a sequence."""
    if type(one) is not tuple:
        raise EvaluationError(f"{render(one)} is no sequence")
    return one


def head(one: Any) -> Any:
    """Return the first element of a sequence."""
    return at(sequence(one), 1)


def tail(one: Any) -> Any:
    """Return a sequence without its first element."""
    head(one)
    return one[1:]


def subseq(one: Any, first: int, last: int) -> Any:
    """Return a part of a sequence."""
    if first <= last and not 1 <= first <= last <= len(sequence(one)):
        raise EvaluationError(f"{render(one)} has no part from {first} to {last}")
    return one[first - 1 : last] if first <= last else ()


def divided(one: int, other: int) -> int:
    """Return the quotient by a positive divisor."""
    if other <= 0:
        raise EvaluationError(f"{one} is divided by {other}")
    return one // other


def remainder(one: int, other: int) -> int:
    """Return the remainder by a positive divisor."""
    return one - other * divided(one, other)


def subsets(values: frozenset[Any]) -> Iterator[frozenset[Any]]:
    """Return all subsets of a set."""
    if len(values) > SUBSETS_MAX:
        raise EvaluationError(f"a set of {len(values)} has too many subsets to go through them")
    for count in range(len(values) + 1):
        yield from map(frozenset, combinations(values, count))


def functions(keys: frozenset[Any], items: Iterable[Any]) -> Iterator[Value]:
    """Return all functions from one set to another."""
    for chosen in product(items, repeat=len(keys)):
        yield function(dict(zip(keys, chosen, strict=True)))


def records(fields: dict[str, Iterable[Any]]) -> Iterator[Value]:
    """Return all records whose fields are of these sets."""
    for chosen in product(*fields.values()):
        yield Function(zip(fields, chosen, strict=True))


def tuples(count: int, values: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Return elements that must be tuples of one length."""
    for item in values:
        if len(sequence(item)) != count:
            raise EvaluationError(f"{render(item)} is no tuple of {count}")
        yield item


def chosen(values: list[Any]) -> Any:
    """Return what CHOOSE chooses: the only value, or, as TLC does, the least of several numbers."""
    if not values or (len(values) > 1 and sort_of(values[0]) != "int"):
        raise EvaluationError(f"CHOOSE has {len(values)} values to choose from")
    return min(values) if len(values) > 1 else values[0]


def merged(one: Any, other: Any) -> Value:
    """Return the function that is `one` where that has a value, and else `other`."""
    pairs = {key: at(other, key) for key in domain(other)}
    return function({**pairs, **{key: at(one, key) for key in domain(one)}})


def no_case() -> Any:
    """Say that no arm of a CASE was true."""
    raise EvaluationError("no arm of this CASE is true")


def unlike(*_values: Any) -> Any:
    """Say that two values cannot be compared."""
    raise EvaluationError("values of different sorts cannot be compared")


class once:
    """A value that is computed when it is first asked for."""

    __slots__ = ("make", "value")
    value: Any

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def __call__(self) -> Any:
        try:
            return self.value
        except AttributeError:
            self.value = self.make()
            return self.value


UNDEFINED = (EvaluationError, *ERRORS)


def told(ways: list[list[int]], bound: int) -> list[int]:
    """Return what fails in all of several ways; of no way at all, the bound."""
    if not ways:
        return [bound]
    return [number for way in ways for number in way] if all(ways) else []


NAMES: dict[str, Any] = {
    "Function": Function,
    "product": product,
    **{
        made.__name__: made
        for made in (
            ask,
            is_a,
            equal,
            member,
            alike,
            domain,
            at,
            put,
            values_of,
            sequence,
            head,
            tail,
        )
    },
    **{
        made.__name__: made
        for made in (tail, subseq, divided, remainder, subsets, functions, records, tuples, chosen)
    },
    **{made.__name__: made for made in (function, merged, no_case, unlike, ordered)},
    "once": once,
    "told": told,
    "UNDEFINED": UNDEFINED,
}
"""The names that compiled expressions are run with."""
