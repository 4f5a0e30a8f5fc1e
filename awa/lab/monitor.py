"""The monitor: lives walked by the interpreter, as fast as tests go.

Owns: how a life is walked, and what is said of the step that cannot be.
Keeps: the same models and the same facts as the judge's; a life is accepted only at its end. Lives
    that are equal are walked once, and so are their beginnings.
Above: check, the tests. Below: facts, judge, life, tla,
    tlc.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from awa.lab.facts import read_model
from awa.lab.judge import NO_END, NO_STEP, Verdict
from awa.lab.life import Claims, Life, State, Step
from awa.lab.tla import Model, load, render
from awa.lab.tla.model import State as Values
from awa.lab.tlc import spec_folder

__all__ = ["Monitor"]

_Walked = tuple[tuple[Values, ...], str]
"""The states that a step can lead to; without any, why."""


@dataclass(slots=True)
class _Court:
    """One model with its constants, and the steps that were walked in it."""

    model: Model
    invariants: tuple[str, ...]
    laws: tuple[str, ...]
    walked: dict[tuple[Values, Step], _Walked] = field(default_factory=dict)
    firsts: dict[State | None, _Walked] = field(default_factory=dict)

    def first(self, start: State | None) -> _Walked:
        """Return the states that a life may start in."""
        if start not in self.firsts:
            given = None if start is None else [self.model.state(dict(start))]
            states = list(self.model.initial()) if given is None else given
            self.firsts[start] = self._sound(None, states)
        return self.firsts[start]

    def step(self, state: Values, step: Step) -> _Walked:
        """Return the states that a step leads to from here, all facts asked."""
        key = (state, step)
        if key not in self.walked:
            self.walked[key] = self._step(state, step)
        return self.walked[key]

    def _step(self, state: Values, step: Step) -> _Walked:
        if step.action not in self.model.actions:
            return (), f"{NO_STEP}: the model has no action {step.action}"
        found = self.model.step(step.action, step.args, state)
        if not found:
            failed = self.model.why_not(step.action, step.args, state)
            return (), "; ".join(
                [NO_STEP, *(f"{one.text} ({one.file}, line {one.line})" for one in failed)]
            )
        fitting = [one for one in found if not self._unlike(one, step.after)]
        if not fitting:
            return (), f"{NO_STEP} that leaves " + ", ".join(self._unlike(found[0], step.after))
        return self._sound(state, fitting)

    def _unlike(self, state: Values, after: Claims) -> list[str]:
        """Return what is said of a state and is not so."""
        unlike = []
        for variable, path, value in after:
            found = self.model.variable(state, variable)
            for key in path:
                found = _at(found, key)
            if found != value:
                keys = "".join(f"[{render(key)}]" for key in path)
                unlike.append(f"{variable}{keys} = {render(value)}")
        return unlike

    def _sound(self, before: Values | None, states: Sequence[Values]) -> _Walked:
        """Leave out the states in which a fact fails; if none is left, say which fact."""
        sound, reason = [], ""
        for state in states:
            failed = next(
                (one for one in self.invariants if not self.model.holds(one, state)), None
            )
            if failed is None and before is not None:
                failed = next(
                    (one for one in self.laws if not self.model.holds_step(one, before, state)),
                    None,
                )
            if failed is None:
                sound.append(state)
            reason = failed or reason
        return tuple(sound), reason

    def is_at(self, state: Values, end: State) -> bool:
        """Return whether the variables that an end names have its values."""
        return all(self.model.variable(state, name) == value for name, value in end)

    def tell(self, state: Values) -> str:
        """Return a state as text."""
        pairs = zip(self.model.variables, state, strict=True)
        return "\n".join(f"/\\ {variable} = {render(value)}" for variable, value in pairs)


def _at(found: object, key: object) -> object:
    """Return what a value has at a key, or None."""
    try:
        return found[key - 1 if isinstance(found, tuple) else key]  # type: ignore[index, operator]
    except (IndexError, KeyError, TypeError):
        return None


@dataclass(slots=True)
class Monitor:
    """Walks lives by the models of a folder."""

    folder: Path = field(default_factory=spec_folder)
    _courts: dict[tuple[str, State], _Court] = field(default_factory=dict)
    _verdicts: dict[Life, Verdict] = field(default_factory=dict)

    def judge(self, lives: Iterable[Life]) -> list[Verdict]:
        """Walk lives; return a verdict each, in their order."""
        return [self._verdict(life) for life in lives]

    def walked(self) -> Iterator[tuple[str, Values, Step, tuple[Values, ...], Model]]:
        """Return every step that was walked: its model's name, from where, and where to."""
        for (name, _), court in self._courts.items():
            for (state, step), (found, _) in court.walked.items():
                if found:
                    yield name, state, step, found, court.model

    def _verdict(self, life: Life) -> Verdict:
        if life not in self._verdicts:
            self._verdicts[life] = self._walk(life)
        return self._verdicts[life]

    def court(self, life: Life) -> _Court:
        """Return the model that a life is of, with its constants."""
        key = (life.model, life.constants)
        if key not in self._courts:
            facts = read_model(self.folder, life.model)
            model = load(self.folder / f"{life.model}.tla", dict(life.constants), facts.puts)
            laws = tuple(law.name for law in facts.laws)
            self._courts[key] = _Court(model, facts.invariants, laws)
        return self._courts[key]

    def _walk(self, life: Life) -> Verdict:
        court = self.court(life)
        states, reason = court.first(life.start)
        if not states:
            return Verdict(False, None, reason)
        for place, step in enumerate(life.steps):
            walked = [court.step(state, step) for state in states]
            after = tuple(dict.fromkeys(state for found, _ in walked for state in found))
            if not after:
                return Verdict(False, place, walked[0][1], court.tell(states[0]))
            states = after
        if life.end is not None and not any(court.is_at(state, life.end) for state in states):
            return Verdict(False, len(life.steps), NO_END, court.tell(states[0]))
        return Verdict(True)
