"""Mutants of the models: what they are, what becomes of them, and that the table says so.

Owns: the tests of awa.lab.mutants and of spec/mutants.py.
Keeps: the table has each mutant that there is, and no other.
Above: nobody. Below: awa.lab, the folder spec/.
"""

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from awa.lab import tally, tla
from awa.lab.mutants import Mutant, MutantError, mutants
from awa.lab.tla.syntax import Modules

ROOT = Path(__file__).parents[2]

DOOR = """\
---- MODULE Door ----
EXTENDS Integers
VARIABLES open, passed
vars == <<open, passed>>
Init == open = FALSE /\\ passed = 0
Wide == open
Turn ==
  /\\ passed < 2   \\* INERT
  /\\ open' = ~open
  /\\ UNCHANGED passed
Pass(n) ==
  /\\ Wide /\\ \\/ n = 1
             \\/ n = 2 /\\ passed <= 1
  /\\ passed + n <= 3
  /\\ passed' = passed + n
  /\\ open' = IF passed = 2 THEN FALSE
             ELSE open
Next == Turn \\/ \\E n \\in 1..2 : Pass(n)
Spec == Init /\\ [][Next]_vars
Few == passed <= 3
ByDay == [][passed' # passed => Wide]_vars
====
"""
CFG = """\
SPECIFICATION Spec
INVARIANT Few
PROPERTY ByDay
"""
SUITE = """\
[[check]]
module = "Door"
cfg = "MCDoor.cfg"
expect = "pass"
states = 7
shows = "A door."
"""
INERT = "inert: who comes late may turn it"


def made(text: str, facts: tuple[str, ...] = ("Few", "Wide")) -> list[Mutant]:
    return mutants(Modules("Door", [], {"Door": text}), "Door", facts)


def one_of(found: list[Mutant], text: str) -> Mutant:
    (one,) = (one for one in found if one.text == text)
    return one


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What reads the command line from a folder of models: it is a file and no module."""

    def read(folder: Path) -> ModuleType:
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, "tlc", raising=False)
        found = importlib.util.spec_from_file_location("spec_mutants", folder / "mutants.py")
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        monkeypatch.setitem(sys.modules, "spec_mutants", module)
        found.loader.exec_module(module)
        return module

    return read


@pytest.fixture
def door(tmp_path: Path, command: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command in a folder with a door; what is asked is done in this process."""
    for name in ("mutants.py", "tlc.py", "jar.lock"):
        shutil.copy(ROOT / "spec" / name, tmp_path)
    (tmp_path / "MCDoor.cfg").write_text(CFG)
    (tmp_path / "suite.toml").write_text(SUITE)

    def shut(text: str = DOOR) -> ModuleType:
        (tmp_path / "Door.tla").write_text(text)
        module: ModuleType = command(tmp_path)
        monkeypatch.setattr(module, "MODELS", ("Door",))
        return module

    return shut


# What a mutant is.


def test_each_condition_comparison_and_assignment_is_a_mutant() -> None:
    found = [(one.operator, one.how, one.text) for one in made(DOOR)]
    assert found == [
        ("Turn", "dropped", "passed < 2"),
        ("Turn", "turned", "passed <= 2"),
        ("Turn", "kept", "open' = ~open"),
        ("Pass", "dropped", "Wide"),
        ("Pass", "dropped", "\\/ n = 1 \\/ n = 2 /\\ passed <= 1"),
        ("Pass", "turned", "n # 1"),
        ("Pass", "dropped", "n = 2"),
        ("Pass", "turned", "n # 2"),
        ("Pass", "dropped", "passed <= 1"),
        ("Pass", "turned", "passed < 1"),
        ("Pass", "dropped", "passed + n <= 3"),
        ("Pass", "turned", "passed + n < 3"),
        ("Pass", "kept", "passed' = passed + n"),
        ("Pass", "kept", "open' = IF passed = 2 THEN FALSE ELSE open"),
        ("Pass", "turned", "passed # 2"),
    ]


def test_a_mutant_differs_in_one_construct_and_keeps_the_columns() -> None:
    lines = DOOR.splitlines()
    for one in made(DOOR):
        text = one.apply(lines).splitlines()
        differing = [n for n, (old, new) in enumerate(zip(lines, text, strict=True)) if old != new]
        assert differing
        assert one.start[0] <= differing[0] <= differing[-1] <= one.end[0]
        if one.how == "dropped":
            assert text[one.end[0]][one.end[1] :] == lines[one.end[0]][one.end[1] :]
        Modules("Door", [], {"Door": "\n".join(text)})


def test_a_dropped_condition_is_asked_no_more() -> None:
    text = one_of(made(DOOR), "passed + n <= 3").apply(DOOR.splitlines())
    model = tla.load(ROOT / "Door.tla", {}, sources={"Door": text})
    assert model.step("Pass", (1,), model.state({"open": True, "passed": 3}))


