"""The state graph of a model as TLC dumps it, and as the interpreter finds it, in one form.

Owns: how TLC is asked for a graph, and how the dot file is read.
Keeps: states are compared by their values, steps by their states and their action's name.
Above: the tests of the interpreter. Below: awa.lab.
"""

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from awa.lab import tla, tlc
from awa.lab.suite import Check

SPEC = tlc.spec_folder()

NODE = re.compile(r'^(-?\d+) \[label="(.*)"(?:,style = filled)?\];?$')
EDGE = re.compile(r'^(-?\d+) -> (-?\d+) \[label="(\w+)"')
CONJUNCT = re.compile(r"^/\\ (\w+) = ", re.MULTILINE)
GENERATED = re.compile(r"^([\d,]+) states generated, ([\d,]+) distinct", re.MULTILINE)
ASKED = re.compile(r"^(?:INVARIANTS?|PROPERTY|PROPERTIES)\s.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Shape:
    """A graph: its states, its steps by states and action, and how often a state was generated."""

    states: frozenset[tla.State]
    steps: frozenset[tuple[tla.State, str, tla.State]]
    generated: int

    @property
    def labels(self) -> frozenset[str]:
        """The names of the actions that are taken."""
        return frozenset(action for _, action, _ in self.steps)


def call(row: Check, folder: Path, *options: str) -> tlc.Output:
    """Let TLC go through the states of a model, and ask it nothing about them."""
    cfg = folder / f"{row.name}.cfg"
    cfg.write_text(ASKED.sub("", (SPEC / row.cfg).read_text()))
    module = SPEC / f"{row.module}.tla"
    return tlc.run(tlc.find_tools(), tlc.Call(module, cfg, SPEC, options))


def generated(output: tlc.Output) -> tuple[int, int]:
    """Read how many states TLC generated, and how many of them are distinct."""
    assert tlc.completed(output.text), output.text[-2000:]
    counts = GENERATED.findall(output.text)[-1]
    return int(counts[0].replace(",", "")), int(counts[1].replace(",", ""))


def dumped(row: Check, variables: tuple[str, ...], folder: Path) -> Shape:
    """Return the graph that TLC finds."""
    output = call(row, folder, "-dump", "dot,actionlabels", str(folder / row.name))
    states: dict[str, tla.State] = {}
    steps = set()
    for line in (folder / f"{row.name}.dot").read_text().splitlines():
        if edge := EDGE.match(line):
            steps.add(edge.groups())
        elif node := NODE.match(line):
            states[node[1]] = read_state(json.loads(f'"{node[2]}"'), variables)
    found = frozenset((states[one], action, states[other]) for one, other, action in steps)
    count, distinct = generated(output)
    assert distinct == len(states)
    return Shape(frozenset(states.values()), found, count)


def read_state(text: str, variables: tuple[str, ...]) -> tla.State:
    """Read a state as TLC prints it."""
    _, *parts = CONJUNCT.split(text)
    values = {name: read(value) for name, value in zip(parts[::2], parts[1::2], strict=True)}
    return tuple(values[name] for name in variables)


@cache
def read(text: str) -> Any:
    """Read a value; most occur in many states."""
    return tla.read(text)


def explored(model: tla.Model) -> Shape:
    """Return the graph that the interpreter finds."""
    graph = tla.explore(model)
    states = graph.states
    steps = frozenset((states[e.source], e.action, states[e.target]) for e in graph.edges)
    return Shape(frozenset(states), steps, graph.generated)


def named_as(labels: frozenset[str], model: tla.Model, shape: Shape) -> Shape:
    r"""Return a graph with its steps named as TLC names them.

    An operator that stands in the place of another has its own name there; and steps by
    `Next /\ UNCHANGED x` have the name of the operator that this is all of.
    """
    names = {action: model.config.overrides.get(action, action) for action in shape.labels}
    groups = labels - set(names.values())
    assert len(groups) <= 1, f"TLC has actions that the interpreter has not: {groups}"
    for group in groups:
        names |= {action: group for action, name in names.items() if name not in labels}
    return replace(shape, steps=frozenset((one, names[a], other) for one, a, other in shape.steps))
