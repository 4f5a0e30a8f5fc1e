"""Built-in operators: what is made of their operands, and of which sort these must be.

Owns: one handler an operator that needs no definition.
Keeps: `and` and `or` go from left to right and stop early, as in TLC; an operand of the wrong sort
    raises.
Above: expressions and actions. Below: compiler, kinds, sets, syntax.
"""

from collections.abc import Mapping
from typing import Any

from awa.lab.tla.compiler import Bound, Code, Compiler, Handler, Scope
from awa.lab.tla.kinds import ANY, BOOL, INT, POSITIVE, Kind, exact, join, seq_of, set_of
from awa.lab.tla.sets import OPERATORS as SET_OPERATORS
from awa.lab.tla.sets import elements, member, within
from awa.lab.tla.syntax import Node, kind_name, operator

__all__ = ["OPERATORS", "compared", "junction", "unchanged"]

# Logic.


def junction(c: Compiler, node: Any, scope: Scope) -> Code:
    """Return the code of a conjunction or a disjunction, of two parts or of a list."""
    parts = [c.formula(item, scope) for item in node.arguments]
    word = " and " if operator(node) == "/\\" else " or "
    return c.made("(" + word.join(p.text for p in parts) + ")", BOOL, parts, total=True)


def _implies(c: Compiler, node: Any, scope: Scope) -> Code:
    one, other = (c.formula(part, scope) for part in node.arguments)
    return c.made(f"(not {one.text} or {other.text})", BOOL, (one, other), total=True)


def _equivalent(c: Compiler, node: Any, scope: Scope) -> Code:
    one, other = (c.formula(part, scope) for part in node.arguments)
    return c.made(f"({one.text} == {other.text})", BOOL, (one, other), total=True)


def _not(c: Compiler, node: Any, scope: Scope) -> Code:
    one = c.formula(node.arguments[0], scope)
    return c.made(f"(not {one.text})", BOOL, (one,), total=True)


def _equal(c: Compiler, node: Any, scope: Scope) -> Code:
    return compared(c, *(c.code(part, scope) for part in node.arguments))


def compared(c: Compiler, one: Code, other: Code) -> Code:
    """Return the code of `one = other`."""
    if exact(one.kind, other.kind):
        return c.made(f"({one.text} == {other.text})", BOOL, (one, other), total=True)
    return c.made(f"equal({one.text}, {other.text})", BOOL, (one, other))


def _differ(c: Compiler, node: Any, scope: Scope) -> Code:
    same = _equal(c, node, scope)
    return c.made(f"(not {same.text})", BOOL, (same,), total=True)


def _member(c: Compiler, node: Any, scope: Scope) -> Code:
    item, values = node.arguments
    return member(c, c.code(item, scope), values, scope)


def _contained(c: Compiler, node: Any, scope: Scope) -> Code:
    one, other = node.arguments
    return within(c, c.of("set", one, scope), other, scope)


def _outside(c: Compiler, node: Any, scope: Scope) -> Code:
    inside = _member(c, node, scope)
    return c.made(f"(not {inside.text})", BOOL, (inside,), total=True)


def _prime(c: Compiler, node: Any, scope: Scope) -> Code:
    return c.code(node.arguments[0], c.primed_scope(node, scope))


def unchanged(c: Compiler, node: Node, scope: Scope) -> list[str]:
    """Return the variables of UNCHANGED: one, or those of a tuple, or of a name for one."""
    if kind_name(node) == "Tuple":
        return [name for item in node.items for name in unchanged(c, item, scope)]
    if kind_name(node) == "Parentheses":
        return unchanged(c, node.expression, scope)
    found = c.find(node, scope) if kind_name(node) == "OperatorApplication" else None
    if isinstance(found, Bound) and not found.definition.params:
        return unchanged(c, found.definition.body, found.scope)
    if kind_name(node) != "OperatorApplication" or node.operator not in c.variables:
        raise scope.module.refuse(node, "UNCHANGED of what is no variable")
    return [node.operator]


def _unchanged(c: Compiler, node: Any, scope: Scope) -> Code:
    then = c.primed_scope(node, scope).now
    names = unchanged(c, node.arguments[0], scope)
    parts = [compared(c, scope.now[name], then[name]) for name in names if name in then]
    if len(parts) != len(names):
        raise scope.module.refuse(node, "UNCHANGED is read before all has a value")
    return c.made("(" + " and ".join(p.text for p in parts) + ")", BOOL, parts, total=True)


# Numbers, sets and sequences.


def _on(sort: str, form: str, kind: Kind, *, total: bool = True) -> Handler:
    """Make the handler of an operator whose operands are all of one sort."""

    def made(c: Compiler, node: Any, scope: Scope) -> Code:
        parts = [c.of(sort, part, scope) for part in node.arguments]
        return c.made(form.format(*(part.text for part in parts)), kind, parts, total=total)

    return made


