"""A model on the engine: its steps in portions that the engine takes, and a stage to take them on.

Owns: what the replays of all models share: how portions are explored, and how a walk is taken.
Keeps: after each portion the database is held against the model. Whatever stops a walk says what
    had been done, and leaves nobody behind.
Above: the portions and replays of each model. Below: gates, walks; awa.lab; tests.rig.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from awa.lab import tla
from tests.generated.gates import Bug
from tests.generated.walks import N, Paths, Step
from tests.rig import Rig

Taken = tuple[tuple[str, tuple[Any, ...]], ...]
"""Steps of a model, in their order."""


class Portions(ABC, Generic[N]):
    """The engine as a part of a model."""

    def __init__(self, model: tla.Model) -> None:
        self.model = model

    @abstractmethod
    def paths(self) -> Paths[N]:
        """Return all that can happen."""

    def var(self, state: tla.State, name: str) -> Any:
        """Return what a variable is."""
        return self.model.variable(state, name)

    def take(self, state: tla.State, taken: Taken) -> tla.State | None:
        """Return the state after some steps; None if one of them is not allowed."""
        for action, args in taken:
            after = self.model.step(action, args, state)
            if not after:
                return None
            (state,) = after
        return state


class Stage(ABC, Generic[N]):
    """A database with gates in its verbs, and everybody who acts in it."""

    def __init__(self, rig: Rig, portions: Portions[N]) -> None:
        self.rig, self.portions = rig, portions

    @abstractmethod
    async def open(self, bug: Bug | None = None) -> None:
        """Build the gates, and connect everybody."""

    async def replay(self, steps_max: float) -> tuple[float, float]:
        """Take walks until that many steps are taken; return the shares of all kinds and steps."""
        return await self.portions.paths().replay(self.walk, steps_max)

    async def walk(self, walk: list[Step[N]]) -> None:
        """Take a walk, from a beginning of its own."""
        await self.fresh()
        done: list[Any] = []
        try:
            for step in walk:
                done.append(step.deed)
                await self.do(step)
                await self.judge(step.target)
        except BaseException as error:
            error.add_note("after " + " ".join(map(str, done)))
            raise
        finally:
            await self.leave()

    @abstractmethod
    async def fresh(self) -> None:
        """Have the database as it is where walks begin."""

    @abstractmethod
    async def do(self, step: Step[N]) -> None:
        """Do a portion."""

    @abstractmethod
    async def judge(self, node: N) -> None:
        """Require that the database is as the model has it."""

    @abstractmethod
    async def leave(self) -> None:
        """End what a walk has left at work."""


@dataclass(frozen=True, slots=True)
class Walked:
    """How a model is walked."""

    stage: Callable[[Rig, Any], Stage[Any]]
    portions: Callable[[Any], Portions[Any]]
    by_day: Mapping[str, tuple[Any, int, float]]
    """Bounds by name: how many steps by day, and what share of all kinds of steps they must be."""
    whole: Mapping[str, Any]
    """Bounds by name: those that are walked to the end at night."""
    sown: Mapping[str, tuple[Any, Bug]]
    """Bugs that a walk in these bounds must find."""
    sown_steps: int
    found: tuple[type[BaseException], ...] = (AssertionError,)
    """How it is told that a bug was found."""

    def on(self, rig: Rig, bounds: Any) -> Stage[Any]:
        """Return a stage in a database."""
        return self.stage(rig, self.portions(bounds))
