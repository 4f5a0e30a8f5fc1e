"""The interpreter finds what TLC finds: the same states, the same steps, the same refutations.

Owns: the comparison of the two checkers on the models of the suite.
Keeps: a model that enters the suite is compared without being named here.
Above: nobody. Below: graphs, awa.lab.tla.
"""

from pathlib import Path

import pytest

from awa.lab import tla
from awa.lab.suite import Check, read_suite
from tests.spec import graphs

pytestmark = pytest.mark.slow
"""Two checkers of every model: minutes, which a gate does not have."""

STATES_SOON = 2_500
STATES_WHOLE = 20_000
STATES_COUNTED = 100_000

CORNERS = str(Path(__file__).with_name("Corners"))
ROWS = [row for row in read_suite() if not row.nightly]
ROWS += [Check(CORNERS, f"{CORNERS}.cfg", "pass", "every corner of the language", states=960)]
PASS = [row for row in ROWS if row.expect == "pass"]


def cases(rows: list[Check], soon: int) -> list[object]:
    """Leave what has many states for the nightly run."""
    slow = pytest.mark.slow
    return [
        pytest.param(row, id=row.name, marks=[slow] if row.states > soon else []) for row in rows
    ]


@pytest.mark.tlc
@pytest.mark.parametrize(
    "row", cases([row for row in PASS if row.states <= STATES_WHOLE], STATES_SOON)
)
def test_the_graph_is_that_of_tlc(row: Check, tmp_path: Path) -> None:
    model = row.load()
    theirs = graphs.dumped(row, model.variables, tmp_path)
    ours = graphs.named_as(theirs.labels, model, graphs.explored(model))
    assert ours.states == theirs.states
    assert ours.steps == theirs.steps
    assert ours.generated == theirs.generated


@pytest.mark.tlc
@pytest.mark.slow
@pytest.mark.parametrize(
    "row", cases([row for row in PASS if STATES_WHOLE < row.states <= STATES_COUNTED], 0)
)
def test_the_counts_are_those_of_tlc(row: Check, tmp_path: Path) -> None:
    graph = tla.explore(row.load())
    theirs = graphs.generated(graphs.call(row, tmp_path))
    assert (graph.generated, len(graph.states)) == theirs
    assert len(graph.states) == row.states


@pytest.mark.parametrize("row", cases(ROWS, STATES_SOON))
def test_the_verdict_is_that_of_the_suite(row: Check) -> None:
    model = row.load()
    wanted = row.expect.removesuffix(" violated")
    if wanted in model.config.properties and model.property(wanted).temporal:
        pytest.skip(f"{wanted} is about whole behaviours, and left to TLC")
    graph = tla.explore(model, model.config.invariants, model.config.properties)
    assert row.expect == ("pass" if graph.violated is None else f"{graph.violated} violated")
    assert row.states in (0, len(graph.states))
