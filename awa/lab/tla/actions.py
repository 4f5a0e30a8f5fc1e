"""Actions: the steps that a part of a next-state relation allows.

Owns: the Python that finds the successors by one action.
Keeps: a variable is given a value once and only compared after that; an action that leaves one
    without a value is refused. A step found twice is listed twice, as TLC counts it.
Above: the model. Below: builtin, compiler, kinds, leaves, sets, syntax.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

from awa.lab.tla.builtin import compared, unchanged
from awa.lab.tla.compiler import Bound, Cells, Code, Compiler, Scope, filled
from awa.lab.tla.kinds import join
from awa.lab.tla.leaves import Binder, Leaf, form, now_of
from awa.lab.tla.sets import binders, elements, member
from awa.lab.tla.syntax import Node, kind_name

__all__ = ["Lines", "Writer", "reading"]

Rest: TypeAlias = Callable[[Scope], None]


def reading(c: Compiler, rows: Sequence[str]) -> list[str]:
    """Return lines that begin by reading the variables which they use more than once."""
    text = "\n".join(rows)
    heads = []
    for prefix, state in (("v", "s"), ("n", "t")):
        for at, name in enumerate(c.variables):
            count = len(re.findall(rf"\b{prefix}_{name}\b", text))
            if count > 1:
                heads.append(f"  {prefix}_{name} = {state}[{at}]")
            elif count:
                text = re.sub(rf"\b{prefix}_{name}\b", f"{state}[{at}]", text)
    return [*heads, *text.split("\n")]


@dataclass(slots=True)
class Lines:
    """Python lines, indented as blocks are opened."""

    rows: list[str] = field(default_factory=list)
    depth: int = 1

    def add(self, row: str) -> None:
        """Write one line."""
        self.rows.append("  " * self.depth + row)

    @contextmanager
    def block(self, row: str) -> Iterator[None]:
        """Write a line that opens a block, and the block in it."""
        self.add(row)
        self.depth += 1
        yield
        self.depth -= 1

    @contextmanager
    def blocks(self, rows: Sequence[str]) -> Iterator[None]:
        """Open one block in another."""
        for row in rows:
            self.add(f"{row}:")
            self.depth += 1
        yield
        self.depth -= len(rows)

    def fill(self, cells: Cells) -> None:
        """Fill the cells of an operator or a LET."""
        for cell, code in cells:
            self.add(f"{cell} = {filled(code)}")


class Writer:
    """The writing of one action as Python: each way through it assigns, and ends in `done`.

    With `every_way`, each way to make a condition true is a way through the action, as for TLC,
    which counts them.
    """

    def __init__(self, c: Compiler, *, initial: bool = False, every_way: bool = False) -> None:
        self.c = c
        self.initial = initial
        self.every_way = initial or every_way
        self.lines = Lines()

    def act(self, node: Node, scope: Scope, rest: Rest) -> None:
        """Write an action, and after each way through it what comes next."""
        handlers = {
            "Parentheses": self._inside, "VerticalItem": self._inside, "/\\": self._all,
            "\\/": self._any, "\\E": self._exists, "If": self._if, "Cases": self._case,
            "Let": self._let, "UNCHANGED": self._unchanged, "=": self._assign,
            r"\in": self._assign_one_of,
        }  # fmt: skip
        kind = form(node)
        found = self.c.find(node, scope) if kind_name(node) == "OperatorApplication" else None
        opened = self.every_way or self.c.primes(node, scope)
        if isinstance(found, Bound) and found.cell is None and opened:
            self._call(found, node, scope, rest)
        elif kind in handlers and opened:
            handlers[kind](node, scope, rest)
        else:
            self._guard(node, scope, rest)

    def _inside(self, node: Node, scope: Scope, rest: Rest) -> None:
        self.act(node.expression, scope, rest)

    def _all(self, node: Node, scope: Scope, rest: Rest) -> None:
        first, *others = node.arguments
        for part in reversed(others):
            rest = self._then_on(scope, partial(self.act, part, rest=rest))
        self.act(first, scope, rest)

    def _any(self, node: Node, scope: Scope, rest: Rest) -> None:
        for part in node.arguments:
            self.act(part, scope, rest)

    def _exists(self, node: Node, scope: Scope, rest: Rest) -> None:
        ranges = binders(self.c, node.declarations, scope)
        with self.lines.blocks(ranges.rows):
            self.act(node.predicate, ranges.scope, rest)

    def _if(self, node: Node, scope: Scope, rest: Rest) -> None:
        with self.lines.block(f"if {self.c.formula(node.predicate, scope).text}:"):
            self.act(node.then, scope, rest)
        with self.lines.block("else:"):
            self.act(node.else_, scope, rest)

    def _case(self, node: Node, scope: Scope, rest: Rest) -> None:
        word = "if"
        for arm in node.cases:
            with self.lines.block(f"{word} {self.c.formula(arm.predicate, scope).text}:"):
                self.act(arm.expression, scope, rest)
            word = "elif"
        with self.lines.block("else:"):
            if node.other is None:
                self.lines.add("no_case()")
            else:
                self.act(node.other, scope, rest)

    def _let(self, node: Node, scope: Scope, rest: Rest) -> None:
        inner, cells = self.c.let(node, scope)
        self.lines.fill(cells)
        self.act(node.expression, inner, rest)

    def _call(self, found: Bound, node: Node, scope: Scope, rest: Rest) -> None:
        inner, cells = self.c.enter(found, node, scope)
        self.lines.fill(cells)
        self.act(found.definition.body, inner, rest)

    def _guard(self, node: Node, scope: Scope, rest: Rest) -> None:
        code = self.c.formula(node, scope)
        if code.text == "False":
            self.lines.add("pass")
            return
        with self.lines.block(f"if {code.text}:"):
            rest(scope)

    def _unchanged(self, node: Node, scope: Scope, rest: Rest) -> None:
        tests = []
        then = dict(scope.then or {})
        for name in unchanged(self.c, node.arguments[0], scope):
            if name in then:
                tests.append(compared(self.c, then[name], scope.now[name]).text)
            then[name] = scope.now[name]
        scope = replace(scope, then=then)
        if not tests:
            rest(scope)
            return
        with self.lines.block(f"if {' and '.join(tests)}:"):
            rest(scope)

    def _target(self, node: Node, scope: Scope) -> str | None:
        """Return the variable that a comparison gives its value to, if it has none yet."""
        left = node.arguments[0]
        if not self.initial:
            if form(left) != "'":
                return None
            left = left.arguments[0]
        given = scope.now if self.initial else scope.then or {}
        is_variable = kind_name(left) == "OperatorApplication" and left.operator in self.c.variables
        return left.operator if is_variable and left.operator not in given else None

    def _assign(self, node: Node, scope: Scope, rest: Rest) -> None:
        name = self._target(node, scope)
        if name is None:
            self._guard(node, scope, rest)
            return
        code = self.c.code(node.arguments[1], scope)
        if not code.atomic:
            local = self.c.fresh(name)
            self.lines.add(f"{local} = {code.text}")
            code = replace(code, text=local)
        rest(self._given(name, code, scope))

    def _assign_one_of(self, node: Node, scope: Scope, rest: Rest) -> None:
        name = self._target(node, scope)
        if name is None:
            self._guard(node, scope, rest)
            return
        values = elements(self.c, node.arguments[1], scope)
        local = self.c.local(name, values.kind.item)
        with self.lines.block(f"for {local.text} in {values.text}:"):
            rest(self._given(name, local, scope))

    def _given(self, name: str, code: Code, scope: Scope) -> Scope:
        code = replace(code, state=True, free=frozenset())
        if self.initial:
            return replace(scope, now={**scope.now, name: code})
        return replace(scope, then={**(scope.then or {}), name: code})

    def done(self, node: Node, row: str) -> Rest:
        """Return the end of a way: all variables have values, and the state is listed."""

        def end(scope: Scope) -> None:
            given = scope.now if self.initial else scope.then or {}
            missing = [name for name in self.c.variables if name not in given]
            if missing:
                raise scope.module.refuse(node, f"no value for {', '.join(missing)}")
            for name in self.c.variables:
                self.c.kinds[name] = join(self.c.kinds[name], given[name].kind)
            state = "".join(f"{given[name].text}, " for name in self.c.variables)
            self.lines.add(row.format(state=f"({state})"))

        return end

    def leaf(self, leaf: Leaf, given: Sequence[Code], row: str) -> None:
        """Write one action of Next: with arguments that are given, or with all that there are."""
        scope = replace(leaf.scope, now=now_of(self.c, "v"), then={})
        arguments = [self.c.code(argument, scope) for argument in leaf.arguments]
        asked = dict(zip((made.text for made in arguments), given, strict=False))
        row = row.replace("{args}", "(" + "".join(f"{made.text}, " for made in arguments) + ")")
        locals_ = {part.local.text for part in leaf.around if isinstance(part, Binder)}
        pairs = zip(arguments, given, strict=False)
        loose = [(a, g) for a, g in pairs if a.text not in locals_ or asked[a.text] is not g]

        def around(at: int, so_far: Scope) -> None:
            if at == len(leaf.around):
                self._asked(loose, lambda: self.act(leaf.node, so_far, self.done(leaf.node, row)))
                return
            part = leaf.around[at]
            within = replace(part.scope, now=so_far.now, then=so_far.then)
            if isinstance(part, Binder):
                self._bound(
                    part, asked.get(part.local.text), within, lambda: around(at + 1, so_far)
                )
            else:
                self.act(part.node, within, self._then_on(so_far, lambda s: around(at + 1, s)))

        around(0, scope)

    def _then_on(self, scope: Scope, rest: Rest) -> Rest:
        """Return what goes on in a scope, with the states so far."""
        return lambda so_far: rest(replace(scope, now=so_far.now, then=so_far.then))

    def _asked(self, loose: Sequence[tuple[Code, Code]], rest: Callable[[], None]) -> None:
        tests = [f"if {made.text} == {given.text}" for made, given in loose]
        with self.lines.blocks(tests):
            rest()

    def _bound(
        self, binder: Binder, given: Code | None, scope: Scope, rest: Callable[[], None]
    ) -> None:
        local = binder.local
        if given is None:
            row = f"for {local.text} in {elements(self.c, binder.values, scope).text}:"
        else:
            self.lines.add(f"{local.text} = {given.text}")
            row = f"if {member(self.c, local, binder.values, scope).text}:"
        with self.lines.block(row):
            rest()