def _positive(form: str) -> Handler:
    """Make the handler of an operator that keeps positive numbers positive."""

    def made(c: Compiler, node: Any, scope: Scope) -> Code:
        one, other = (c.of("int", part, scope) for part in node.arguments)
        kind = POSITIVE if one.kind is other.kind is POSITIVE else INT
        return c.made(form.format(one.text, other.text), kind, (one, other), total=True)

    return made


def _on_sets(form: str) -> Handler:
    """Make the handler of an operator on two sets, whose elements must be comparable."""

    def made(c: Compiler, node: Any, scope: Scope) -> Code:
        one, other = (c.of("set", part, scope) for part in node.arguments)
        item = join(one.kind.item, other.kind.item)
        text = form.format(one.text, other.text)
        if not exact(one.kind, other.kind):
            text = f"(alike({one.text} | {other.text}) is not None and {text})"
        return c.made(text, set_of(item), (one, other), total=exact(one.kind, other.kind))

    return made


def _union(c: Compiler, node: Any, scope: Scope) -> Code:
    sets = elements(c, node.arguments[0], scope)
    inner = sets.kind.item
    kind = inner if inner.sort == "set" else set_of(ANY if inner is ANY else inner)
    text = f"frozenset().union(*{sets.text})"
    if exact(kind, kind) and inner.sort in ("set", "never"):
        return c.made(text, kind, (sets,), total=True)
    return c.made(f"alike({text})", set_of(ANY), (sets,))


def _cardinality(c: Compiler, node: Any, scope: Scope) -> Code:
    listed = elements(c, node.arguments[0], scope)
    if listed.text.startswith(("[", "range(")) or listed.text.isidentifier():
        return c.made(f"len({listed.text})", INT, (listed,), total=True)
    values = c.of("set", node.arguments[0], scope)
    return c.made(f"len({values.text})", INT, (values,), total=True)


def _sequence(c: Compiler, node: Node, scope: Scope) -> Code:
    code = c.of("function", node, scope)
    return code if code.kind.indexed else c.made(f"sequence({code.text})", ANY, (code,))


def _of_sequence(form: str, kind: Kind | None, *, total: bool = False) -> Handler:
    """Make the handler of an operator on a sequence and perhaps numbers."""

    def made(c: Compiler, node: Any, scope: Scope) -> Code:
        held = _sequence(c, node.arguments[0], scope)
        parts = [held, *(c.of("int", part, scope) for part in node.arguments[1:])]
        item = held.kind.item if held.kind.indexed else ANY
        result = kind or (seq_of(item) if form.startswith(("tail", "subseq")) else item)
        return c.made(form.format(*(part.text for part in parts)), result, parts, total=total)

    return made


def _append(c: Compiler, node: Any, scope: Scope) -> Code:
    held, item = _sequence(c, node.arguments[0], scope), c.code(node.arguments[1], scope)
    kind = seq_of(join(held.kind.item, item.kind)) if held.kind.indexed else ANY
    return c.made(f"(*{held.text}, {item.text})", kind, (held, item), total=True)


def _concatenation(c: Compiler, node: Any, scope: Scope) -> Code:
    one, other = (_sequence(c, part, scope) for part in node.arguments)
    both = one.kind.indexed and other.kind.indexed
    kind = seq_of(join(one.kind.item, other.kind.item)) if both else ANY
    return c.made(f"({one.text} + {other.text})", kind, (one, other), total=True)


def _single(c: Compiler, node: Any, scope: Scope) -> Code:
    parts = [c.code(part, scope) for part in node.arguments]
    return c.made(f"function({{{parts[0].text}: {parts[1].text}}})", ANY, parts, total=True)


OPERATORS: Mapping[str, Handler] = {
    **SET_OPERATORS,
    "=": _equal, "#": _differ, r"\in": _member, r"\notin": _outside,
    "/\\": junction, "\\/": junction, "~": _not, "=>": _implies, "<=>": _equivalent,
    "'": _prime, "UNCHANGED": _unchanged,
    "+": _positive("({} + {})"), "*": _positive("({} * {})"),
    "-": _on("int", "({} - {})", INT), "-.": _on("int", "(-{})", INT),
    r"\div": _on("int", "divided({}, {})", INT, total=False),
    "%": _on("int", "remainder({}, {})", INT, total=False),
    "<": _on("int", "({} < {})", BOOL), ">": _on("int", "({} > {})", BOOL),
    "<=": _on("int", "({} <= {})", BOOL), ">=": _on("int", "({} >= {})", BOOL),
    r"\cup": _on_sets("({} | {})"), r"\cap": _on_sets("({} & {})"),
    "\\": _on_sets("({} - {})"), r"\subseteq": _contained,
    "UNION": _union, "Cardinality": _cardinality,
    "Len": _of_sequence("len({})", INT, total=True), "Head": _of_sequence("head({})", None),
    "Tail": _of_sequence("tail({})", None), "SubSeq": _of_sequence("subseq({}, {}, {})", None),
    "Append": _append, r"\o": _concatenation,
    ":>": _single, "@@": _on("function", "merged({}, {})", ANY, total=False),
}  # fmt: skip
