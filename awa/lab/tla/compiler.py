"""Turn a construct into Python: the machine that expressions, sets and actions share.

Owns: what a name means where it stands, arguments and LET, and constants computed ahead.
Keeps: an argument means what it means where it is written (call by name), and is computed at most
    once where that pays, and only if it is needed. What can be known at load is computed there.
Above: expressions, sets, actions and the model. Below: kinds, operators, syntax, values.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from awa.lab.tla.kinds import ANY, BOOL, NEVER, EvaluationError, Kind, kind_of
from awa.lab.tla.operators import ERRORS, NAMES
from awa.lab.tla.syntax import (
    Definition,
    Module,
    Modules,
    Node,
    Refused,
    children,
    definition_of,
    kind_name,
    operator,
)
from awa.lab.tla.values import Value

__all__ = ["Bound", "Cells", "Code", "Compiler", "Handler", "Scope", "filled"]


@dataclass(frozen=True, slots=True)
class Code:
    """A Python expression, and what is known of its value.

    It depends on the locals in `free` and, if `state`, on the state. A total one always has a
    value, so it may be computed before it is known to be needed.
    """

    text: str
    kind: Kind
    free: frozenset[str] = frozenset()
    state: bool = False
    total: bool = False

    @property
    def constant(self) -> bool:
        """Tell if it depends on nothing."""
        return not self.free and not self.state

    @property
    def atomic(self) -> bool:
        """Tell if computing it again costs nothing."""
        return self.text.removesuffix("()").isidentifier() or self.constant


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands: its names, and the states that it may read.

    `then` is None where there is no next state, and holds what is assigned so far in an action.
    """

    module: Module
    names: Mapping[str, "Code | Bound"]
    now: Mapping[str, Code]
    then: Mapping[str, Code] | None = None
    at: Code | None = None

    def having(self, names: Mapping[str, "Code | Bound"]) -> "Scope":
        """Return the scope with more names."""
        return replace(self, names={**self.names, **names})


@dataclass(frozen=True, slots=True)
class Bound:
    """An operator where it was bound; `cell` holds its value, in the state of its own scope."""

    definition: Definition
    scope: Scope
    cell: Code | None = None


Handler: TypeAlias = Callable[["Compiler", Any, Scope], Code]
Cells: TypeAlias = list[tuple[str, Code]]


