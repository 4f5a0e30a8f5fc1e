"""What a mutant of a model does beyond its model: new steps from known states, and what follows.

Owns: the search that begins where a mutant parts from its model.
Keeps: what is told is what a search of all its states would find. A mutant that leaves out a step
    of its model is not searched so, for then a known state may be out of its reach.
Above: whoever mutates models. Below: explore, model.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from awa.lab.tla.explore import explore
from awa.lab.tla.model import Model, State

__all__ = ["Beyond", "Known", "beyond"]


class Known:
    """All that a model does: its states, in the order they are found in, and where each leads."""

    def __init__(self, model: Model, states_max: int = 1_000_000) -> None:
        graph = explore(model, states_max=states_max)
        self.numbers = {state: number for number, state in enumerate(graph.states)}
        self.steps: list[dict[str, set[int]]] = [{} for _ in graph.states]
        for edge in graph.edges:
            self.steps[edge.source].setdefault(edge.action, set()).add(edge.target)


@dataclass(slots=True)
class Beyond:
    """What was found: the new states and the number of new steps, or those up to a refutation."""

    states: list[State] = field(default_factory=list)
    steps: int = 0
    violated: str | None = None


class _Walk:
    """One search."""

    def __init__(self, known: Known, mutant: Model) -> None:
        self.known = known
        self.mutant = mutant
        self.found = Beyond()
        self.seen: set[State] = set()

    def take(self, state: State, after: State) -> None:
        """Take in a new step, and ask all facts about it."""
        self.found.steps += 1
        config = self.mutant.config
        for name in config.properties:
            if not self.mutant.holds_step(name, state, after):
                self.found.violated = self.found.violated or name
        if after in self.known.numbers or after in self.seen:
            return
        self.seen.add(after)
        self.found.states.append(after)
        for name in config.invariants:
            if not self.mutant.holds(name, after):
                self.found.violated = self.found.violated or name

    def from_known(self, number: int, state: State, actions: Collection[str]) -> bool:
        """Look for new steps from a known state; tell if no known one is missing."""
        known = self.known.steps[number]
        left = {action: set(known.get(action, ())) for action in actions}
        for action, _, after in self.mutant.successors(state, actions):
            target = self.known.numbers.get(after)
            if target is not None and target in known.get(action, ()):
                left[action].discard(target)
            elif self.found.violated is None:
                self.take(state, after)
        return not any(left.values())


def beyond(
    known: Known, mutant: Model, actions: Sequence[str], *, states_max: int
) -> Beyond | None:
    """Search for what a mutant does by some of its actions that its model does not, and onwards.

    None, if it leaves out what its model does.
    """
    walk = _Walk(known, mutant)
    found = walk.found
    for state, number in known.numbers.items():
        if not walk.from_known(number, state, actions):
            return None
        if found.violated is not None:
            return found
    for state in found.states:
        for _, _, after in mutant.successors(state):
            walk.take(state, after)
        if found.violated is not None:
            return found
        if len(found.states) > states_max:
            raise ValueError(f"more than {states_max} states")
    return found
