"""An interpreter of the models in spec/: the same files that TLC reads, run by Python.

Owns: the subset of TLA+ that is understood, what it means, and how a model is asked.
Keeps: what is not understood is refused with its file and line; nothing is guessed.
Above: the lab's monitor, judge and mutants. Below: its modules.
"""

from awa.lab.tla.beyond import Beyond, Known, beyond
from awa.lab.tla.explain import Guard
from awa.lab.tla.explore import Edge, Graph, explore
from awa.lab.tla.kinds import EvaluationError
from awa.lab.tla.model import Model, State, load, load_cfg
from awa.lab.tla.syntax import Refused
from awa.lab.tla.values import Function, Value, ordered, read, render

__all__ = [
    "Beyond",
    "Edge",
    "EvaluationError",
    "Function",
    "Graph",
    "Guard",
    "Known",
    "Model",
    "Refused",
    "State",
    "Value",
    "beyond",
    "explore",
    "load",
    "load_cfg",
    "ordered",
    "read",
    "render",
]
