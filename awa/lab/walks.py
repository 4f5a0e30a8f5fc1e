"""Lives as a module of TLA+ that walks them, each as far as the model lets it.

Owns: the text of that module and of its cfg, and the lines that it has TLC print.
Keeps: a life is walked by the model's own actions. A path ends where its life does, where no step
    is left and where a fact fails, and each end is printed. Names of the module begin with
    `awa_`; a model that has one of them too is refused by TLC.
Above: the judge has TLC run it. Below: facts, life, tla.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from awa.lab.facts import Law, Model
from awa.lab.life import Claims, Life, LifeError, State, Step
from awa.lab.tla.values import render

MODULE = "awa_walks"

END = re.compile(r'^"awa (ACCEPT|STUCK|UNSAFE|BROKEN) (\d+) (\d+) (\w*) (.*)"$', re.MULTILINE)
"""The end of a path: how it came, the life, the place of its next step, the fact that fails, and
the state it ended in. Lives and places are counted from 1."""


@dataclass(frozen=True, slots=True)
class Script:
    """A life as text of TLA+; lives that mean the same have the same."""

    start: str
    steps: tuple[str, ...]
    end: str


@dataclass(slots=True)
class Scripts:
    """The writer of scripts for a model with its constants, and of the module that walks them.

    It remembers of the lives it has written what the module must know.
    """

    model: Model
    constants: State
    actions: set[str] = field(default_factory=set)
    places: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Refuse constants that are not the model's."""
        if sorted(name for name, _ in self.constants) != sorted(self.model.constants):
            raise LifeError(
                f"the constants of {self.model.name} are {_listed(self.model.constants)}"
            )

    def write(self, life: Life) -> Script:
        """Write a life down, if the model has the names it uses."""
        return Script(
            start="" if life.start is None else self._start(life.start),
            steps=tuple(self._step(step) for step in life.steps),
            end=self._claims(tuple((name, (), value) for name, value in life.end or ())),
        )

    def _start(self, state: State) -> str:
        """Write a state, the variables in the order of the model."""
        if sorted(name for name, _ in state) != sorted(self.model.variables):
            raise LifeError(f"a state of {self.model.name} has {_listed(self.model.variables)}")
        values = dict(state)
        return render(tuple(values[variable] for variable in self.model.variables))

    def _step(self, step: Step) -> str:
        """Write a step."""
        arity = self.model.arities.get(step.action)
        if arity is None:
            raise LifeError(f"{self.model.name} has no action {step.action}")
        if arity != len(step.args):
            raise LifeError(f"{step.action} takes {arity} arguments, and has {len(step.args)}")
        self.actions.add(step.action)
        return f"<<{render(step.action)}, {render(step.args)}, {self._claims(step.after)}>>"

    def _claims(self, claims: Claims) -> str:
        """Write what is said of a state."""
        for variable, path, _ in claims:
            if variable not in self.model.variables:
                raise LifeError(f"{self.model.name} has no variable {variable}")
            self.places.add((variable, len(path)))
        return render(claims)

    def module(self, scripts: Sequence[Script]) -> str:
        """Write the module that walks scripts."""
        model = self.model
        starts = _numbers(script.start for script in scripts if script.start)
        steps = _numbers(step for script in scripts for step in script.steps)
        ends = _numbers(script.end for script in scripts)
        lives = (
            f"<<{starts.get(script.start, 0)}, "
            f"<<{', '.join(str(steps[step]) for step in script.steps)}>>, {ends[script.end]}>>"
            for script in scripts
        )
        said = [_said(variable, depth) for variable, depth in sorted(self.places)]
        taken = [_taken(action, model.arities[action]) for action in sorted(self.actions)]
        return _TEXT.format(
            module=MODULE,
            model=model.name,
            constants="\n".join(
                f"{_constant(name)} == {render(one)}" for name, one in self.constants
            ),
            starts=_rows(starts),
            steps=_rows(steps),
            ends=_rows(ends),
            lives=_rows(lives),
            begun=" /\\ ".join(
                f"{name} = awa_start[{n}]" for n, name in enumerate(model.variables, 1)
            ),
            said=_cases(said),
            taken=_cases(taken),
            laws="\n".join(f"{_law(law)} ==\n{law.body}" for law in model.laws),
            lawful=_all(
                f'(UNCHANGED {law.subscript} \\/ {_law(law)} \\/ awa_End("BROKEN", "{law.name}"))'
                for law in model.laws
            ),
            safe=_all(f'({name} \\/ awa_End("UNSAFE", "{name}"))' for name in model.invariants),
            state=", ".join(f"{name} |-> {name}" for name in model.variables),
        )

    def cfg(self) -> str:
        """Write the cfg of that module."""
        puts = [(name, _constant(name)) for name, _ in self.constants]
        return "\n".join(
            [
                *(f"CONSTANT {one} <- {other}" for one, other in [*puts, *self.model.puts.items()]),
                "INIT awa_Init",
                "NEXT awa_Next",
                "CONSTRAINT awa_Path",
            ]
        )


