r"""Read the modules of a model, and refuse whatever is outside the subset that is understood.

Owns: the subset, the modules that a module is made of, and where a construct stands.
Keeps: every construct of every module is looked at, reached or not. An unknown one, a recursion,
    an operator that is not declared: each is refused with its file and line.
Above: the compiler and the model. Below: errors; the package `tla`, which the extra
    `spec` brings and without which every model is refused.

The subset: constants and variables; operators with parameters that are values, none recursive;
sets, functions, records, tuples, sequences, integers, strings and booleans, with the operators of
BUILT_IN; IF, CASE, LET, CHOOSE; quantifiers with bounds; actions made of assignments, UNCHANGED,
conjunction, disjunction, \E, IF, CASE, LET and other actions; `[][A]_v` and `[]P` as properties,
fairness and `~>` by name only; a named INSTANCE without parameters, as a property.
"""

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from awa.errors import AwaError

PARSER = importlib.util.find_spec("tla")
"""What reads a model, loaded for the first; None where the extra `spec` is not installed."""

__all__ = [
    "Definition",
    "Module",
    "Modules",
    "Node",
    "Refused",
    "children",
    "kind_name",
    "operator",
    "parse_expression",
]

Node: TypeAlias = Any
"""A node of the parser's tree: a named tuple with `start` and `end`."""

# fmt: off
_LOGIC = (
    "=", "#", r"\in", r"\notin", "/\\", "\\/", "~", "=>", "<=>", "'", "UNCHANGED", "[]", "<>", "~>",
    "@",
)
_SETS = (r"\cup", r"\cap", "\\", r"\subseteq", r"\X", "SUBSET", "UNION", "DOMAIN")
_NUMBERS = ("+", "-", "*", r"\div", "%", "<", ">", "<=", ">=", "..", "Nat")
# fmt: on
BUILT_IN: Mapping[str, Sequence[str]] = {
    "": [*_LOGIC, *_SETS],
    "Naturals": _NUMBERS,
    "Integers": [*_NUMBERS, "Int", "-."],
    "Sequences": ["Len", "Append", "Head", "Tail", "SubSeq", "Seq", r"\o"],
    "FiniteSets": ["Cardinality"],
    "TLC": [":>", "@@"],
}
"""The operators that need no definition, by the module that has to be extended for them."""

SYNONYMS = {
    "/=": "#", r"\land": "/\\", r"\lor": "\\/", r"\lnot": "~", r"\neg": "~", r"\equiv": "<=>",
    r"\union": r"\cup", r"\intersect": r"\cap", r"\times": r"\X", r"\leq": "<=", "=<": "<=",
    r"\geq": ">=", r"\circ": r"\o",
}  # fmt: skip

_NODES = frozenset((
    "Axiom", "BooleanLiteral", "CaseItem", "Cases", "Choose", "Constants", "Except", "Fairness",
    "Field", "Function", "FunctionApplication", "FunctionChange", "If", "Instance",
    "IntegralNumeral", "KeyBound", "Let", "OperatorApplication", "OperatorDefinition",
    "Parentheses", "Quantification", "Record", "SetComprehension", "SetEnumeration",
    "SetOfBooleans", "SetOfFunctions", "SetOfRecords", "SetOfStrings", "SetSlice", "StringLiteral",
    "SubexpressionReference", "SubscriptedAction", "Tuple", "Variables", "VerticalItem",
    "VerticalList", "WithInstantiation",
))  # fmt: skip


# fmt: off
RANKS: Mapping[str, tuple[int, int]] = {
    "=>": (1, 1), "<=>": (2, 2), "~>": (2, 2), "/\\": (3, 3), "\\/": (3, 3), "~": (4, 4),
    "[]": (4, 15), "<>": (4, 15), "UNCHANGED": (4, 15), "=": (5, 5), "#": (5, 5), "<": (5, 5),
    ">": (5, 5), "<=": (5, 5), ">=": (5, 5), r"\in": (5, 5), r"\notin": (5, 5),
    r"\subseteq": (5, 5), "@@": (6, 6), ":>": (7, 7), r"\cup": (8, 8), r"\cap": (8, 8),
    "\\": (8, 8), "SUBSET": (8, 8), "UNION": (8, 8), "..": (9, 9), "DOMAIN": (9, 9),
    "+": (10, 10), "-": (11, 11), "%": (10, 11), r"\X": (10, 13), "-.": (12, 12), "*": (13, 13),
    r"\div": (13, 13), r"\o": (13, 13), "'": (15, 15),
}
"""How tightly an operator binds, as the language defines it."""

CHAINED = ("/\\", "\\/", "@@", r"\cup", r"\cap", "+", "-", "*", r"\o")
# fmt: on


