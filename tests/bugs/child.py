"""A test in a process of its own, on a copy of the tree in which a bug may be sown.

Owns: how the test is run there, and how is read what it and the judges said.
Keeps: nothing here is touched by a bug there.
Above: the tests of the catalogue, `python -m tests.bugs`. Below: pytest.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 60
ILLEGAL = re.compile(r"is illegal by (\w+)\.tla")
NO_ORDER = "no order of these events is possible"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a test said of the tree that it ran on."""

    passed: bool
    judges: frozenset[str]
    """Who refused: the test itself, the models, the order."""
    text: str


def run(tree: Path, test: str) -> Outcome:
    """Run one test there."""
    command = [sys.executable, "-m", "pytest", "-x", "--slow", "-p", "no:cacheprovider"]
    command += ["-o", f"timeout={TIMEOUT_S}", f"tests/{test}"]
    env = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=tree, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    text = done.stdout.decode(errors="replace")
    assert done.returncode in {0, 1}, text
    return Outcome(done.returncode == 0, frozenset(_judges(text)), text)


def _judges(text: str) -> set[str]:
    """Return who refused: the summary has a test's own failure, and an error for its trace."""
    judges = set(ILLEGAL.findall(text))
    if NO_ORDER in text:
        judges.add("order")
    if re.search(r"^FAILED ", text, re.MULTILINE):
        judges.add("test")
    return judges
