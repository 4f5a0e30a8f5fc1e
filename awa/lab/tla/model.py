"""A model that can be asked: its first states, the steps of each action, what holds, and why not.

Owns: how a model is loaded and refinement is computed.
Keeps: a state is a tuple of values, in the order of the variables. Nothing that a model is asked
    changes it.
Above: explore, the lab's monitor, judge and mutants. Below: its modules.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from awa.lab.tla.actions import Writer, reading
from awa.lab.tla.builtin import unchanged
from awa.lab.tla.cfg import Config, read_cfg
from awa.lab.tla.compiler import Compiler, Scope
from awa.lab.tla.explain import Explainer, Guard
from awa.lab.tla.expressions import HANDLERS
from awa.lab.tla.kinds import ANY, EvaluationError, join, kind_of
from awa.lab.tla.leaves import Leaf, leaves, now_of
from awa.lab.tla.operators import UNDEFINED
from awa.lab.tla.properties import Property, parts, predicate, step_predicate
from awa.lab.tla.syntax import Module, Modules, Node, Refused, parse_expression
from awa.lab.tla.values import Value, render

__all__ = ["Model", "State", "load", "load_cfg"]

State: TypeAlias = tuple[Any, ...]

ROUNDS_MAX = 8
"""After so many rounds a variable whose kind still grows may be anything."""


class Model:
    """A module with its constants. Names are looked up, and compiled, when they are asked for."""

    def __init__(
        self,
        modules: Modules,
        constants: Mapping[str, Value],
        config: Config,
        kinds: Mapping[str, Any] | None = None,
    ) -> None:
        self.modules = modules
        self.config = config
        self.variables = tuple(modules.variables)
        self._c = Compiler(modules, constants, HANDLERS)
        self._compiled: dict[tuple[str, str], Any] = {}
        self._steps: dict[str, Callable[..., list[State]]] = {}
        self._tests: dict[str, Callable[[State], bool]] = {}
        self._properties: dict[str, Property] = {}
        if kinds is not None:
            self._c.kinds.update(kinds)
        else:
            self._infer()
        self._assume()

    # What the model is.

    def _scope(self, module: Module | None = None) -> Scope:
        main = module or list(self.modules.loaded.values())[-1]
        return Scope(main, {}, now_of(self._c, "v"))

    def _parts(self, name: str) -> Iterator[tuple[str, Node, Scope]]:
        if name not in self._c.definitions:
            raise Refused(f"{name} is not defined in {self._scope().module.file}")
        definition = self._c.definitions[name]
        return parts(self._c, definition.body, self._scope(definition.module))

    @cached_property
    def _behaviour(self) -> tuple[list[tuple[Node, Scope]], dict[str, list[Leaf]]]:
        """The conditions on first states, and where Next reaches each of its actions."""
        first: list[tuple[Node, Scope]] = []
        found: list[Leaf] = []
        for what, node, scope in self._parts(self.config.specification):
            if what == "first":
                first.append((node, scope))
            elif what == "steps" and not found:
                if set(unchanged(self._c, node.subscript, scope)) != set(self.variables):
                    raise scope.module.refuse(node, "some variables may change at any time")
                found = leaves(self._c, node.action, scope)
            elif what != "temporal":
                raise scope.module.refuse(node, "this is no specification that is understood")
        grouped: dict[str, list[Leaf]] = {}
        for leaf in found:
            grouped.setdefault(leaf.name, []).append(leaf)
        return first, grouped

    @cached_property
    def actions(self) -> Mapping[str, tuple[str, ...]]:
        """The named actions that Next is made of, with the names of their parameters."""
        return {
            name: self._c.definitions[name].params if places[0].arguments else ()
            for name, places in self._behaviour[1].items()
        }

    def _infer(self) -> None:
        """Find what kinds of values the variables have: what Init gives them, and each action."""
        for number in range(2 * ROUNDS_MAX):
            before = dict(self._c.kinds)
            self._initial_lines()
            for name in self.actions:
                self._step_lines(name, ())
            if self._c.kinds == before:
                return
            for name, kind in before.items():
                if number >= ROUNDS_MAX and self._c.kinds[name] != kind:
                    self._c.kinds[name] = ANY
        raise Refused(f"{self._scope().module.file}: no kinds of values are found")

    def _assume(self) -> None:
        for node, module in self.modules.assumptions:
            code = self._c.formula(node, self._scope(module))
            if not code.constant or self._c.value(code) is not True:
                raise module.refuse(node, "an assumption does not hold")

    # Its steps.

    def initial(self) -> Iterator[State]:
        """Return the first states."""
        made = self._made("first", "Init", lambda n: self._c.function(n, self._initial_lines()))
        yield from made()

    def _initial_lines(self) -> list[str]:
        writer = Writer(self._c, initial=True)
        first = self._behaviour[0]

        def write(at: int, so_far: Scope) -> None:
            node, scope = first[at]
            scope = dataclasses.replace(scope, now=so_far.now)
            last = at + 1 == len(first)
            end = writer.done(node, "out.append({state})")
            writer.act(node, scope, end if last else lambda after: write(at + 1, after))

        write(0, dataclasses.replace(first[0][1], now={}))
        return ["def made():", "  out = []", *writer.lines.rows, "  return out"]

    def _step_lines(self, action: str, params: Sequence[str] | None) -> list[str]:
        """Write an action: with given arguments, or with all that there are."""
        writer = Writer(self._c, every_way=params is None)
        given = [self._c.local(name, ANY) for name in params or ()]
        row = "out.append(({args}, {state}))" if params is None else "out.append({state})"
        for leaf in self._places(action):
            writer.leaf(leaf, given, row)
        head = f"def made({', '.join(['s', *(local.text for local in given)])}):"
        rows = writer.lines.rows
        return [head, "  out = []", *reading(self._c, rows), "  return out"]

    def step(self, action: str, args: tuple[Value, ...], state: State) -> list[State]:
        """Return the states that an action leads to with these arguments; none if it is refused."""
        made = self._steps.get(action) or self._step(action)
        try:
            return made(state, *args)
        except UNDEFINED as error:
            raise EvaluationError(f"{action}{args}: {error}") from error

    def _places(self, action: str) -> list[Leaf]:
        """Return where Next reaches an action."""
        if action not in self._behaviour[1]:
            raise Refused(f"{action} is no action of {self.config.specification}")
        return self._behaviour[1][action]

    def _step(self, action: str) -> Callable[..., list[State]]:
        rows = self._step_lines(action, self.actions.get(action, ()))
        made: Callable[..., list[State]] = self._c.function(action, rows)
        self._steps[action] = made
        return made

    def successors(
        self, state: State, actions: Iterable[str] | None = None
    ) -> Iterator[tuple[str, tuple[Value, ...], State]]:
        """Return all steps from a state, or those by some actions: each with its arguments."""
        for action in self.actions if actions is None else actions:
            made = self._made("all", action, self._all_steps)
            try:
                found = made(state)
            except UNDEFINED as error:
                raise EvaluationError(f"{action}: {error}") from error
            for args, after in found:
                yield action, args, after

    def _all_steps(self, action: str) -> Any:
        return self._c.function(action, self._step_lines(action, None))

    def why_not(self, action: str, args: tuple[Value, ...], state: State) -> list[Guard]:
        """Return the conditions that keep an action from happening, in the order of the source."""
        explainer, made = self._explained(action)
        numbers = dict.fromkeys(made(state, *args))
        return [explainer.guards[number] for number in numbers if number >= 0]

    def guards(self, action: str) -> list[Guard]:
        """Return all conditions of an action that speak of the state before it only."""
        return list(self._explained(action)[0].conditions)

    def _explained(self, action: str) -> tuple[Explainer, Callable[..., list[int]]]:
        def make(name: str) -> Any:
            explainer = Explainer(self._c)
            return explainer, explainer.explain(self._places(name))

        made: tuple[Explainer, Callable[..., list[int]]] = self._made("why", action, make)
        return made

    def _made(self, what: str, name: str, make: Callable[[str], Any]) -> Any:
        if (what, name) not in self._compiled:
            self._compiled[what, name] = make(name)
        return self._compiled[what, name]

    # What holds.

    def holds(self, invariant: str, state: State) -> bool:
        """Tell if an invariant holds in a state."""
        test = self._tests.get(invariant) or self._test(invariant)
        try:
            return test(state)
        except UNDEFINED as error:
            raise EvaluationError(f"{invariant}: {error}") from error

    def _test(self, name: str) -> Callable[[State], bool]:
        if name not in self._c.definitions:
            raise Refused(f"{name} is not defined")
        definition = self._c.definitions[name]
        scope = self._scope(definition.module)
        made: Callable[[State], bool] = predicate(self._c, name, definition.body, scope)
        self._tests[name] = made
        return made

    def property(self, name: str) -> Property:
        """Return the parts of a property, as functions."""
        if name not in self._properties:
            self._properties[name] = self._property(name)
        return self._properties[name]

    def _property(self, name: str) -> Property:
        made = Property()
        for what, node, scope in self._parts(name):
            if what == "refinement":
                self._refine(made, node, scope)
            elif what == "temporal":
                made.temporal.append(scope.module.text(node))
            elif what == "steps":
                made.steps.append(step_predicate(self._c, name, node, scope))
            else:
                getattr(made, what).append(predicate(self._c, name, node, scope))
        return made

    def holds_step(self, name: str, state: State, after: State) -> bool:
        """Tell if a property allows a step; what it says of whole behaviours is not looked at."""
        made = self._properties.get(name) or self.property(name)
        try:
            for test in made.steps:
                if not test(state, after):
                    return False
            return all(map(lambda test: test(after), made.always)) if made.always else True
        except UNDEFINED as error:
            raise EvaluationError(f"{name}: {error}") from error

    def holds_first(self, name: str, state: State) -> bool:
        """Tell if a property allows a behaviour to begin so."""
        made = self.property(name)
        return all(test(state) for test in (*made.first, *made.always))

    def _refine(self, made: Property, node: Node, scope: Scope) -> None:
        """Take over the parts of another model's property, and hold them against its states."""
        name, wanted = node.items[0].operator, node.items[1]
        if name not in self.modules.instances or not isinstance(wanted, str):
            raise scope.module.refuse(node, "this reference is not understood")
        instance, module = self.modules.instances[name]
        inner = self.modules.beside(instance.name)
        given = {one.name: one.expression for one in instance.with_substitution or ()}
        here = self._scope(module)
        for missing in {*inner.constants, *inner.variables} - set(given):
            given[missing] = parse_expression(missing)
        names = (*inner.constants, *inner.variables)
        codes = {one: self._c.code(given[one], here) for one in names}
        loose = [one for one in inner.constants if not codes[one].constant]
        if loose:
            raise module.refuse(instance, f"{loose[0]} must be constant")
        constants = {one: self._c.value(codes[one]) for one in inner.constants}
        kinds = {one: codes[one].kind for one in inner.variables}
        other = Model(inner, constants, Config(), kinds)
        rows = [f"  return ({''.join(codes[one].text + ', ' for one in inner.variables)})"]
        image = self._c.function(name, ["def made(s):", *reading(self._c, rows)])
        seen = other.property(wanted)
        made.first += [_through(image, test) for test in seen.first]
        made.always += [_through(image, test) for test in seen.always]
        made.steps += [_through(image, test) for test in seen.steps]
        made.temporal += seen.temporal

    # What it knows.

    def value(self, text: str, state: State | None = None) -> Any:
        """Return the value of an expression, or of an operator by its name, in a state."""
        made = self._made("value", text, self._value)
        try:
            return made(state)
        except UNDEFINED as error:
            raise EvaluationError(f"{text}: {error}") from error

    def _value(self, text: str) -> Any:
        node = parse_expression(text)
        module = Module("", text, ["", "", "", text], (), ())
        self.modules.check(node, module)
        rows = [f"  return {self._c.code(node, self._scope(module)).text}"]
        return self._c.function(text, ["def made(s):", *reading(self._c, rows)])

    def variable(self, state: State, name: str) -> Any:
        """Return what a variable is in a state."""
        return state[self.variables.index(name)]

    def state(self, values: Mapping[str, Value]) -> State:
        """Return the state in which the variables have these values."""
        if set(values) != set(self.variables):
            raise EvaluationError(f"a state has {', '.join(self.variables)}")
        for name, value in values.items():
            kind = kind_of(value)
            if join(self._c.kinds[name], kind) != self._c.kinds[name]:
                raise EvaluationError(f"{name} = {render(value)} is of another kind")
        return tuple(values[name] for name in self.variables)


