r"""Sets: whether something is an element, and what the elements are, without making the set.

Owns: the sets that may be too big to make: a..b, SUBSET, [A -> B], records, \X, Seq, Nat.
Keeps: asking for an element goes by the form of the set, through the names that stand for it; an
    infinite set is only ever asked.
Above: expressions and actions. Below: compiler, kinds, syntax, values.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from awa.lab.tla.compiler import Bound, Cells, Code, Compiler, Scope
from awa.lab.tla.kinds import (
    ANY,
    BOOL,
    INT,
    POSITIVE,
    Kind,
    exact,
    record_of,
    set_of,
    tuple_of,
)
from awa.lab.tla.syntax import Node, bounds, kind_name, names_of, operator
from awa.lab.tla.values import ordered

__all__ = ["HANDLERS", "OPERATORS", "Ranges", "binders", "elements", "field", "member", "within"]


def form(node: Node) -> str:
    """Return what decides how a set is gone through: its construct, or its operator."""
    return operator(node) if kind_name(node) == "OperatorApplication" else kind_name(node)


def reveal(c: Compiler, node: Node, scope: Scope) -> tuple[Node, Scope, Cells]:
    """Return the expression that a name stands for, through all names and parentheses."""
    cells: Cells = []
    while True:
        if kind_name(node) in ("Parentheses", "VerticalItem"):
            node = node.expression
            continue
        found = c.find(node, scope) if kind_name(node) == "OperatorApplication" else None
        if not isinstance(found, Bound) or found.cell is not None:
            return node, scope, cells
        scope, more = c.enter(found, node, scope)
        node = found.definition.body
        cells += more


# Whether something is an element.


def member(c: Compiler, item: Code, node: Node, scope: Scope) -> Code:
    r"""Return the code of `item \in node`."""
    shown, inner, cells = reveal(c, node, scope)
    ask = MEMBERS.get(form(shown))
    if ask is None or (ask in (_in_union, _in_meet, _in_rest) and not _has_form(c, shown, inner)):
        return _in_value(c, item, c.of("set", node, scope))
    if item.atomic or form(shown) in USED_ONCE:
        return c.wrap(cells, ask(c, item, shown, inner))
    name = c.local("it", item.kind)
    made = ask(c, name, shown, inner)
    text = f"(lambda {name.text}: {made.text})({item.text})"
    return c.wrap(cells, c.made(text, BOOL, (made, item), binds=(name.text,), total=True))


def _has_form(c: Compiler, node: Node, scope: Scope) -> bool:
    return any(form(reveal(c, part, scope)[0]) in MEMBERS for part in node.arguments)


def _in_value(c: Compiler, item: Code, values: Code) -> Code:
    if exact(item.kind, values.kind.item):
        return c.made(f"({item.text} in {values.text})", BOOL, (item, values), total=True)
    return c.made(f"member({item.text}, {values.text})", BOOL, (item, values))


def _all(c: Compiler, parts: Sequence[Code]) -> Code:
    text = " and ".join(part.text for part in parts if part.text != "True") or "True"
    return c.made(f"({text})", BOOL, parts, total=True)


def _sorted(c: Compiler, item: Code, sort: str) -> Code:
    """Return the item, which must be of a sort."""
    if item.kind.sort == sort:
        return item
    return c.made(f"ask({sort!r}, {item.text})", Kind(sort, (ANY,) * (sort == "set")), (item,))


def _in_range(c: Compiler, item: Code, node: Node, scope: Scope) -> Code:
    low, high = (c.of("int", part, scope) for part in node.arguments)
    item = _sorted(c, item, "int")
    return c.made(
        f"({low.text} <= {item.text} <= {high.text})", BOOL, (low, item, high), total=True
    )


def _in_domain(c: Compiler, item: Code, node: Node, scope: Scope) -> Code:
    one = c.of("function", node.arguments[0], scope)
    if one.kind.indexed and item.kind.sort == "int":
        text = f"(1 <= {item.text} <= len({one.text}))"
        return c.made(text, BOOL, (item, one), total=True)
    if one.kind.mapped and exact(one.kind.key, item.kind):
        return c.made(f"({item.text} in {one.text})", BOOL, (item, one), total=True)
    return c.made(f"member({item.text}, domain({one.text}))", BOOL, (item, one))


def _in_subset(c: Compiler, item: Code, node: Node, scope: Scope) -> Code:
    return within(c, item, node.arguments[0], scope)


def within(c: Compiler, item: Code, base: Node, scope: Scope) -> Code:
    r"""Return the code of `item \subseteq base`."""
    item = _sorted(c, item, "set")
    if form(reveal(c, base, scope)[0]) not in MEMBERS:
        values = c.of("set", base, scope)
        if exact(item.kind, values.kind):
            return c.made(f"({item.text} <= {values.text})", BOOL, (item, values), total=True)
    one = c.local("one", item.kind.item)
    inside = member(c, one, base, scope)
    text = f"all({inside.text} for {one.text} in {item.text})"
    return c.made(text, BOOL, (item, inside), binds=(one.text,), total=True)


def field(c: Compiler, item: Code, label: str) -> Code:
    """Return the code of a record's field."""
    if label in item.kind.labels:
        kind = item.kind.parts[item.kind.labels.index(label)]
        return c.made(f"{item.text}[{label!r}]", kind, (item,), total=True)
    kind = item.kind.value if not item.kind.indexed else ANY
    return c.made(f"at({item.text}, {label!r})", kind, (item,))


