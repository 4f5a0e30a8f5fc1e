"""The models' page: each fact in one sentence, with the bug that breaks it, its test and its chaos.

Owns: the comparison of spec/README.md with the suite, the cfgs and the names of tests.
Keeps: a fact, a broken variant, a cfg or a module that has no row fails here, and so does a row of
    what is not there.
Above: nobody. Below: awa.lab, spec, awa/demo, tests.
"""

import re
from collections import Counter
from pathlib import Path

import pytest

from awa.lab.suite import read_suite
from awa.lab.tla.cfg import read_cfg

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "spec"
PAGE = (SPEC / "README.md").read_text()
CHECKS = read_suite(SPEC)

SECTIONS: dict[str, str] = dict(
    re.findall(r"^### (\w+) \(`MC\1\*`\)\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
)
TEST = re.compile(r"`(?:(\w+)/)?(\w+)::(\w+)(…?)`")
ACT = re.compile(r"`demo: ([\w ]+)`")
FORM = {"TypeOK"}
"""The form of the state: what it says is beside the variables in each model."""


def rows(text: str) -> list[list[str]]:
    """Return the cells of a table's rows, of those whose first cell is a name."""
    found = re.findall(r"^\| (`\w+`.*) \|$", text, re.MULTILINE)
    return [row.split(" | ") for row in found]


def table(section: str, header: str) -> list[list[str]]:
    """Return the rows of the table of a section that has this header."""
    return rows(SECTIONS[section].partition(f"| {header} |\n")[2].partition("\n\n")[0])


def names(cell: str) -> list[str]:
    """Return what a cell names."""
    return re.findall(r"`(\w+)`", cell)


def section_of(module: str) -> str:
    """Return the section of a module: a model's is that of its refinement, and of its bugs."""
    (one,) = [name for name in SECTIONS if module.removeprefix("broken/").startswith(name)]
    return one


def facts_of(cfg: str) -> set[str]:
    """Return the invariants and properties that a cfg asks for."""
    config = read_cfg(SPEC / cfg)
    facts = {*config.invariants, *config.properties}
    assert facts, f"{cfg} asks for nothing"
    return facts


def named_in(folder: str, file: str) -> list[list[str]]:
    """Return the names of the tests of each file that is called so."""
    pattern = re.compile(r"^(?:async )?def test_(\w+)\(", re.MULTILINE)
    paths = ROOT.glob(f"tests/{folder or '*'}/test_{file}.py")
    return [pattern.findall(path.read_text()) for path in paths]


def test_every_model_has_its_section() -> None:
    assert {section_of(one.module) for one in CHECKS} == set(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_fact_has_one_row(section: str) -> None:
    asked = [one.cfg for one in CHECKS if not one.cfg.startswith("broken/")]
    cfgs = [cfg for cfg in asked if cfg.startswith(f"MC{section}")]
    facts = set[str]().union(*map(facts_of, cfgs)) - FORM
    said = [
        name
        for fact, *_ in table(section, "fact | in English | refuted by")
        for name in names(fact)
    ]
    assert Counter(said) == Counter(facts)
    tried = [name for fact, *_ in table(section, "fact | test | chaos") for name in names(fact)]
    assert tried == said


@pytest.mark.parametrize("section", SECTIONS)
def test_every_broken_variant_stands_beside_the_fact_that_it_breaks(section: str) -> None:
    refuted = [
        (one.expect.removesuffix(" violated"), one.name)
        for one in CHECKS
        if one.expect != "pass" and section_of(one.module) == section
    ]
    said = [
        (fact.strip("`"), name)
        for fact, _, bugs in table(section, "fact | in English | refuted by")
        for name in names(bugs)
    ]
    assert Counter(said) == Counter(refuted)


def test_a_broken_variant_that_must_pass_is_told() -> None:
    odd = {one.name for one in CHECKS if "broken/" in one.cfg and one.expect == "pass"}
    assert odd and odd <= set(re.findall(r"^`(\w+)` is the odd one", PAGE, re.MULTILINE))
    there = {f"broken/{path.name}" for path in (SPEC / "broken").glob("*.cfg")}
    assert there == {one.cfg for one in CHECKS if one.cfg.startswith("broken/")}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_test_and_every_act_that_is_named_is_there(section: str) -> None:
    play = (ROOT / "awa" / "demo" / "play.py").read_text()
    for fact, test, chaos in table(section, "fact | test | chaos"):
        assert test == "none" or TEST.search(test), f"{fact}: neither a test nor none"
        assert chaos == "—" or TEST.search(chaos) or ACT.search(chaos), fact
        left = ACT.sub("", TEST.sub("", f"{test} {chaos}"))
        assert re.fullmatch(r"(?:[ ,—]|none)*", left), f"{fact}: {left}"
        for folder, file, name, cut in TEST.findall(f"{test} {chaos}"):
            found = named_in(folder, file)
            assert len(found) == 1, f"{fact}: {len(found)} files are called {file}"
            fits = [one for one in found[0] if one == name or (cut and one.startswith(name))]
            assert len(fits) == 1, f"{fact}: {len(fits)} tests of {file} are called {name}"
        for act in ACT.findall(chaos):
            assert f'self.say(f"{act}' in play, f"{fact}: the demo says nothing of {act!r}"


def test_every_cfg_has_its_bounds() -> None:
    (text,) = re.findall(r"^## Bounds\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    said = [(name, "(nightly)" in cfgs) for cfgs, _ in rows(text) for name in names(cfgs)]
    cfgs = [one for one in CHECKS if not one.cfg.startswith("broken/")]
    assert Counter(said) == Counter((one.name, one.nightly) for one in cfgs)


def test_every_module_stands_in_the_reading_order() -> None:
    (text,) = re.findall(r"^## Reading order\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    said = re.findall(r"`(\w+)\.tla`", "\n".join(re.findall(r"^\|.*\|$", text, re.MULTILINE)))
    assert Counter(said) == Counter(path.stem for path in SPEC.glob("*.tla"))


def test_what_is_promised_names_facts_that_are_there() -> None:
    said = re.findall(r"`(\w+)\.tla` ([A-Z]\w+)", (ROOT / "README.md").read_text())
    page = (ROOT / "docs" / "guarantees.md").read_text()
    for model, facts in re.findall(r"`(\w+)`: (\w+(?:,\s\w+)*)", page):
        said += [(model, fact) for fact in re.split(r",\s", facts)]
    assert len(said) > 15, "the patterns find nothing any more"
    there = {
        (section, name)
        for section in SECTIONS
        for fact, *_ in table(section, "fact | in English | refuted by")
        for name in names(fact)
    }
    assert set(said) <= there
