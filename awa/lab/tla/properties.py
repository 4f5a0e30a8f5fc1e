"""Properties: invariants, facts about steps, and refinement, as Python functions.

Owns: which part of a property is about first states, all states or steps, and the rest's name.
Keeps: what is about whole behaviours is not checked, and is never said to hold.
Above: the model. Below: actions, builtin, compiler, leaves, sets, syntax.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from awa.lab.tla.actions import Lines, reading
from awa.lab.tla.builtin import unchanged
from awa.lab.tla.compiler import Bound, Compiler, Scope
from awa.lab.tla.leaves import form, now_of
from awa.lab.tla.sets import binders
from awa.lab.tla.syntax import Node, descend, kind_name

__all__ = ["Property", "parts", "predicate", "step_predicate"]

TEMPORAL = ("Fairness", "~>", "<>")


@dataclass(slots=True)
class Property:
    """The parts of a property: each a function of one state, or of a step's two states."""

    first: list[Callable[[Any], bool]] = field(default_factory=list)
    always: list[Callable[[Any], bool]] = field(default_factory=list)
    steps: list[Callable[[Any, Any], bool]] = field(default_factory=list)
    temporal: list[str] = field(default_factory=list)


Part: TypeAlias = tuple[str, Node, Scope]


def parts(c: Compiler, node: Node, scope: Scope) -> Iterator[Part]:
    """Return the parts of a temporal formula, each with what it is about."""
    kind = form(node)
    found = c.find(node, scope) if kind_name(node) == "OperatorApplication" else None
    if kind in ("Parentheses", "VerticalItem"):
        yield from parts(c, node.expression, scope)
    elif kind == "/\\":
        for part in node.arguments:
            yield from parts(c, part, scope)
    elif kind == "[]":
        inner = node.arguments[0]
        yield ("steps" if kind_name(inner) == "SubscriptedAction" else "always"), inner, scope
    elif kind == "SubexpressionReference":
        yield "refinement", node, scope
    elif isinstance(found, Bound) and _temporal(c, node, scope):
        inner_scope, _ = c.enter(found, node, scope)
        yield from parts(c, found.definition.body, inner_scope)
    else:
        yield ("temporal" if _temporal(c, node, scope) else "first"), node, scope


def _temporal(c: Compiler, node: Node, scope: Scope) -> bool:
    """Tell if a formula is about more than one state."""
    for part in descend(node):
        if form(part) in (*TEMPORAL, "[]", "SubscriptedAction", "SubexpressionReference"):
            return True
        found = c.find(part, scope) if kind_name(part) == "OperatorApplication" else None
        if not isinstance(found, Bound) or found.definition.body is node:
            continue
        if _temporal(c, found.definition.body, found.scope):
            return True
    return False


def predicate(c: Compiler, name: str, node: Node, scope: Scope) -> Any:
    """Make a function that tells if a formula holds in a state."""
    return _function(c, name, "s", [], node, replace(scope, now=now_of(c, "v"), then=None))


def step_predicate(c: Compiler, name: str, node: Node, scope: Scope) -> Any:
    """Make a function that tells if `[A]_v` holds of a step."""
    now, then = now_of(c, "v"), now_of(c, "n")
    names = unchanged(c, node.subscript, scope)
    if set(names) == set(c.variables):
        same = "s == t"
    else:
        at = [c.variables.index(name) for name in names]
        same = " and ".join(f"s[{number}] == t[{number}]" for number in at)
    begin = [f"  if {same}:", "    return True"]
    return _function(c, name, "s, t", begin, node.action, replace(scope, now=now, then=then))


def _function(
    c: Compiler, name: str, params: str, begin: list[str], node: Node, scope: Scope
) -> Any:
    lines = Lines()
    _check(c, lines, node, scope)
    lines.add("return True")
    return c.function(name, [f"def made({params}):", *begin, *reading(c, lines.rows)])


def _check(c: Compiler, lines: Lines, node: Node, scope: Scope) -> None:
    """Write lines that return False where a formula does not hold: loops are faster than all()."""
    kind = form(node)
    found = c.find(node, scope) if kind_name(node) == "OperatorApplication" else None
    if kind in ("Parentheses", "VerticalItem"):
        _check(c, lines, node.expression, scope)
    elif kind == "/\\":
        for part in node.arguments:
            _check(c, lines, part, scope)
    elif kind == "\\A":
        ranges = binders(c, node.declarations, scope)
        with lines.blocks(ranges.rows):
            _check(c, lines, node.predicate, ranges.scope)
    elif kind == "=>":
        with lines.block(f"if {c.formula(node.arguments[0], scope).text}:"):
            _check(c, lines, node.arguments[1], scope)
    elif kind == "Let":
        inner, cells = c.let(node, scope)
        lines.fill(cells)
        _check(c, lines, node.expression, inner)
    elif isinstance(found, Bound) and found.cell is None:
        inner, cells = c.enter(found, node, scope)
        lines.fill(cells)
        _check(c, lines, found.definition.body, inner)
    else:
        with lines.block(f"if not {c.formula(node, scope).text}:"):
            lines.add("return False")
