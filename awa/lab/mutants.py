r"""Mutants of a model: one guard dropped, one comparison turned round, one variable left as it was.

Owns: which mutants a model has, the text of each, and the comments that call one inert.
Keeps: a mutant parts from its model in one construct, and keeps the lines around it.
    What only a fact speaks of is not touched: a fact is to be failed, and not to be changed.
Above: spec/mutants.py, which judges them. Below: errors, tla.

An action and every operator that `Next` needs is mutated: each condition in a conjunction is
dropped once, each comparison turned round once, each `x' = ...` replaced by `UNCHANGED x` once. An
operator that a fact needs as well is left alone, if it is no action; where it is called it is
dropped like any condition. A comment `\* inert: why` on the last line of a construct says that
nothing is lost without it.
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from awa.errors import AwaError
from awa.lab.tla.leaves import form
from awa.lab.tla.syntax import (
    Definition,
    Module,
    Modules,
    Node,
    children,
    is_node,
    kind_name,
    operator,
)

__all__ = ["Mutant", "MutantError", "mutants", "needed"]

INERT = re.compile(r"\\\*.*?\binert(?: here)?( turned)?: (.+?)\s*$")

TURNED = {
    "=": "#", "#": "=", "<": "<=", "<=": "<", ">": ">=", ">=": ">", r"\in": r"\notin",
    r"\notin": r"\in",
}  # fmt: skip


class MutantError(AwaError):
    """A model whose mutants are not what its comments say; the message says where."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A model with one construct replaced, from `start` to `end`, both a line and a column."""

    model: str
    operator: str
    how: str
    """`dropped`, `turned` or `kept`."""
    text: str
    start: tuple[int, int]
    end: tuple[int, int]
    put: str
    nth: int = 1
    inert: str = ""

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What it is called by: it stays the same when lines move."""
        return self.model, self.operator, self.how, self.text, self.nth

    def apply(self, lines: Sequence[str]) -> str:
        """Return the mutant's text; what stands behind the construct keeps its column."""
        rows = list(lines)
        (first, left), (last, right) = self.start, self.end
        if first == last:
            rows[first] = rows[first][:left] + self.put.ljust(right - left) + rows[first][right:]
        else:
            rows[first] = rows[first][:left] + self.put
            rows[first + 1 : last] = [""] * (last - first - 1)
            rows[last] = " " * right + rows[last][right:]
        return "\n".join(rows) + "\n"


def needed(modules: Modules, names: Iterable[str], but: Container[str] = ()) -> set[str]:
    """Return the operators that these are made of, and these; not what only `but` is made of."""
    found: set[str] = set()
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        if name in found or name in but:
            continue
        if name in modules.definitions:
            found.add(name)
            waiting += _named(modules.definitions[name].body)
        elif name in modules.instances:
            found.add(name)
            waiting += _named(modules.instances[name][0])
    return found


def mutants(modules: Modules, model: str, facts: Container[str]) -> list[Mutant]:
    """Return all mutants of a model, in the order of its text; refuse a comment that fits none.

    `facts` are the operators that facts need.
    """
    module = modules.loaded[model]
    found: list[Mutant] = []
    for name in needed(modules, ["Next"]):
        definition = modules.definitions[name]
        maker = _Maker(modules, definition)
        if definition.module is module and (name not in facts or maker.acts(definition.body)):
            found += maker.make()
    found.sort(key=lambda one: (one.start, one.end, one.how))
    _refuse_stray(module, found)
    return list(_numbered(found))


def _named(node: Node) -> Iterator[str]:
    """Return the names that a construct applies; of `Job!Spec`, the instance's."""
    for part in _descend(node):
        name = getattr(part, "operator", None)
        if isinstance(name, str):
            yield name


def _descend(node: Node) -> Iterator[Node]:
    """Return a node and all below it, but not what a quantifier, or the like, declares."""
    yield node
    declared = [getattr(node, field, ()) for field in ("declarations", "declaration")]
    for child in children(node):
        if any(child is one for one in _flat(declared)):
            yield from _descend(child.arguments[1]) if child.arguments else ()
        else:
            yield from _descend(child)


def _flat(items: Sequence[Any]) -> Iterator[Any]:
    """Return the nodes in lists of lists."""
    for item in items:
        yield from (
            [item] if is_node(item) else _flat(item) if isinstance(item, list | tuple) else ()
        )


def _numbered(found: Sequence[Mutant]) -> Iterator[Mutant]:
    """Tell apart what stands in one operator more than once."""
    seen: Counter[tuple[str, str, str, str, int]] = Counter()
    for one in found:
        seen[one.key] += 1
        yield replace(one, nth=seen[one.key])


def _refuse_stray(module: Module, found: Sequence[Mutant]) -> None:
    """Refuse a comment that calls something inert, where nothing is mutated."""
    for number, row in enumerate(module.lines):
        said = INERT.search(row)
        if said and not any(one.inert == said[2] and one.end[0] == number for one in found):
            raise MutantError(f"{module.file}:{number + 1}: nothing here is dropped: {said[0]}")


class _Maker:
    """The walk over one operator that makes its mutants."""

    def __init__(self, modules: Modules, definition: Definition) -> None:
        self.modules = modules
        self.definition = definition
        self.module = definition.module
        self.actions: dict[str, bool] = {}

    def make(self) -> Iterator[Mutant]:
        """Return the mutants of the operator."""
        for node in _descend(self.definition.body):
            kind = form(node)
            if kind == "/\\":
                yield from self._dropped(node)
            elif kind in TURNED and kind_name(node) == "OperatorApplication":
                yield from self._kept(node) if self.acts(node) else self._turned(node)

    def acts(self, node: Node) -> bool:
        """Tell if a construct speaks of the next state."""
        return any(
            form(part) in ("'", "UNCHANGED") or self._acts(getattr(part, "operator", ""))
            for part in _descend(node)
        )

    def _acts(self, name: str) -> bool:
        if name not in self.actions:
            definition = self.modules.definitions.get(name)
            self.actions[name] = definition is not None and self.acts(definition.body)
        return self.actions[name]

    def _dropped(self, node: Node) -> Iterator[Mutant]:
        for part in node.arguments:
            while kind_name(part) in ("VerticalItem", "Parentheses"):
                part = part.expression
            if form(part) != "/\\" and not self.acts(part):
                yield self._mutant("dropped", part, self.module.text(part), "TRUE", part)

    def _kept(self, node: Node) -> Iterator[Mutant]:
        changed = node.arguments[0]
        if operator(node) == "=" and form(changed) == "'":
            name = self.module.text(changed.arguments[0])
            yield self._mutant("kept", node, self.module.text(node), f"UNCHANGED {name}", node)

    def _turned(self, node: Node) -> Iterator[Mutant]:
        one, other = node.arguments
        if "@" in (one, other):
            return
        (line, left), (other_line, right) = one.end, other.start
        if line != other_line:
            raise self.module.refuse(node, "a comparison over two lines")
        between = self.module.lines[line][left:right]
        put = between.replace(node.operator, TURNED[operator(node)])
        text = f"{self.module.text(one)}{put}{self.module.text(other)}"
        place = node._replace(start=one.end, end=other.start)
        yield self._mutant("turned", place, text, put, node)

    def _mutant(self, how: str, place: Node, text: str, put: str, whole: Node) -> Mutant:
        said = INERT.search(self.module.lines[whole.end[0]])
        why = said[2] if said and bool(said[1]) == (how == "turned") else ""
        name, start, end = self.definition.name, tuple(place.start), tuple(place.end)
        return Mutant(self.module.name, name, how, text, start, end, put, inert=why)
