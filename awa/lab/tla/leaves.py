"""What a next-state relation is made of: the named actions, and what stands around each.

Owns: which operators only group others, and which are actions.
Keeps: an action has the name that it is called by, whatever was put in its place. What has no
    name is part of the relation itself.
Above: actions, explain and the model. Below: compiler, sets, syntax.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from awa.lab.tla.compiler import Bound, Code, Compiler, Scope
from awa.lab.tla.sets import elements
from awa.lab.tla.syntax import Node, bounds, kind_name, operator

__all__ = ["Binder", "Condition", "Leaf", "form", "leaves", "now_of"]


def conjuncts(node: Node) -> Sequence[Node]:
    """Return the parts of a conjunction, or the node alone."""
    if kind_name(node) in ("Parentheses", "VerticalItem"):
        return conjuncts(node.expression)
    if form(node) == "/\\":
        return [part for item in node.arguments for part in conjuncts(item)]
    return [node]


def form(node: Node) -> str:
    """Return what decides how an action is read: its operator, or its construct."""
    if kind_name(node) in ("OperatorApplication", "VerticalList"):
        return operator(node)
    return node.quantifier if kind_name(node) == "Quantification" else kind_name(node)


def now_of(c: Compiler, prefix: str) -> dict[str, Code]:
    """Return the code of all variables of one state."""
    return {
        name: Code(f"{prefix}_{name}", c.kinds[name], state=True, total=True)
        for name in c.variables
    }


@dataclass(frozen=True, slots=True)
class Leaf:
    """One named action where Next reaches it, and what stands around it on the way."""

    name: str
    node: Node
    scope: Scope
    around: Sequence["Binder | Condition"]

    @property
    def arguments(self) -> Sequence[Node]:
        """The arguments of the action, if it is an operator that has a name."""
        called = kind_name(self.node) == "OperatorApplication" and self.node.operator == self.name
        return self.node.arguments or () if called else ()


@dataclass(frozen=True, slots=True)
class Binder:
    r"""One `\E x \in S` on the way to an action, and the local that it binds."""

    name: str
    local: Code
    values: Node
    scope: Scope


@dataclass(frozen=True, slots=True)
class Condition:
    """A conjunct on the way to an action, which must be true as well."""

    node: Node
    scope: Scope


Around: TypeAlias = tuple[Binder | Condition, ...]


def leaves(c: Compiler, node: Node, scope: Scope) -> list[Leaf]:
    """Return the named actions that an operator is made of; what has no name is part of itself."""
    called = c.find(node, scope) if kind_name(node) == "OperatorApplication" else None
    name = "Next"
    if isinstance(called, Bound):
        name, node, scope = called.definition.name, called.definition.body, called.scope
    found = list(_leaves(c, node, scope, (), chosen=True))
    return [leaf if leaf.name else replace(leaf, name=name) for leaf in found]


def _leaves(
    c: Compiler, node: Node, scope: Scope, around: Around, *, chosen: bool
) -> Iterator[Leaf]:
    """Look for actions in a part of a relation; `chosen` if it is one of several."""
    kind = form(node)
    if kind in ("Parentheses", "VerticalItem"):
        yield from _leaves(c, node.expression, scope, around, chosen=chosen)
    elif kind == "\\/":
        for part in node.arguments:
            yield from _leaves(c, part, scope, around, chosen=True)
    elif kind == "\\E" and _binds_names(node, scope):
        names, around = _binders(c, node, scope, around)
        yield from _leaves(c, node.predicate, scope.having(names), around, chosen=chosen)
    elif kind == "/\\":
        yield from _leaves_of_conjunction(c, node, scope, around, chosen=chosen)
    else:
        yield from _leaves_of_call(c, node, scope, around)


def _binds_names(node: Node, scope: Scope) -> bool:
    """Tell if a quantifier binds names only: the parts of a tuple are no arguments of their own."""
    return all(
        kind_name(pattern) != "Tuple" for pattern, _ in bounds(node.declarations, scope.module)
    )


def _binders(
    c: Compiler, node: Node, scope: Scope, around: Around
) -> tuple[dict[str, Code], Around]:
    """Return what a quantifier binds, which gives actions their arguments."""
    made = {}
    for pattern, values in bounds(node.declarations, scope.module):
        local = c.local(pattern.operator, elements(c, values, _reading(c, scope)).kind.item)
        made[pattern.operator] = local
        around = (*around, Binder(pattern.operator, local, values, scope))
    return made, around


def _leaves_of_conjunction(
    c: Compiler, node: Node, scope: Scope, around: Around, *, chosen: bool
) -> Iterator[Leaf]:
    r"""Look into a conjunction that is an action with conditions around it.

    Such is `Next /\ UNCHANGED x` wherever it stands, for Next only groups actions. In a choice,
    `P /\ A` is one as well, where elsewhere it is what an action of another name consists of.
    """
    parts = conjuncts(node)
    acting = [part for part in parts if form(part) != "UNCHANGED" and c.primes(part, scope)]
    whole = Leaf("", node, scope, around)
    before = [part for part in parts if part not in acting and form(part) != "UNCHANGED"]
    if len(acting) != 1 or (before and not chosen) or parts[: len(before)] != before:
        yield whole
        return
    conditions = tuple(Condition(part, scope) for part in parts if part is not acting[0])
    within = list(_leaves(c, acting[0], scope, (*around, *conditions), chosen=chosen))
    named = all(leaf.name and (chosen or leaf.node is not acting[0]) for leaf in within)
    yield from within if named else [whole]


def _leaves_of_call(c: Compiler, node: Node, scope: Scope, around: Around) -> Iterator[Leaf]:
    """Look into an operator that only groups others, or stop at one that does something."""
    found = c.find(node, scope) if kind_name(node) == "OperatorApplication" else None
    if not isinstance(found, Bound):
        yield Leaf("", node, scope, around)
        return
    inner, cells = c.enter(found, node, _reading(c, scope))
    body = found.definition.body
    within = [] if cells else list(_leaves(c, body, inner, around, chosen=False))
    if within and all(leaf.name for leaf in within):
        yield from within
    else:
        yield Leaf(node.operator, node, scope, around)


def _reading(c: Compiler, scope: Scope) -> Scope:
    return replace(scope, now=now_of(c, "v"))
