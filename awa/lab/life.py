"""A life: what happened to one thing that a model speaks of, as the model's own actions.

A file of lives is a JSON list of objects such as

    {"model": "Queue", "constants": {"Jobs": {"#set": ["j1"]}, "MaxAttempts": 2, ...},
     "steps": [{"action": "Claim", "args": ["w1", 1], "after": [["attempt", ["j1"], 1]]}, ...],
     "start": {"enqueued": {"#set": ["j1"]}, ...}, "end": {"deferred": {"#set": []}, ...}}

where `args`, `after`, `start` and `end` may be left out. A value is a string, a number, true or
false; a list, which is a sequence; {"#set": [value, ...]}; or a function or record,
{"#map": [[argument, value], ...]}.

Owns: the form in which projections hand lives to judges, and the same as a file.
Keeps: a file that is read gives the lives that were written, or says where it is wrong.
Above: projections make lives, judges judge them, `spec/tlc.py tv` reads them. Below: errors, tla.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from awa.errors import AwaError
from awa.lab.tla.values import Function, Value, function, ordered

State = tuple[tuple[str, Value], ...]
"""Variables and their values."""

Claims = tuple[tuple[str, tuple[Value, ...], Value], ...]
"""What is said of a state: a variable, a path of keys into it, and the value found there."""


class LifeError(AwaError):
    """What was to be lives is none; the message says where it is wrong."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: an action of the model, its arguments, and what holds of the state after it."""

    action: str
    args: tuple[Value, ...] = ()
    after: Claims = ()


@dataclass(frozen=True, slots=True)
class Life:
    """Steps from a state to a state: without `start` from Init, without `end` to any."""

    model: str
    constants: State
    steps: tuple[Step, ...]
    start: State | None = None
    end: State | None = None


def write_lives(path: Path, lives: Sequence[Life]) -> None:
    """Write lives to a file, one a line."""
    rows = ",\n".join(json.dumps(_life_row(life)) for life in lives)
    path.write_text(f"[\n{rows}\n]\n")


def read_lives(path: Path) -> list[Life]:
    """Read the lives of a file."""
    try:
        rows = json.loads(path.read_text())
    except OSError as error:
        raise LifeError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise LifeError(f"{path} is not JSON: {error}") from error
    if not _list(str(path), rows):
        raise LifeError(f"{path} holds no life, and nothing is not accepted")
    return [_life(f"{path}, life {n}", row) for n, row in enumerate(rows)]


def _life_row(life: Life) -> dict[str, object]:
    """Lay out a life as JSON has it."""
    row: dict[str, object] = {"model": life.model, "constants": _state_row(life.constants)}
    if life.start is not None:
        row["start"] = _state_row(life.start)
    row["steps"] = [_step_row(step) for step in life.steps]
    if life.end is not None:
        row["end"] = _state_row(life.end)
    return row


def _step_row(step: Step) -> dict[str, object]:
    """Lay out a step; what it does not have is left out."""
    row: dict[str, object] = {"action": step.action}
    if step.args:
        row["args"] = [_value_row(arg) for arg in step.args]
    if step.after:
        row["after"] = [
            [variable, [_value_row(key) for key in path], _value_row(value)]
            for variable, path, value in step.after
        ]
    return row


def _state_row(state: State) -> dict[str, object]:
    """Lay out a state."""
    return {variable: _value_row(value) for variable, value in state}


def _value_row(value: Value) -> object:
    """Lay out a value: a sequence is a list, a set and a function say what they are."""
    if isinstance(value, tuple):
        return [_value_row(one) for one in value]
    if isinstance(value, frozenset):
        return {"#set": [_value_row(one) for one in ordered(value)]}
    if isinstance(value, Function):
        return {"#map": [[_value_row(key), _value_row(value[key])] for key in ordered(value)]}
    return value


def _life(where: str, row: object) -> Life:
    """Read a life."""
    fields = _object(where, row, needs={"model", "constants", "steps"}, may={"start", "end"})
    return Life(
        model=_text(f"{where}, model", fields["model"]),
        constants=_state(f"{where}, constants", fields["constants"]),
        steps=tuple(
            _step(f"{where}, step {n}", one)
            for n, one in enumerate(_list(f"{where}, steps", fields["steps"]))
        ),
        start=_state(f"{where}, start", fields["start"]) if "start" in fields else None,
        end=_state(f"{where}, end", fields["end"]) if "end" in fields else None,
    )


def _step(where: str, row: object) -> Step:
    """Read a step."""
    fields = _object(where, row, needs={"action"}, may={"args", "after"})
    return Step(
        action=_text(f"{where}, action", fields["action"]),
        args=_values(f"{where}, args", fields.get("args", [])),
        after=tuple(
            _claim(f"{where}, after", one)
            for one in _list(f"{where}, after", fields.get("after", []))
        ),
    )


def _claim(where: str, row: object) -> tuple[str, tuple[Value, ...], Value]:
    """Read what is said of a state: three things in a list."""
    three = _list(where, row)
    if len(three) != 3:
        raise LifeError(f"{where}: {row!r} is not a variable, a path and a value")
    return _text(where, three[0]), _values(where, three[1]), _value(where, three[2])


def _state(where: str, row: object) -> State:
    """Read a state."""
    if not isinstance(row, dict):
        raise LifeError(f"{where}: {row!r} is no object")
    return tuple((name, _value(f"{where}, {name}", value)) for name, value in row.items())


def _values(where: str, row: object) -> tuple[Value, ...]:
    """Read a list of values."""
    return tuple(_value(where, one) for one in _list(where, row))


def _value(where: str, row: object) -> Value:
    """Read a value."""
    if isinstance(row, str | bool | int):
        return row
    if isinstance(row, list):
        return _values(where, row)
    if isinstance(row, dict) and set(row) == {"#set"}:
        return frozenset(_values(where, row["#set"]))
    if isinstance(row, dict) and set(row) == {"#map"}:
        return _function(where, row["#map"])
    raise LifeError(f"{where}: {row!r} is no value")


def _function(where: str, row: object) -> Value:
    """Read a function by its pairs, no two of which have the same argument."""
    pairs: dict[Value, Value] = {}
    for pair in _list(where, row):
        two = _values(where, pair)
        if len(two) != 2 or two[0] in pairs:
            raise LifeError(f"{where}: {pair!r} is no pair, or the second of its argument")
        pairs[two[0]] = two[1]
    return function(pairs)


def _object(where: str, row: object, needs: set[str], may: set[str]) -> dict[str, object]:
    """Read an object that has all the fields it needs, and none that nobody reads."""
    if not isinstance(row, dict):
        raise LifeError(f"{where}: {row!r} is no object")
    for wrong in sorted(needs - set(row)):
        raise LifeError(f"{where}: there is no {wrong}")
    for wrong in sorted(set(row) - needs - may):
        raise LifeError(f"{where}: nobody knows what {wrong} is")
    return row


def _list(where: str, row: object) -> list[object]:
    """Read a list."""
    if not isinstance(row, list):
        raise LifeError(f"{where}: {row!r} is no list")
    return row


def _text(where: str, row: object) -> str:
    """Read a name."""
    if not isinstance(row, str):
        raise LifeError(f"{where}: {row!r} is no name")
    return row
