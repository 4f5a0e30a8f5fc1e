"""What a bug of the catalogue is: where it is sown, and which test misses the good text.

Owns: the kinds of bugs, and the tree that a bug in Python is sown in.
Keeps: the good text stands once where it is looked for, or the bug is none any more.
Above: the catalogue, the tests of it. Below: the repository's files.
"""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
TREE = ("awa", "tests", "spec", "traces", "pyproject.toml")
"""What a test of a patched copy needs."""

QUEUE_LOCK = "perform pg_advisory_xact_lock('queue'::regclass::oid::int, "


@dataclass(frozen=True, slots=True)
class Sown:
    """A bug in SQL: a verb or an inner function, and a piece of its text put differently."""

    verb: str
    good: str
    bad: str
    test: Callable[..., Awaitable[None]]
    """The test that misses it; it is called with a rig."""

    given: tuple[Any, ...] = ()
    """What else the test is called with."""

    said: str = ""
    """What the audit says of it, where nobody else does."""

    hidden: str = ""
    """Why no judge of traces refuses what it leaves, though one speaks of it."""

    @property
    def where(self) -> str:
        """The place that a reader looks for."""
        return f"{self.verb}.sql"

    @property
    def missed_by(self) -> str:
        """The test's name."""
        return f"{self.test.__module__.rpartition('.')[2]}::{self.test.__name__}"


@dataclass(frozen=True, slots=True)
class Patch:
    """A bug in Python: a module, a piece of its text put differently, and a test that misses it."""

    module: str
    good: str
    bad: str
    test: str = ""
    """The test's node id, below `tests/`."""

    open: str = ""
    """Why nothing misses it, if nothing does; then there is no test."""

    @property
    def where(self) -> str:
        """The place that a reader looks for."""
        return self.module

    @property
    def missed_by(self) -> str:
        """The test's name."""
        return self.test.rpartition("/")[2]

    def sow(self, tree: Path) -> None:
        """Put the text differently in a copy of the tree."""
        file = tree / "awa" / self.module
        text = file.read_text()
        assert text.count(self.good) == 1, f"{self.module}: not once there: {self.good}"
        file.write_text(text.replace(self.good, self.bad))

    def mend(self, tree: Path) -> None:
        """Have the copy as it was."""
        shutil.copy(ROOT / "awa" / self.module, tree / "awa" / self.module)


def copy_tree(to: Path) -> Path:
    """Copy what the tests of a patched module need; return the folder."""
    for name in TREE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, to / name)
    return to
