"""Why an action does not happen: the innermost of its conditions that are false.

Owns: the conditions of an action, and the Python that tells which of them fail.
Keeps: what is told of a step that was refused is a condition of the action, or the bound of what
    it was asked for. A condition that has no value, because another fails, is not told, and none
    that speaks of the next state.
Above: the model. Below: actions, compiler, leaves, sets, syntax.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from awa.lab.tla.actions import Lines, reading
from awa.lab.tla.compiler import Bound, Code, Compiler, Scope
from awa.lab.tla.leaves import Binder, Leaf, form, now_of
from awa.lab.tla.sets import binders, elements, member
from awa.lab.tla.syntax import Module, Node, bounds, kind_name

__all__ = ["Explainer", "Guard"]


@dataclass(frozen=True, slots=True, order=True)
class Guard:
    """A condition of an action, and its place in the source; lines and columns count from 1."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str


class Explainer:
    """The writing of one function that returns, by number, the conditions that fail."""

    def __init__(self, c: Compiler) -> None:
        self.c = c
        self.lines = Lines()
        self.guards: list[Guard] = []
        self.conditions: list[Guard] = []

    def explain(self, leaves: Sequence[Leaf]) -> Callable[..., list[int]]:
        """Make the function for the places at which Next reaches one action."""
        params = [f"a{at}" for at in range(len(leaves[0].arguments))]
        self.lines.add("found = []")
        with self._ways("found", -1) as ways:
            for leaf in leaves:
                self._leaf(leaf, params, self._way(ways))
        self.lines.add("return found")
        rows = reading(self.c, self.lines.rows)
        made: Callable[..., list[int]] = self.c.function(
            f"why not {leaves[0].name}", [f"def made({', '.join(['s', *params])}):", *rows]
        )
        return made

    def _leaf(self, leaf: Leaf, params: Sequence[str], found: str) -> None:
        scope = replace(leaf.scope, now=now_of(self.c, "v"), then={})
        arguments = [self.c.code(argument, scope).text for argument in leaf.arguments]
        self._around(leaf, 0, dict(zip(arguments, params, strict=True)), found)

    def _around(self, leaf: Leaf, at: int, given: Mapping[str, str], found: str) -> None:
        """Write what stands around an action from some place on, and the action in it."""
        part = leaf.around[at] if at < len(leaf.around) else leaf
        scope = replace(part.scope, now=now_of(self.c, "v"), then={})
        if not isinstance(part, Binder):
            if part is leaf:
                self._arguments(leaf, given, scope, found)
            self.walk(part.node, scope, found)
            if part is not leaf:
                self._around(leaf, at + 1, given, found)
            return
        local = part.local.text
        number = self._bound(part.name, part.values, scope.module)
        if local in given:
            self.lines.add(f"{local} = {given[local]}")
            self._test(member(self.c, part.local, part.values, scope), number, found)
            self._around(leaf, at + 1, given, found)
            return
        row = f"for {local} in {elements(self.c, part.values, scope).text}:"
        with self._ways(found, number) as ways, self.lines.block(row):
            self._around(leaf, at + 1, given, self._way(ways))

    def _arguments(self, leaf: Leaf, given: Mapping[str, str], scope: Scope, found: str) -> None:
        """Write that an argument is told, if Next gives another than what is asked for."""
        locals_ = [part.local.text for part in leaf.around if isinstance(part, Binder)]
        for argument in leaf.arguments:
            made = self.c.code(argument, scope)
            if made.text not in locals_:
                number = self._number(argument, scope.module, scope.module.text(argument))
                self._test(
                    replace(made, text=f"({made.text} == {given[made.text]})"), number, found
                )

    def _number(self, node: Node, module: Module, text: str) -> int:
        (line, column), (end_line, end_column) = node.start, node.end
        made = Guard(module.file, line + 1, column + 1, end_line + 1, end_column + 1, text)
        if made not in self.guards:
            self.guards.append(made)
        return self.guards.index(made)

    def _bound(self, name: str, values: Node, module: Module) -> int:
        return self._number(values, module, f"{name} \\in {module.text(values)}")

    def _test(self, code: Code, number: int, found: str) -> None:
        """Write that a condition is told, if it is false."""
        with self.lines.block("try:"):
            self.lines.add(f"if not {code.text}: {found}.append({number})")
        self.lines.add("except UNDEFINED: pass")

    @contextmanager
    def _ways(self, found: str, number: int) -> Iterator[str]:
        """Write that one of several ways must be open; a bound is told if there is no way."""
        ways = self.c.fresh("ways")
        self.lines.add(f"{ways} = []")
        with self.lines.block("try:"):
            yield ways
        self.lines.add("except UNDEFINED: pass")
        self.lines.add(f"{found} += told({ways}, {number})")

    def _way(self, ways: str) -> str:
        way = self.c.fresh("way")
        self.lines.add(f"{way} = []")
        self.lines.add(f"{ways}.append({way})")
        return way

    def walk(self, node: Node, scope: Scope, found: str) -> None:
        """Write the conditions of an action, or of a condition that is made of several."""
        kind = form(node)
        called = self.c.find(node, scope) if kind_name(node) == "OperatorApplication" else None
        action = self.c.primes(node, scope)
        if kind in ("Parentheses", "VerticalItem"):
            self.walk(node.expression, scope, found)
        elif kind == "/\\":
            for part in node.arguments:
                self.walk(part, scope, found)
        elif isinstance(called, Bound) and (action or _several(called)):
            inner, cells = self.c.enter(called, node, scope)
            self.lines.fill(cells)
            self.walk(called.definition.body, inner, found)
        elif not action:
            number = self._number(node, scope.module, scope.module.text(node))
            if self.guards[number] not in self.conditions:
                self.conditions.append(self.guards[number])
            self._test(self.c.formula(node, scope), number, found)
        elif kind in WALKS:
            WALKS[kind](self, node, scope, found)

    def _any(self, node: Node, scope: Scope, found: str) -> None:
        with self._ways(found, -1) as ways:
            for part in node.arguments:
                self.walk(part, scope, self._way(ways))

    def _exists(self, node: Node, scope: Scope, found: str) -> None:
        ranges = binders(self.c, node.declarations, scope)
        pattern, values = bounds(node.declarations, scope.module)[0]
        number = self._bound(scope.module.text(pattern), values, scope.module)
        with self._ways(found, number) as ways, self.lines.blocks(ranges.rows):
            self.walk(node.predicate, ranges.scope, self._way(ways))

    def _if(self, node: Node, scope: Scope, found: str) -> None:
        with self.lines.block("try:"):
            with self.lines.block(f"if {self.c.formula(node.predicate, scope).text}:"):
                self.walk(node.then, scope, found)
                self.lines.add("pass")
            with self.lines.block("else:"):
                self.walk(node.else_, scope, found)
                self.lines.add("pass")
        self.lines.add("except UNDEFINED: pass")

    def _case(self, node: Node, scope: Scope, found: str) -> None:
        with self.lines.block("try:"):
            for at, arm in enumerate(node.cases):
                test = self.c.formula(arm.predicate, scope).text
                with self.lines.block(f"{'elif' if at else 'if'} {test}:"):
                    self.walk(arm.expression, scope, found)
                    self.lines.add("pass")
            with self.lines.block("else:"):
                if node.other is not None:
                    self.walk(node.other, scope, found)
                self.lines.add("pass")
        self.lines.add("except UNDEFINED: pass")

    def _let(self, node: Node, scope: Scope, found: str) -> None:
        inner, cells = self.c.let(node, scope)
        self.lines.fill(cells)
        self.walk(node.expression, inner, found)


def _several(called: Bound) -> bool:
    """Tell if a condition is made of several, and what is told is one of these."""
    node = called.definition.body
    while kind_name(node) == "Parentheses":
        node = node.expression
    return called.cell is None and form(node) == "/\\"


WALKS: dict[str, Callable[[Explainer, Any, Scope, str], None]] = {
    "\\/": Explainer._any,
    "\\E": Explainer._exists,
    "If": Explainer._if,
    "Cases": Explainer._case,
    "Let": Explainer._let,
}
"""How an action is walked; what is none of these gives a variable its value, and never fails."""
