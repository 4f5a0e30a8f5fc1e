"""A line of the worker process that is put differently is missed by a test of it.

Owns: that every bug in Python of the catalogue is still one, and is noticed.
Keeps: the bug is sown in a copy of the tree, and the test runs there, in a process of its own.
Above: nobody. Below: catalogue, child, kinds.
"""

from pathlib import Path

import pytest

from tests import postgres
from tests.bugs.catalogue import PYTHON
from tests.bugs.child import run
from tests.bugs.kinds import ROOT, copy_tree

TESTED = [name for name, bug in PYTHON.items() if not bug.open]
SAMPLE = ("what is heard during a look is forgotten", "a look that was refused has announced")


@pytest.mark.parametrize("name", PYTHON)
def test_the_text_and_the_test_are_there(name: str) -> None:
    bug = PYTHON[name]
    assert (ROOT / "awa" / bug.module).read_text().count(bug.good) == 1
    assert bool(bug.test) != bool(bug.open)
    file, _, test = bug.test.partition("::")
    assert bug.open or f"def {test}(" in (ROOT / "tests" / file).read_text()


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in SAMPLE else pytest.mark.slow) for n in TESTED]
)
def test_a_line_that_is_put_differently_is_missed(
    server: postgres.Server, tmp_path: Path, name: str
) -> None:
    bug = PYTHON[name]
    bug.sow(copy_tree(tmp_path))
    found = run(tmp_path, bug.test)
    assert "test" in found.judges, found.text