def test_what_a_fact_needs_is_left_alone() -> None:
    text = DOOR.replace("Wide == open", "Wide == open /\\ passed < 9")
    assert not [one for one in made(text) if one.operator == "Wide"]
    assert [one for one in made(text, facts=("Few",)) if one.operator == "Wide"]


def test_a_comment_says_why_a_mutant_is_inert() -> None:
    found = made(DOOR.replace("INERT", INERT))
    assert [(one.text, one.inert) for one in found if one.inert] == [
        ("passed < 2", "who comes late may turn it")
    ]


def test_a_comment_where_nothing_is_dropped_is_refused() -> None:
    stray = DOOR.replace("UNCHANGED passed", f"UNCHANGED passed  \\* {INERT}")
    with pytest.raises(MutantError, match=r"Door\.tla:10: nothing here is dropped"):
        made(stray)


def test_what_a_mutant_does_beyond_its_model_is_what_a_whole_search_finds() -> None:
    config: tuple[Path, dict[str, Any]] = (ROOT / "Door.tla", {})
    model = tla.load(*config, sources={"Door": DOOR})
    known = tla.Known(model)
    for one in made(DOOR):
        mutant = tla.load(*config, sources={"Door": one.apply(DOOR.splitlines())})
        mutant.config.invariants, mutant.config.properties = ["Few"], ["ByDay"]
        whole = tla.explore(mutant, ["Few"], ["ByDay"])
        more = tla.beyond(known, mutant, [one.operator], states_max=100)
        if one.how == "dropped":
            assert more is not None
            assert more.violated == whole.violated
            assert whole.violated or len(known.numbers) + len(more.states) == len(whole.states)
        elif one.how == "kept":
            assert more is None


# What becomes of it.


def test_the_table_names_the_fact_that_kills_and_tells_who_survives(
    door: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert door().main(["run"]) == 1
    said = capsys.readouterr().out
    rows = {row.mutant: row[2:] for row in tally.read(door().TABLE)["Door"]}
    assert rows["dropped: `Wide`"] == ("killed", "ByDay", "MCDoor")
    assert rows["dropped: `passed + n <= 3`"] == ("killed", "Few", "MCDoor")
    assert rows["dropped: `passed < 2`"][0] == "counted"
    assert rows["dropped: `n = 2`"][0] == "open"
    assert "Door.tla:13: Pass dropped: `n = 2` open" in said


def test_what_is_called_inert_is_so_unless_it_is_killed(
    door: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    text = DOOR.replace("INERT", INERT).replace("n <= 3", "n <= 3  \\* inert: it is not")
    assert door(text).main(["run"]) == 1
    rows = {row.mutant: row[2:] for row in tally.read(door(text).TABLE)["Door"]}
    assert rows["dropped: `passed < 2`"][:2] == ("inert", "who comes late may turn it")
    assert rows["dropped: `passed + n <= 3`"][:2] == ("killed", "Few")
    said = capsys.readouterr().out
    assert "Door.tla:14: Pass dropped: `passed + n <= 3` killed Few MCDoor, and is called" in said


def test_a_table_that_says_something_else_is_refused(
    door: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    module = door()
    module.main(["run"])
    table = module.TABLE.read_text()
    assert "6 of 6 mutants end as the table says" in asked(module, "again", capsys)
    module.TABLE.write_text(table.replace("killed | ByDay", "open | ByDay"))
    for what in ("again", "sample"):
        assert "5 of 6 mutants end as the table says" in asked(module, what, capsys)


def asked(module: Any, what: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    module.main([what])
    return capsys.readouterr().out


@pytest.mark.tlc
def test_both_judges_kill_the_same(door: Any) -> None:
    module = door()
    (check,) = module.checks_of("Door")
    for one in module.mutants_of("Door"):
        ours, theirs = module.interpret(check, one, 100), module.model_check(check, one)
        assert ours[:2] == theirs[:2] or (ours, theirs.ends) == (module.SAME, tally.OPEN), one


# That of the suite.


def test_the_table_has_each_mutant_of_each_model_and_no_other(command: Any) -> None:
    module = command(ROOT / "spec")
    table = tally.read(module.TABLE)
    assert tuple(table) == module.MODELS
    for model, rows in table.items():
        found = module.mutants_of(model)
        assert [tuple(row[:2]) for row in rows] == [module.name_of(one) for one in found], model
        for one, row in zip(found, rows, strict=True):
            if row.ends != tally.UNJUDGED:
                assert (row.by if row.ends == tally.INERT else "") == one.inert, row
    every = [row for rows in table.values() for row in rows]
    assert tally.percent(every) >= tally.SETTLED_MIN_PERCENT