def _through(image: Callable[[State], State], test: Callable[..., bool]) -> Callable[..., bool]:
    """Make a test of another model's states one of the states that they are the image of."""
    return lambda *states: test(*map(image, states))


def load(
    path: Path,
    constants: Mapping[str, Value],
    overrides: Mapping[str, str] | None = None,
    *,
    specification: str = "Spec",
    library: Path | None = None,
    sources: Mapping[str, str] | None = None,
) -> Model:
    """Load a module with its constants, and some operators in the place of others.

    What it extends is looked for beside it, then in the library; `sources` has the text of modules
    that are not to be read from their files.
    """
    config = Config(dict(constants), dict(overrides or {}), specification)
    return _load(path, config, library, sources)


def load_cfg(
    path: Path,
    cfg: Path,
    *,
    library: Path | None = None,
    sources: Mapping[str, str] | None = None,
) -> Model:
    """Load a module as a cfg says; what the cfg asks of it is in the model's `config`."""
    return _load(path, read_cfg(cfg), library, sources)


def _load(
    path: Path, config: Config, library: Path | None, sources: Mapping[str, str] | None
) -> Model:
    folders = [path.parent, *([library] if library else [])]
    modules = Modules(path.stem, folders, sources or {})
    for name, other in config.overrides.items():
        modules.override(name, other)
    wanted = set(modules.constants)
    if wanted != set(config.constants):
        odd = ", ".join(sorted(wanted ^ set(config.constants)))
        raise Refused(f"{path.name}: {odd} must be given, and is not, or the other way round")
    return Model(modules, config.constants, config)