# A step's number leads to its text, so that what many lives have in common is parsed once. What is
# lawful is a question to a step that was taken: asked in an IF, no branch of it makes another step.
_TEXT = """\
---- MODULE {module} ----
EXTENDS {model}, Integers, Sequences, TLC
VARIABLES awa_life, awa_place

{constants}

awa_Starts == {starts}
awa_Steps == {steps}
awa_Ends == {ends}
awa_Lives == {lives}

awa_Life == awa_Lives[awa_life]
awa_Numbers == awa_Life[2]

awa_End(awa_how, awa_fact) ==
  /\\ PrintT("awa " \\o awa_how \\o " " \\o ToString(awa_life) \\o " " \\o ToString(awa_place)
            \\o " " \\o awa_fact \\o " "
            \\o (IF awa_how = "ACCEPT" THEN "" ELSE ToString([{state}])))
  /\\ FALSE

awa_Init ==
  /\\ awa_life \\in DOMAIN awa_Lives
  /\\ awa_place = 1
  /\\ IF awa_Life[1] = 0 THEN Init
     ELSE LET awa_start == awa_Starts[awa_Life[1]] IN {begun}

awa_Says(awa_said) ==
  {said}
awa_Agrees(awa_claims) == \\A awa_n \\in DOMAIN awa_claims : awa_Says(awa_claims[awa_n])
awa_Told == IF awa_place = 1 THEN <<>> ELSE awa_Steps[awa_Numbers[awa_place - 1]][3]

awa_Act(awa_action, awa_args) ==
  {taken}

awa_Walk ==
  /\\ awa_place <= Len(awa_Numbers)
  /\\ UNCHANGED awa_life
  /\\ awa_place' = awa_place + 1
  /\\ LET awa_step == awa_Steps[awa_Numbers[awa_place]] IN awa_Act(awa_step[1], awa_step[2])
  /\\ awa_Agrees(awa_Told)'

{laws}
awa_Lawful ==
  /\\ Next \\/ awa_End("STUCK", "")
  /\\ {lawful}
awa_Next == awa_Walk /\\ IF awa_Lawful THEN TRUE ELSE FALSE

awa_Path ==
  /\\ {safe}
  /\\ IF awa_place <= Len(awa_Numbers) THEN ENABLED awa_Walk \\/ awa_End("STUCK", "")
     ELSE awa_End(IF awa_Agrees(awa_Ends[awa_Life[3]]) THEN "ACCEPT" ELSE "STUCK", "")
====
"""


def _listed(names: Iterable[str]) -> str:
    """List names in a message."""
    return ", ".join(names) or "none"


def _constant(name: str) -> str:
    """Name the operator that gives a constant its value, which a cfg alone cannot always."""
    return f"awa_constant_{name}"


def _law(law: Law) -> str:
    """Name the operator that is the body of a law."""
    return f"awa_law_{law.name}"


def _numbers(texts: Iterable[str]) -> dict[str, int]:
    """Number texts in the order they come in, from 1."""
    numbers: dict[str, int] = {}
    for text in texts:
        numbers.setdefault(text, len(numbers) + 1)
    return numbers


def _rows(texts: Iterable[str]) -> str:
    """Write a sequence, one element a line."""
    return "<<\n" + ",\n".join(texts) + " >>"


def _all(conditions: Iterable[str]) -> str:
    """Write a conjunction."""
    return " /\\ ".join(conditions) or "TRUE"


def _cases(arms: Sequence[str]) -> str:
    """Write a choice; where there is nothing to choose, nobody comes."""
    return "CASE " + "\n    [] ".join(arms) if arms else "FALSE"


def _taken(action: str, arity: int) -> str:
    """Write the arm of an action."""
    args = ", ".join(f"awa_args[{n}]" for n in range(1, arity + 1))
    return f'awa_action = "{action}" -> {action}{f"({args})" if args else ""}'


def _said(variable: str, depth: int) -> str:
    """Write the arm of a claim: where its path leads nowhere, it does not hold."""
    conditions = []
    for n in range(1, depth + 1):
        conditions.append(f"awa_said[2][{n}] \\in DOMAIN {variable}")
        variable += f"[awa_said[2][{n}]]"
    name = variable.partition("[")[0]
    found = _all([*conditions, f"{variable} = awa_said[3]"])
    return f'awa_said[1] = "{name}" /\\ Len(awa_said[2]) = {depth} -> {found}'