class Refused(AwaError):
    """A model holds something that is not understood; the message says what, and where."""


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """One module's text and tree."""

    name: str
    file: str
    lines: Sequence[str]
    extends: Sequence[str]
    units: Sequence[Node]

    def text(self, node: Node) -> str:
        """Return a construct as it stands in the source, on one line."""
        (first, left), (last, right) = node.start, node.end
        rows = list(self.lines[first : last + 1])
        rows[-1] = rows[-1][:right]
        rows[0] = rows[0][left:]
        return " ".join(" ".join(row.partition("\\*")[0] for row in rows).split())

    def refuse(self, node: Node, why: str) -> Refused:
        """Make the error that names a construct and its place."""
        if not hasattr(node, "start"):
            return Refused(f"{self.file}: {why}: {node}")
        return Refused(f"{self.file}:{node.start.line + 1}: {why}: {self.text(node)[:80]}")


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """An operator: a name, the names of its parameters, and what it stands for."""

    name: str
    params: tuple[str, ...]
    body: Node
    module: Module


def kind_name(node: Node) -> str:
    """Return what sort of construct a node is."""
    return type(node).__name__


def is_node(item: object) -> bool:
    """Tell a node from a name, a position and a list."""
    return hasattr(item, "symbol")


def children(node: Node) -> Iterator[Node]:
    """Return the nodes right below a node."""
    found = [getattr(node, field) for field in node._fields[1:-2]]
    while found:
        item = found.pop(0)
        if is_node(item):
            yield item
        elif isinstance(item, list | tuple):
            found = [*item, *found]


def descend(node: Node) -> Iterator[Node]:
    """Return a node and all below it."""
    yield node
    for child in children(node):
        yield from descend(child)


def operator(node: Node) -> str:
    """Return the operator that is applied, by the first of its names; a negative sign is `-.`."""
    name = str(SYNONYMS.get(node.operator, node.operator))
    return "-." if name == "-" and len(node.arguments or ()) == 1 else name


class Modules:
    """A module with all that it extends, in one space of names."""

    def __init__(self, name: str, folders: Sequence[Path], sources: Mapping[str, str]) -> None:
        self.folders = folders
        self.sources = sources
        self.loaded: dict[str, Module] = {}
        self.constants: list[str] = []
        self.variables: list[str] = []
        self.definitions: dict[str, Definition] = {}
        self.instances: dict[str, tuple[Node, Module]] = {}
        self.assumptions: list[tuple[Node, Module]] = []
        self.built_in = set(BUILT_IN[""])
        self._load(name)
        for module in self.loaded.values():
            _Check(self, module).run()
        for definition in self.definitions.values():
            self._refuse_recursion(definition, ())

    def beside(self, name: str) -> "Modules":
        """Return another module, found where this one was."""
        return Modules(name, self.folders, self.sources)

    def check(self, node: Node, module: Module) -> None:
        """Refuse an expression as one of a module's would be."""
        _Check(self, module).look(node)

    def override(self, name: str, other: str) -> None:
        """Put one operator in the place of another, or of a constant."""
        if other not in self.definitions or name not in {*self.definitions, *self.constants}:
            raise Refused(f"{name} <- {other}: there is no such operator")
        if name in self.constants:
            self.constants.remove(name)
        self.definitions[name] = self.definitions[other]
        self._refuse_recursion(self.definitions[name], ())

    def _load(self, name: str) -> None:
        if name in self.loaded:
            return
        module = self._parse(name)
        for other in module.extends:
            if other in BUILT_IN:
                self.built_in.update(BUILT_IN[other])
            else:
                self._load(other)
        self.loaded[name] = module
        for unit in module.units:
            self._declare(unit, module)

    def _parse(self, name: str) -> Module:
        files = [path for folder in self.folders if (path := folder / f"{name}.tla").is_file()]
        if name in self.sources:
            return parse(self.sources[name], f"{name}.tla")
        if not files:
            raise Refused(f"module {name} is neither in {self.folders[0]} nor understood")
        return parse(files[0].read_text(), files[0].name)

    def _declare(self, unit: Node, module: Module) -> None:
        kind = kind_name(unit)
        if kind in ("Constants", "Variables"):
            names = self.constants if kind == "Constants" else self.variables
            if any(declared.arguments for declared in unit.names):
                raise module.refuse(unit, "a constant with parameters")
            names += [declared.operator for declared in unit.names]
        elif kind == "Axiom":
            self.assumptions.append((unit.expression, module))
        elif kind == "OperatorDefinition":
            self._define(unit, module)
        else:
            raise module.refuse(unit, f"{kind} is not understood")

    def _define(self, unit: Node, module: Module) -> None:
        known = {*self.built_in, *self.definitions, *self.instances}
        if unit.name in known or unit.name in [*self.constants, *self.variables]:
            raise module.refuse(unit, f"{unit.name} is defined twice")
        if kind_name(unit.definiens) == "Instance":
            self.instances[unit.name] = (unit.definiens, module)
        else:
            self.definitions[unit.name] = definition_of(unit, module)

    def _refuse_recursion(self, definition: Definition, above: tuple[Definition, ...]) -> None:
        for node in descend(definition.body):
            called = self.definitions.get(getattr(node, "operator", ""))
            if called in (*above, definition):
                raise definition.module.refuse(node, "recursion is not understood")
            if called is not None:
                self._refuse_recursion(called, (*above, definition))