def _in_records(c: Compiler, item: Code, node: Node, scope: Scope) -> Code:
    labels = tuple(sorted(bound.name for bound in node.key_bounds))
    parts = [member(c, field(c, item, b.name), b.bound, scope) for b in node.key_bounds]
    if item.kind.labels != labels:
        keys = c.constant(frozenset(labels))
        parts = [c.made(f"(domain({item.text}) == {keys.text})", BOOL, (item, keys)), *parts]
    return _all(c, parts)


def _in_functions(c: Compiler, item: Code, node: Node, scope: Scope) -> Code:
    keys = c.of("set", node.domain, scope)
    one = c.local("one", item.kind.value)
    inside = member(c, one, node.codomain, scope)
    if item.kind.indexed and keys.constant:
        count = len(c.value(keys))
        if c.value(keys) != frozenset(range(1, count + 1)):
            return c.constant(False)
        same = c.made(f"(len({item.text}) == {count})", BOOL, (item,), total=True)
    elif keys.constant and c.value(keys) == frozenset(item.kind.labels):
        same = c.constant(True)
    elif item.kind.mapped and exact(item.kind.key, keys.kind.item):
        same = c.made(f"({item.text}.keys() == {keys.text})", BOOL, (item, keys), total=True)
    else:
        same = c.made(f"equal(domain({item.text}), {keys.text})", BOOL, (item, keys))
    within = item.text if item.kind.indexed else f"values_of({item.text})"
    within = f"{item.text}.values()" if item.kind.mapped else within
    text = f"all({inside.text} for {one.text} in {within})"
    return _all(c, (same, c.made(text, BOOL, (item, inside), binds=(one.text,), total=True)))


def _in_product(c: Compiler, item: Code, node: Node, scope: Scope) -> Code:
    count = len(node.arguments)
    if item.kind.name == "tuple" and len(item.kind.parts) == count:
        kinds, size = item.kind.parts, c.constant(True)
    else:
        kinds = (item.kind.item if item.kind.indexed else ANY,) * count
        size = c.made(f"(len(sequence({item.text})) == {count})", BOOL, (item,))
    parts = [
        c.made(f"{item.text}[{at}]", kind, (item,), total=True) for at, kind in enumerate(kinds)
    ]
    inside = [
        member(c, part, base, scope) for part, base in zip(parts, node.arguments, strict=True)
    ]
    return _all(c, (size, *inside))


def _in_sequences(c: Compiler, item: Code, node: Node, scope: Scope) -> Code:
    one = c.local("one", item.kind.item if item.kind.indexed else ANY)
    inside = member(c, one, node.arguments[0], scope)
    held = item.text if item.kind.indexed else f"sequence({item.text})"
    text = f"all({inside.text} for {one.text} in {held})"
    return c.made(text, BOOL, (item, inside), binds=(one.text,), total=item.kind.indexed)


