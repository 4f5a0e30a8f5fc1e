"""Expressions: what each construct of the subset means.

Owns: one handler a construct.
Keeps: IF and CASE take only the arm that they need; what is of the wrong sort raises.
Above: the model hands these to the compiler. Below: builtin, compiler, kinds, sets, syntax.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from awa.lab.tla.builtin import OPERATORS, junction
from awa.lab.tla.compiler import Code, Compiler, Handler, Scope
from awa.lab.tla.kinds import (
    ANY,
    BOOL,
    POSITIVE,
    STR,
    Kind,
    exact,
    join,
    join_all,
    record_of,
    seq_of,
    set_of,
    tuple_of,
)
from awa.lab.tla.sets import HANDLERS as SET_HANDLERS
from awa.lab.tla.sets import binders, field
from awa.lab.tla.syntax import Node, operator

__all__ = ["HANDLERS"]


def _literal(read: Callable[[str], Any]) -> Handler:
    return lambda c, node, scope: c.constant(read(node.value))


def _inside(c: Compiler, node: Any, scope: Scope) -> Code:
    return c.code(node.expression, scope)


def _booleans(c: Compiler, _node: Any, _scope: Scope) -> Code:
    return c.constant(frozenset((False, True)))


# Data.


def _tuple(c: Compiler, node: Any, scope: Scope) -> Code:
    parts = [c.code(item, scope) for item in node.items or ()]
    text = "(" + "".join(f"{part.text}, " for part in parts) + ")"
    return c.made(text, tuple_of(part.kind for part in parts), parts, total=True)


def _set(c: Compiler, node: Any, scope: Scope) -> Code:
    parts = [c.code(item, scope) for item in node.items or ()]
    item = join_all(part.kind for part in parts)
    return _comparable(c, "(" + "".join(f"{part.text}, " for part in parts) + ")", item, parts)


def _comparable(c: Compiler, listed: str, item: Kind, parts: list[Code], binds: Any = ()) -> Code:
    """Return the set of what is listed, all of which must be comparable."""
    if exact(item, item):
        return c.made(f"frozenset({listed})", set_of(item), parts, binds=binds, total=True)
    return c.made(f"alike(frozenset({listed}))", set_of(item), parts, binds=binds)


def _record(c: Compiler, node: Any, scope: Scope) -> Code:
    parts = {name: c.code(value, scope) for name, value in node.key_values}
    text = ", ".join(f"{name!r}: {part.text}" for name, part in parts.items())
    kind = record_of({name: part.kind for name, part in parts.items()})
    return c.made(f"Function({{{text}}})", kind, list(parts.values()), total=True)


def _field(c: Compiler, node: Any, scope: Scope) -> Code:
    return field(c, c.of("function", node.expression, scope), node.name)


def _comprehension(c: Compiler, node: Any, scope: Scope) -> Code:
    ranges = binders(c, node.declarations, scope)
    item = c.code(node.item, ranges.scope)
    listed = f"[{item.text} {ranges.clauses}]"
    return _comparable(c, listed, item.kind, [*ranges.sets, item], ranges.names)


def _function(c: Compiler, node: Any, scope: Scope) -> Code:
    ranges = binders(c, node.declaration, scope)
    value = c.code(node.value, ranges.scope)
    keys = ", ".join(ranges.names)
    kinds = [one.kind.item for one in ranges.sets]
    key = kinds[0]
    if len(ranges.names) > 1:
        keys, key = f"({keys})", tuple_of(kinds)
    parts = (*ranges.sets, value)
    first = ranges.sets[0]
    if len(parts) == 2 and (_counts(c, first) or first.text.startswith("range(1, ")):
        text = f"tuple([{value.text} {ranges.clauses}])"
        return c.made(text, seq_of(value.kind), parts, binds=ranges.names, total=True)
    pairs = f"{{{keys}: {value.text} {ranges.clauses}}}"
    known = all(one.constant and c.value(one) for one in ranges.sets)
    if known:
        kind = Kind("fun", (key, value.kind))
        return c.made(f"Function({pairs})", kind, parts, binds=ranges.names, total=True)
    return c.made(f"function({pairs})", ANY, parts, binds=ranges.names, total=True)


def _counts(c: Compiler, values: Code) -> bool:
    """Tell if a constant set, listed in order, is 1..n."""
    if not values.constant:
        return False
    listed = c.value(values)
    return bool(listed == tuple(range(1, len(listed) + 1))) and True not in map(_is_bool, listed)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _application(c: Compiler, node: Any, scope: Scope) -> Code:
    function = c.of("function", node.function, scope)
    return _applied(c, function, _key(c, node.arguments, scope))


def _key(c: Compiler, arguments: Any, scope: Scope) -> Code:
    """Return the one argument of a function: several are a tuple."""
    parts = [c.code(argument, scope) for argument in arguments]
    if len(parts) == 1:
        return parts[0]
    text = "(" + ", ".join(part.text for part in parts) + ")"
    return c.made(text, tuple_of(part.kind for part in parts), parts, total=True)


def _applied(c: Compiler, function: Code, key: Code) -> Code:
    kind = function.kind
    parts = (function, key)
    item = kind.value
    if kind.indexed and key.kind is POSITIVE:
        if not key.constant:
            return c.made(f"{function.text}[{key.text} - 1]", item, parts)
        place = c.value(key) - 1
        within = kind.name == "tuple" and place < len(kind.parts)
        item = kind.parts[place] if within else item
        return c.made(f"{function.text}[{place}]", item, parts, total=within)
    if kind.labels and key.constant and key.kind is STR:
        return field(c, function, c.value(key))
    if kind.mapped and exact(kind.key, key.kind):
        return c.made(f"{function.text}[{key.text}]", item, parts)
    return c.made(f"at({function.text}, {key.text})", item, parts)


def _except(c: Compiler, node: Any, scope: Scope) -> Code:
    code = c.of("function", node.function, scope)
    for change in node.changes:
        code = _put(c, code, list(change.item), change.expression, scope)
    return code


def _put(c: Compiler, code: Code, path: list[Any], value: Node, scope: Scope) -> Code:
    """Return the code of a function with another value at the end of a path."""
    step = path[0]
    key = c.constant(step) if isinstance(step, str) else _key(c, step, scope)
    at = c.local("at", _applied(c, code, key).kind)
    deeper = path[1:]
    made = _put(c, at, deeper, value, scope) if deeper else c.code(value, replace(scope, at=at))
    kind = _changed(code.kind, key, made.kind)
    text = f"put({code.text}, {key.text}, lambda {at.text}: {made.text})"
    return c.made(text, kind, (code, key, made), binds=(at.text,))


def _changed(kind: Kind, key: Code, value: Kind) -> Kind:
    if kind.name == "record" and key.kind is STR:
        hit = [repr(label) == key.text or not key.constant for label in kind.labels]
        parts = zip(kind.parts, hit, strict=True)
        return Kind("record", tuple(join(p, value) if h else p for p, h in parts), kind.labels)
    if kind.name == "fun":
        return Kind("fun", (kind.key, join(kind.item, value)))
    return seq_of(join(kind.item, value)) if kind.indexed else ANY


# Logic.


def _quantification(c: Compiler, node: Any, scope: Scope) -> Code:
    ranges = binders(c, node.declarations, scope)
    body = c.formula(node.predicate, ranges.scope)
    word = "all" if node.quantifier == "\\A" else "any"
    text = f"{word}({body.text} {ranges.clauses})"
    return c.made(text, BOOL, (*ranges.sets, body), binds=ranges.names, total=True)


def _choose(c: Compiler, node: Any, scope: Scope) -> Code:
    ranges = binders(c, [node.declaration], scope)
    body = c.formula(node.predicate, ranges.scope)
    name = c.code(node.declaration.arguments[0], ranges.scope)
    text = f"chosen([{name.text} {ranges.clauses} if {body.text}])"
    return c.made(text, name.kind, (*ranges.sets, body), binds=ranges.names)


def _if(c: Compiler, node: Any, scope: Scope) -> Code:
    test = c.formula(node.predicate, scope)
    if test.constant:
        return c.code(node.then if c.value(test) else node.else_, scope)
    one, other = c.code(node.then, scope), c.code(node.else_, scope)
    text = f"({one.text} if {test.text} else {other.text})"
    return c.made(text, join(one.kind, other.kind), (test, one, other), total=True)


def _case(c: Compiler, node: Any, scope: Scope) -> Code:
    last = c.code(node.other, scope) if node.other is not None else None
    arms = [(c.formula(arm.predicate, scope), c.code(arm.expression, scope)) for arm in node.cases]
    text = "".join(f"{value.text} if {test.text} else " for test, value in arms)
    parts = [part for arm in arms for part in arm] + ([last] if last else [])
    kind = join_all(
        part.kind for part in (*(value for _, value in arms), *([last] if last else []))
    )
    total = last is not None
    return c.made(f"({text}{last.text if last else 'no_case()'})", kind, parts, total=total)


def _let(c: Compiler, node: Any, scope: Scope) -> Code:
    inner, cells = c.let(node, scope)
    return c.wrap(cells, c.code(node.expression, inner))


# Names, and operators applied.


def _operator(c: Compiler, node: Any, scope: Scope) -> Code:
    found = c.find(node, scope)
    if isinstance(found, Code):
        return found
    if found is not None:
        return c.apply(found, node, scope)
    name = operator(node)
    if name in c.variables:
        return c.variable(node, scope)
    if name not in OPERATORS:
        raise scope.module.refuse(node, f"{name} is no value")
    return OPERATORS[name](c, node, scope)


HANDLERS: Mapping[str, Handler] = {
    **SET_HANDLERS,
    "BooleanLiteral": _literal(lambda text: text == "TRUE"),
    "IntegralNumeral": _literal(int),
    "StringLiteral": _literal(json.loads),
    "SetOfBooleans": _booleans,
    "Parentheses": _inside, "VerticalItem": _inside,
    "Tuple": _tuple, "SetEnumeration": _set, "SetComprehension": _comprehension,
    "Record": _record, "Field": _field, "Function": _function,
    "FunctionApplication": _application, "Except": _except,
    "VerticalList": junction, "Quantification": _quantification, "Choose": _choose,
    "If": _if, "Cases": _case, "Let": _let,
    "OperatorApplication": _operator,
}  # fmt: skip
