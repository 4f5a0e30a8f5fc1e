"""Which facts of the models traces are held against: all that a step can refute, none left out.

Owns: that the monitor asks them, and that spec/README.md says which it cannot ask.
Keeps: what the suite checks of a model that has a projection is asked at each step of its lives.
Above: nobody. Below: awa.lab, spec.
"""

import re
from collections import defaultdict
from typing import Any

import pytest

from awa.lab.check import PROJECTIONS
from awa.lab.facts import read_model
from awa.lab.monitor import Monitor
from awa.lab.order import ordered
from awa.lab.suite import read_suite
from awa.lab.tla import Model
from awa.lab.tla.cfg import read_cfg
from awa.lab.tlc import spec_folder
from awa.lab.trace import read, spec_hashes

TRACES = spec_folder().parent / "traces" / "accept"


def checked(model: str) -> set[str]:
    """Return every fact that the suite checks of a model."""
    cfgs = [
        read_cfg(spec_folder() / one.cfg)
        for one in read_suite()
        if one.module == model and one.covers
    ]
    return {fact for cfg in cfgs for fact in (*cfg.invariants, *cfg.properties)}


def of_behaviours(model: str) -> set[str]:
    """Return the facts of a model that speak of whole behaviours."""
    text = (spec_folder() / f"{model}.tla").read_text()
    text = re.sub(r"\(\*.*?\*\)|\\\*[^\n]*", "", text, flags=re.DOTALL)
    found = re.findall(r"^(\w+)(?:\([^)]*\))?\s*==(.*?)(?=^\w|\Z)", text, re.MULTILINE | re.DOTALL)
    return {name for name, body in found if re.search(r"~>|(?<!<)<>(?!>)", body)}


@pytest.mark.parametrize("model", PROJECTIONS)
def test_every_fact_that_a_step_can_refute_is_known(model: str) -> None:
    facts = read_model(spec_folder(), model)
    known = {*facts.invariants, *(law.name for law in facts.laws)}
    assert known == checked(model) - of_behaviours(model)


def test_every_fact_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: defaultdict[str, set[str]] = defaultdict(set)
    holds, holds_step = Model.holds, Model.holds_step

    def of(model: Model) -> set[str]:
        return asked[next(name for name, one in courts.items() if one is model)]

    def spy(self: Model, name: str, *given: Any) -> bool:
        of(self).add(name)
        return holds(self, name, *given)

    def spy_step(self: Model, name: str, *given: Any) -> bool:
        of(self).add(name)
        return holds_step(self, name, *given)

    monitor = Monitor()
    events = ordered(read(TRACES / "a-prune.jsonl", spec_hashes(spec_folder())).events)
    lives = {name: project(events)[0][0].life for name, project in PROJECTIONS.items()}
    courts = {name: monitor.court(life).model for name, life in lives.items()}
    monkeypatch.setattr(Model, "holds", spy)
    monkeypatch.setattr(Model, "holds_step", spy_step)
    assert all(verdict.accepted for verdict in monitor.judge(lives.values()))
    for name in PROJECTIONS:
        assert asked[name] == checked(name) - of_behaviours(name), name


def test_the_page_says_what_is_not_asked() -> None:
    page = (spec_folder() / "README.md").read_text()
    _, _, rest = page.partition("## Which of it traces are held against")
    part, _, _ = rest.partition("\n## ")
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", part, re.MULTILINE)
    said = {model: set(re.findall(r"`(\w+)`", left)) for model, left in rows}
    assert said == {model: checked(model) & of_behaviours(model) for model in PROJECTIONS}
    (others,) = re.findall(r"No trace is held against (.*?):", part, re.DOTALL)
    modules = {one.module for one in read_suite() if one.cfg.startswith("MC")}
    mine = {one for one in modules if not re.match(rf"({'|'.join(PROJECTIONS)})[A-Z]", one)}
    mine -= {one for one in modules if re.search(r"Refines$", one)}
    assert set(re.findall(r"`(\w+)`", others)) == mine - PROJECTIONS.keys()