def _in_slice(c: Compiler, item: Code, node: Node, scope: Scope) -> Code:
    ((pattern, base),) = bounds([node.declaration], scope.module)
    names = names_of(pattern)
    if kind_name(pattern) == "Tuple":
        return _in_value(c, item, _made_set(c, node, scope))
    inner = scope.having({names[0]: item})
    return _all(c, (member(c, item, base, scope), c.formula(node.predicate, inner)))


def _in_union(c: Compiler, item: Code, node: Node, scope: Scope) -> Code:
    one, other = (member(c, item, part, scope) for part in node.arguments)
    return c.made(f"({one.text} or {other.text})", BOOL, (one, other), total=True)


def _in_meet(c: Compiler, item: Code, node: Node, scope: Scope) -> Code:
    return _all(c, [member(c, item, part, scope) for part in node.arguments])


def _in_rest(c: Compiler, item: Code, node: Node, scope: Scope) -> Code:
    one, other = (member(c, item, part, scope) for part in node.arguments)
    return c.made(f"({one.text} and not {other.text})", BOOL, (one, other), total=True)


def _in_sort(sort: str) -> "Member":
    def ask(c: Compiler, item: Code, _node: Node, _scope: Scope) -> Code:
        return c.made(f"is_a({sort!r}, {item.text})", BOOL, (item,), total=item.kind.sort == sort)

    return ask


def _in_naturals(c: Compiler, item: Code, _node: Node, _scope: Scope) -> Code:
    held = _sorted(c, item, "int")
    return c.made(f"({held.text} >= 0)", BOOL, (held,), total=True)


Member: TypeAlias = Callable[[Compiler, Code, Any, Scope], Code]
MEMBERS: Mapping[str, Member] = {
    "..": _in_range,
    "DOMAIN": _in_domain,
    "SUBSET": _in_subset,
    "SetOfRecords": _in_records,
    "SetOfFunctions": _in_functions,
    r"\X": _in_product,
    "Seq": _in_sequences,
    "SetSlice": _in_slice,
    "SetOfStrings": _in_sort("str"),
    "Int": _in_sort("int"),
    "Nat": _in_naturals,
    r"\cup": _in_union,
    r"\cap": _in_meet,
    "\\": _in_rest,
}
USED_ONCE = ("..", "DOMAIN", "SUBSET", "Seq", "Nat")
"""Where the item stands once in what is made, and so need not have a name."""


# What the elements are.


def elements(c: Compiler, node: Node, scope: Scope) -> Code:
    """Return the code of something to go through, which has each element of a set once."""
    shown, inner, cells = reveal(c, node, scope)
    if form(shown) in ENDLESS:
        raise scope.module.refuse(node, "an infinite set cannot be gone through")
    listed = ELEMENTS.get(form(shown))
    if listed is None:
        return _in_order(c, c.of("set", node, scope))
    return _in_order(c, c.wrap(cells, listed(c, shown, inner)))


def _in_order(c: Compiler, values: Code) -> Code:
    """Return a constant set as a tuple of its elements, in the order of values."""
    if not values.constant:
        return values
    made = c.constant(tuple(ordered(frozenset(c.value(values)))))
    return replace(made, kind=values.kind)


def _range(c: Compiler, node: Node, scope: Scope) -> Code:
    low, high = (c.of("int", part, scope) for part in node.arguments)
    kind = set_of(POSITIVE if low.kind is POSITIVE else INT)
    return _iterable(c, f"range({low.text}, {high.text} + 1)", kind, (low, high), total=True)


def _iterable(
    c: Compiler,
    text: str,
    kind: Kind,
    parts: Sequence[Code],
    *,
    binds: Iterable[str] = (),
    total: bool = False,
) -> Code:
    """Return code to go through, made of parts; when they are constant, the set of all."""
    return c.folded(c.joined(text, kind, parts, binds=binds, total=total), frozenset)


def _domain(c: Compiler, node: Node, scope: Scope) -> Code:
    one = c.of("function", node.arguments[0], scope)
    if one.kind.indexed:
        return _iterable(c, f"range(1, len({one.text}) + 1)", set_of(POSITIVE), (one,), total=True)
    if one.kind.mapped:
        return _iterable(c, one.text, set_of(one.kind.key), (one,), total=True)
    return _iterable(c, f"domain({one.text})", set_of(ANY), (one,))


