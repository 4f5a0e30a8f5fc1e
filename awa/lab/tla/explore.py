"""All states of a model, breadth first, and what is refuted on the way.

Owns: the graph of states and labelled steps, and the way to what is refuted.
Keeps: states are numbered in the order they are found in, so a refutation is as short as can be.
Above: the tests, and whoever mutates models. Below: model, values.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from awa.lab.tla.model import Model, State
from awa.lab.tla.values import Value

__all__ = ["Edge", "Graph", "explore"]


@dataclass(frozen=True, slots=True)
class Edge:
    """A step between two numbered states."""

    source: int
    action: str
    args: tuple[Value, ...]
    target: int


@dataclass(slots=True)
class Graph:
    """What was found: all states and steps, or those up to the first refutation.

    `generated` counts as TLC does: each first state, and each way that each step was found.
    """

    states: list[State] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    initial: int = 0
    generated: int = 0
    depth: int = 0
    violated: str | None = None
    trace: list[State] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)


class _Search:
    """One breadth-first search."""

    def __init__(self, model: Model, invariants: Sequence[str], properties: Sequence[str]) -> None:
        self.model = model
        self.invariants = invariants
        self.properties = properties
        self.graph = Graph()
        self.numbers: dict[State, int] = {}
        self.parents: list[int] = []
        for name in properties:
            self.graph.unchecked += model.property(name).temporal

    def add(self, state: State, parent: int) -> int:
        """Return the number of a state, which is a new one if it is not known."""
        known = self.numbers.get(state)
        if known is not None:
            return known
        number = self.numbers[state] = len(self.numbers)
        self.graph.states.append(state)
        self.parents.append(parent)
        for name in self.invariants:
            if not self.model.holds(name, state):
                self.refute(name, number)
        return number

    def refute(self, name: str, number: int, after: State | None = None) -> None:
        """Note what is refuted first, and the way there."""
        if self.graph.violated is not None:
            return
        self.graph.violated = name
        way = [after] if after is not None else []
        while number >= 0:
            way.append(self.graph.states[number])
            number = self.parents[number]
        self.graph.trace = way[::-1]

    def begin(self) -> None:
        """Take in the first states."""
        for state in self.model.initial():
            self.graph.generated += 1
            number = self.add(state, -1)
            for name in self.properties:
                if not self.model.holds_first(name, state):
                    self.refute(name, number)
        self.graph.initial = len(self.graph.states)

    def expand(self, number: int) -> None:
        """Take in all steps from one state."""
        state = self.graph.states[number]
        for action, args, after in self.model.successors(state):
            self.graph.generated += 1
            for name in self.properties:
                if not self.model.holds_step(name, state, after):
                    self.refute(name, number, after)
            self.graph.edges.append(Edge(number, action, args, self.add(after, number)))
            if self.graph.violated is not None:
                return


def explore(
    model: Model,
    invariants: Sequence[str] = (),
    properties: Sequence[str] = (),
    *,
    states_max: int = 1_000_000,
) -> Graph:
    """Go through all states of a model, up to a first refutation."""
    search = _Search(model, invariants, properties)
    graph = search.graph
    search.begin()
    done, level = 0, 0
    while level < len(graph.states) and graph.violated is None:
        graph.depth += 1
        done, level = level, len(graph.states)
        for number in range(done, level):
            if graph.violated is not None:
                break
            search.expand(number)
        if len(graph.states) > states_max:
            raise ValueError(f"more than {states_max} states")
    return graph