class Compiler:
    """One model's definitions, and the Python that is made of them."""

    def __init__(
        self, modules: Modules, constants: Mapping[str, Value], handlers: Mapping[str, Handler]
    ) -> None:
        self.definitions = modules.definitions
        self.variables = tuple(modules.variables)
        self.handlers = handlers
        self.kinds: dict[str, Kind] = dict.fromkeys(self.variables, NEVER)
        self.globals: dict[str, Any] = {**NAMES}
        self.constants: dict[str, Code] = {}
        self.primed: dict[str, bool] = {}
        self.number = itertools.count(1)
        for name, value in constants.items():
            self.constants[name] = self.constant(value)

    # What is computed ahead.

    def constant(self, value: Value) -> Code:
        """Return the code of a value that is known."""
        if isinstance(value, bool | int | str):
            return Code(repr(value), kind_of(value), total=True)
        name = f"k{next(self.number)}"
        self.globals[name] = value
        return Code(name, kind_of(value), total=True)

    def value(self, code: Code) -> Any:
        """Compute a constant."""
        return eval(code.text, self.globals)

    def made(
        self,
        text: str,
        kind: Kind,
        parts: Sequence[Code],
        *,
        binds: Iterable[str] = (),
        total: bool = False,
    ) -> Code:
        """Return the code that is made of parts; when they are constant, so is its value."""
        return self.folded(self.joined(text, kind, parts, binds=binds, total=total))

    def folded(self, code: Code, form: Callable[[Any], Value] | None = None) -> Code:
        """Return the code of its value, in this form, if it is constant and has one."""
        if not code.constant:
            return code
        try:
            value = self.value(code)
            return self.constant(value if form is None else form(value))
        except (EvaluationError, *ERRORS):
            return replace(code, state=True)

    def joined(
        self,
        text: str,
        kind: Kind,
        parts: Sequence[Code],
        *,
        binds: Iterable[str] = (),
        total: bool = False,
    ) -> Code:
        """Return the code that is made of parts, and binds some of their locals."""
        free = frozenset().union(*(part.free for part in parts)) - frozenset(binds)
        state = any(part.state for part in parts)
        return Code(text, kind, free, state, total and all(part.total for part in parts))

    def fresh(self, name: str) -> str:
        """Return a name that no other local has."""
        return f"{name}_{next(self.number)}"

    def local(self, name: str, kind: Kind) -> Code:
        """Return the code of a local that is named after `name`."""
        text = self.fresh(name)
        return Code(text, kind, frozenset((text,)), total=True)

    def function(self, name: str, lines: Sequence[str]) -> Any:
        """Run the definition of a Python function, and return it."""
        local: dict[str, Any] = {}
        exec(compile("\n".join(lines), f"<{name}>", "exec"), self.globals, local)
        return local["made"]

    # What an expression is.

    def code(self, node: Node, scope: Scope) -> Code:
        """Return the code of an expression."""
        if node == "@":
            if scope.at is None:
                raise Refused(f"{scope.module.file}: @ outside of EXCEPT")
            return scope.at
        handler = self.handlers.get(kind_name(node))
        if handler is None:
            raise scope.module.refuse(node, f"{kind_name(node)} is no value")
        return handler(self, node, scope)

    def of(self, sort: str, node: Node, scope: Scope) -> Code:
        """Return the code of an expression whose value must be of a sort."""
        code = self.code(node, scope)
        if code.kind.sort in (sort, "never"):
            return code
        kind = Kind(sort, (ANY,) if sort == "set" else ()) if sort != "function" else ANY
        return self.made(f"ask({sort!r}, {code.text})", kind, (code,))

    def formula(self, node: Node, scope: Scope) -> Code:
        """Return the code of an expression that must be true or false."""
        return replace(self.of("bool", node, scope), kind=BOOL)

    def primed_scope(self, node: Node, scope: Scope) -> Scope:
        """Return the scope of what is primed: the next state is the state there."""
        if scope.then is None:
            raise scope.module.refuse(node, "there is no next state here")
        return replace(scope, now=scope.then, then=None)

    def variable(self, node: Node, scope: Scope) -> Code:
        """Return the code of a variable."""
        if node.operator not in scope.now:
            raise scope.module.refuse(node, f"{node.operator} is read before it has a value")
        return scope.now[node.operator]

    # What a name is.

    def find(self, node: Node, scope: Scope) -> "Code | Bound | None":
        """Return what a name stands for: a value, an operator, or nothing that is defined."""
        name = node.operator
        if name in scope.names:
            return scope.names[name]
        if name in self.definitions:
            definition = self.definitions[name]
            return Bound(definition, Scope(definition.module, {}, scope.now, scope.then))
        return self.constants.get(name)

    def enter(self, bound: Bound, node: Node, scope: Scope) -> tuple[Scope, Cells]:
        """Return the scope of an operator's body where it is applied, and the cells to fill."""
        params = bound.definition.params
        arguments = node.arguments or ()
        if len(params) != len(arguments):
            raise scope.module.refuse(node, f"an operator of {len(params)} arguments")
        inner = replace(bound.scope, now=scope.now, then=scope.then)
        body = bound.definition.body
        cells: Cells = []
        names: dict[str, Code | Bound] = {}
        for name, argument in zip(params, arguments, strict=True):
            given = Definition(name, (), argument, scope.module)
            names[name] = self.bind(given, scope, uses(name, body), cells)
        return inner.having(names), cells

    def let(self, node: Node, scope: Scope) -> tuple[Scope, Cells]:
        """Return the scope inside of a LET, and the cells to fill."""
        cells: Cells = []
        for unit in node.definitions:
            definition = definition_of(unit, scope.module)
            count = uses(definition.name, node)
            made = self.bind(definition, scope, count, cells)
            scope = scope.having({definition.name: made})
        return scope, cells

    def bind(self, given: Definition, scope: Scope, count: int, cells: Cells) -> "Code | Bound":
        """Bind a name; what is used more than once gets a cell, and is computed once."""
        if given.params or self.primes(given.body, scope):
            return Bound(given, scope)
        code = self.code(given.body, scope)
        if code.atomic and not code.state:
            return code
        if code.atomic or count < 2:
            return Bound(given, scope)
        cell = self.local(given.name, code.kind)
        cells.append((cell.text, code))
        called = cell.text if code.total else f"{cell.text}()"
        return Bound(given, scope, replace(cell, text=called, state=code.state, total=code.total))

    def wrap(self, cells: Cells, code: Code) -> Code:
        """Return the code with its cells filled around it."""
        for cell, filling in reversed(cells):
            text = f"(lambda {cell}: {code.text})({filled(filling)})"
            code = self.joined(text, code.kind, (code, filling), binds=(cell,), total=code.total)
        return code

    def apply(self, bound: Bound, node: Node, scope: Scope) -> Code:
        """Return the code of an operator that is applied."""
        if bound.cell is not None and bound.scope.now is scope.now:
            return bound.cell
        name = bound.definition.name
        if name in self.constants and self.definitions.get(name) is bound.definition:
            return self.constants[name]
        inner, cells = self.enter(bound, node, scope)
        made = self.wrap(cells, self.code(bound.definition.body, inner))
        if made.constant and not bound.definition.params and not bound.scope.names:
            self.constants[name] = made
        return made

    def primes(self, node: Node, scope: Scope) -> bool:
        """Tell if an expression speaks of the next state."""
        if not hasattr(node, "symbol"):
            return False
        if kind_name(node) == "OperatorApplication":
            if operator(node) in ("'", "UNCHANGED"):
                return True
            found = self.find(node, scope)
            if isinstance(found, Bound) and self._primed(found, scope):
                return True
        inner = scope
        if kind_name(node) == "Let":
            made = [definition_of(unit, scope.module) for unit in node.definitions]
            inner = scope.having({one.name: Bound(one, scope) for one in made})
        return any(self.primes(child, inner) for child in children(node))

    def _primed(self, bound: Bound, scope: Scope) -> bool:
        definition = bound.definition
        if self.definitions.get(definition.name) is not definition:
            return self.primes(definition.body, replace(bound.scope, now=scope.now))
        if definition.name not in self.primed:
            self.primed[definition.name] = self.primes(definition.body, bound.scope)
        return self.primed[definition.name]


def filled(code: Code) -> str:
    """Return what a cell is filled with: the value, or what computes it when it is needed."""
    return code.text if code.total else f"once(lambda: {code.text})"


def uses(name: str, node: Node) -> int:
    """Count how often a name is used: twice stands for more, and for use under a binder."""
    if not hasattr(node, "symbol"):
        return 0
    if kind_name(node) == "OperatorApplication" and node.operator == name:
        return 1 + sum(uses(name, child) for child in children(node))
    count = sum(uses(name, child) for child in children(node))
    repeats = kind_name(node) in (
        "Quantification", "SetSlice", "SetComprehension", "Choose", "Function", "Except",
        "OperatorDefinition",
    )  # fmt: skip
    return 2 * count if repeats else count