@lru_cache(maxsize=64)
def parse(text: str, file: str) -> Module:
    """Parse a module's text."""
    tree = _asked("parse", text, file)
    if tree is None:
        raise Refused(f"{file}: the parser finds no module")
    extends = tuple(str(node.operator) for node in tree.extendees or ())
    units = tuple(filter(is_node, tree.units or ()))
    return Module(tree.name, file, text.splitlines(), extends, units)


def parse_expression(text: str) -> Node:
    """Parse an expression."""
    return _asked("parse_expr", text, text)


def _asked(what: str, text: str, where: str) -> Node:
    """Ask the parser, whose errors have no class of their own."""
    if PARSER is None:
        raise Refused("models are read by the package `tla`: install the extra `spec`")
    try:
        return getattr(importlib.import_module("tla"), what)(text)
    except Exception as error:
        raise Refused(f"{where}: the parser says: {error}") from error


def definition_of(unit: Node, module: Module) -> Definition:
    """Read one definition, at the top of a module or in a LET."""
    params = unit.arity or ()
    if any(not is_node(param) or param.arguments for param in params):
        raise module.refuse(unit, "a parameter that is an operator")
    return Definition(unit.name, tuple(p.operator for p in params), unit.definiens, module)


class _Check:
    """The walk over one module that refuses what is outside the subset."""

    def __init__(self, modules: Modules, module: Module) -> None:
        self.module = module
        self.known = {
            *modules.built_in, *modules.constants, *modules.variables,
            *modules.definitions, *modules.instances,
        }  # fmt: skip

    def run(self) -> None:
        """Look at every construct of the module."""
        for unit in self.module.units:
            if kind_name(unit) in ("OperatorDefinition", "Axiom"):
                self.look(unit)

    def look(self, whole: Node) -> None:
        """Look at every construct of a definition, or of an expression."""
        bound = {name for node in descend(whole) for name in self._binds(node)}
        for node in descend(whole):
            self._look(node, bound)

    def _look(self, node: Node, bound: set[str]) -> None:
        kind = kind_name(node)
        if kind == "Let":
            self._refuse_recursion(node)
        if kind == "OperatorApplication":
            self._refuse_mixture(node)
        if kind not in _NODES or getattr(node, "local", None):
            raise self.module.refuse(node, f"{kind} is not understood")
        if kind == "OperatorApplication" and operator(node) not in self.known | bound:
            raise self.module.refuse(node, f"{node.operator} is not understood, or not declared")
        if kind == "SubscriptedAction" and node.operator != "[":
            raise self.module.refuse(node, "an action that must not stutter is not understood")
        if kind == "SubexpressionReference" and len(node.items) != 2:
            raise self.module.refuse(node, "this reference is not understood")

    def _refuse_mixture(self, node: Node) -> None:
        """Refuse operators of one rank without parentheses: the parser takes one side, TLC none."""
        name = operator(node)
        for at, part in enumerate(node.arguments or ()):
            inner = operator(part) if kind_name(part) == "OperatorApplication" else ""
            chained = at == 0 and inner == name and name in CHAINED
            mixed = name in RANKS and inner in RANKS and len(part.arguments) > 1 and not chained
            if mixed and RANKS[inner][0] <= RANKS[name][1]:
                raise self.module.refuse(node, f"{name} and {inner} need parentheses")

    def _refuse_recursion(self, node: Node) -> None:
        """Refuse an operator of a LET that is used before it is there, and so in itself, too."""
        later = [unit.name for unit in node.definitions]
        for unit in node.definitions:
            for part in descend(unit.definiens):
                if getattr(part, "operator", "") in later:
                    raise self.module.refuse(part, "recursion is not understood")
            later.remove(unit.name)

    def _binds(self, node: Node) -> Iterator[str]:
        kind = kind_name(node)
        if kind in ("OperatorDefinition",):
            yield node.name
            yield from (param.operator for param in node.arity or () if is_node(param))
        if kind in ("Quantification", "SetComprehension", "Function"):
            for patterns, _ in bounds(
                node.declarations if kind != "Function" else node.declaration, self.module
            ):
                yield from names_of(patterns)
        if kind in ("SetSlice", "Choose"):
            for pattern, _ in bounds([node.declaration], self.module):
                yield from names_of(pattern)


def bounds(declarations: Sequence[Node], module: Module) -> list[tuple[Node, Node]]:
    """Return what a quantifier binds: patterns, each with the set it ranges over."""
    found: list[tuple[Node, Node]] = []
    waiting: list[Node] = []
    for declared in declarations:
        waiting.append(declared)
        if kind_name(declared) == "OperatorApplication" and declared.operator == r"\in":
            pattern, values = declared.arguments
            found += [(one, values) for one in (*waiting[:-1], pattern)]
            waiting = []
    if waiting:
        raise module.refuse(waiting[0], "a variable without a bound")
    return found


def names_of(pattern: Node) -> list[str]:
    """Return the names of a pattern: one, or those of a tuple."""
    if kind_name(pattern) == "Tuple":
        return [name for item in pattern.items for name in names_of(item)]
    return [str(pattern.operator)]
