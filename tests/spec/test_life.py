"""Lives as a file.

Owns: the tests of the form in which lives are kept.
Keeps: what is written is read; what is not a life is refused, with its place.
Above: nobody. Below: awa.lab, lives.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from awa.lab.life import Life, LifeError, Step, read_lives, write_lives
from awa.lab.tla.values import Function, Value, render
from tests.spec.lives import AFTER_CLAIM, ENQUEUE, SHORT, WHOLE

ROW: dict[str, object] = {"model": "Queue", "constants": {}, "steps": []}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    lives = [WHOLE, replace(SHORT, end=AFTER_CLAIM), Life("Queue", (), (), start=AFTER_CLAIM)]
    write_lives(tmp_path / "lives.json", lives)
    assert read_lives(tmp_path / "lives.json") == lives
    assert len((tmp_path / "lives.json").read_text().splitlines()) == 5


@pytest.mark.parametrize(
    "value",
    [
        "",
        'q"uo\\te\n',
        0,
        -7,
        True,
        False,
        (),
        (1, ("a", ())),
        frozenset(),
        frozenset({(1, 2), (3,)}),
        frozenset({frozenset({"a"}), frozenset()}),
        Function({"job": "j1", "open": frozenset({3, 4})}),
        Function({(1, "a"): 5, 0: Function({"x": ()})}),
    ],
    ids=render,
)
def test_each_value_is_read_as_it_was(tmp_path: Path, value: Value) -> None:
    write_lives(tmp_path / "lives.json", [Life("Queue", (("C", value),), (Step("A", (value,)),))])
    (life,) = read_lives(tmp_path / "lives.json")
    assert life.constants == (("C", value),)
    assert (type(life.steps[0].args[0]), life.steps[0].args) == (type(value), (value,))


def test_a_function_over_the_first_numbers_is_a_sequence(tmp_path: Path) -> None:
    constants = {"C": {"#map": [[2, "b"], [1, "a"]]}}
    (tmp_path / "lives.json").write_text(json.dumps([{**ROW, "constants": constants}]))
    (life,) = read_lives(tmp_path / "lives.json")
    assert life.constants == (("C", ("a", "b")),)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ([], "is no object"),
        ({"model": "Queue", "steps": []}, "there is no constants"),
        ({**ROW, "stpes": []}, "nobody knows what stpes is"),
        ({**ROW, "model": 3}, "life 0, model: 3 is no name"),
        ({**ROW, "constants": []}, "life 0, constants: .* is no object"),
        ({**ROW, "steps": {}}, "life 0, steps: .* is no list"),
        ({**ROW, "steps": [{"args": []}]}, "life 0, step 0: there is no action"),
        ({**ROW, "steps": [{"action": "A", "args": "j1"}]}, "step 0, args: 'j1' is no list"),
        ({**ROW, "steps": [{"action": "A", "arg": []}]}, "nobody knows what arg is"),
        ({**ROW, "steps": [{"action": "A", "after": [["x", 1]]}]}, "not a variable, a path"),
        ({**ROW, "constants": {"C": 1.5}}, "life 0, constants, C: 1.5 is no value"),
        ({**ROW, "constants": {"C": None}}, "None is no value"),
        ({**ROW, "constants": {"C": {"a": 1}}}, "is no value"),
        ({**ROW, "constants": {"C": {"#set": [], "#map": []}}}, "is no value"),
        ({**ROW, "constants": {"C": {"#map": [[1, 2, 3]]}}}, "is no pair"),
        ({**ROW, "constants": {"C": {"#map": [[0, 2], [0, 3]]}}}, "the second of its argument"),
    ],
)
def test_what_is_no_life_is_refused(tmp_path: Path, row: object, why: str) -> None:
    (tmp_path / "lives.json").write_text(json.dumps([row]))
    with pytest.raises(LifeError, match=why):
        read_lives(tmp_path / "lives.json")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[", "is not JSON"),
        ("", "is not JSON"),
        ("\x80", "is not JSON"),
        ("{}", "is no list"),
        ("[]", "holds no life"),
    ],
)
def test_what_is_no_file_of_lives_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "lives.json").write_text(text, encoding="latin-1")
    with pytest.raises(LifeError, match=why):
        read_lives(tmp_path / "lives.json")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LifeError, match="cannot be read: No such file"):
        read_lives(tmp_path / "lives.json")


def test_lives_can_be_compared_and_kept_in_sets() -> None:
    assert {WHOLE, replace(WHOLE), replace(WHOLE, steps=(ENQUEUE,))} == {
        WHOLE,
        replace(WHOLE, steps=(ENQUEUE,)),
    }