def _subsets(c: Compiler, node: Node, scope: Scope) -> Code:
    base = c.of("set", node.arguments[0], scope)
    return _iterable(c, f"subsets({base.text})", set_of(base.kind), (base,))


def _product(c: Compiler, node: Node, scope: Scope) -> Code:
    parts = [elements(c, part, scope) for part in node.arguments]
    kind = set_of(tuple_of(part.kind.item for part in parts))
    return _iterable(c, f"product({', '.join(part.text for part in parts)})", kind, parts)


def _records(c: Compiler, node: Node, scope: Scope) -> Code:
    parts = {bound.name: elements(c, bound.bound, scope) for bound in node.key_bounds}
    kind = set_of(record_of({name: part.kind.item for name, part in parts.items()}))
    fields = ", ".join(f"{name!r}: {part.text}" for name, part in parts.items())
    return _iterable(c, f"records({{{fields}}})", kind, tuple(parts.values()))


def _functions(c: Compiler, node: Node, scope: Scope) -> Code:
    keys, items = c.of("set", node.domain, scope), elements(c, node.codomain, scope)
    text = f"functions({keys.text}, {items.text})"
    return _iterable(c, text, set_of(ANY), (keys, items))


def _slice(c: Compiler, node: Node, scope: Scope) -> Code:
    ranges = binders(c, [node.declaration], scope)
    ((pattern, _),) = bounds([node.declaration], scope.module)
    kept = c.formula(node.predicate, ranges.scope)
    item = c.code(pattern, ranges.scope)
    text = f"[{item.text} {ranges.clauses} if {kept.text}]"
    parts = (*ranges.sets, kept)
    return _iterable(c, text, set_of(item.kind), parts, binds=ranges.names, total=True)


@dataclass(frozen=True, slots=True)
class Ranges:
    """What a binder comes to: `for` clauses, the scope inside, the sets, and the new locals."""

    rows: Sequence[str]
    scope: Scope
    sets: Sequence[Code]
    names: Sequence[str]

    @property
    def clauses(self) -> str:
        """The clauses of a comprehension."""
        return " ".join(self.rows)


def binders(c: Compiler, declarations: Sequence[Node], scope: Scope) -> Ranges:
    """Return the `for` clauses of what is bound, and what they bind."""
    clauses: list[str] = []
    sets: list[Code] = []
    found: dict[str, Code] = {}
    for pattern, base in bounds(declarations, scope.module):
        values = elements(c, base, scope)
        names = names_of(pattern)
        target = "{}"
        kinds: Sequence[Kind] = (values.kind.item,)
        if kind_name(pattern) == "Tuple":
            target, kinds = "({},)", values.kind.item.parts
            if values.kind.item.name != "tuple" or len(kinds) != len(names):
                values = replace(values, text=f"tuples({len(names)}, {values.text})", total=False)
                kinds = (ANY,) * len(names)
        bound = {name: c.local(name, kind) for name, kind in zip(names, kinds, strict=True)}
        listed = ", ".join(local.text for local in bound.values())
        clauses.append(f"for {target.format(listed)} in {values.text}")
        sets.append(values)
        found |= bound
    locals_ = [local.text for local in found.values()]
    return Ranges(clauses, scope.having(found), sets, locals_)


def _made_set(c: Compiler, node: Node, scope: Scope) -> Code:
    """Return the set itself, of a construct that can be gone through."""
    if form(node) in ENDLESS:
        raise scope.module.refuse(node, "an infinite set cannot be made")
    made = ELEMENTS[form(node)](c, node, scope)
    return made if made.constant else replace(made, text=f"frozenset({made.text})")


ENDLESS = ("Nat", "Int", "Seq", "SetOfStrings")
ELEMENTS: Mapping[str, Callable[[Compiler, Any, Scope], Code]] = {
    "..": _range,
    "DOMAIN": _domain,
    "SUBSET": _subsets,
    r"\X": _product,
    "SetOfRecords": _records,
    "SetOfFunctions": _functions,
    "SetSlice": _slice,
}

HANDLERS = {
    name: _made_set for name in ("SetOfRecords", "SetOfFunctions", "SetSlice", "SetOfStrings")
}
OPERATORS = {name: _made_set for name in ("..", "DOMAIN", "SUBSET", r"\X", "Nat", "Int", "Seq")}
