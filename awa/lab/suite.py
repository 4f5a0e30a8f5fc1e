"""The suite: the models with their bounds, and what must come of each.

Owns: how the rows of spec/suite.toml are read.
Keeps: each row names files that are there, and no two have one name.
Above: spec/tlc.py, the tests, coverage, mutants. Below: tla, tlc.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from awa.lab.tla import Model, load_cfg
from awa.lab.tlc import SetupError, spec_folder

__all__ = ["Check", "read_suite"]


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the suite: a model with its bounds, and what must come of it."""

    module: str
    cfg: str
    expect: str
    shows: str
    states: int = 0
    idle: tuple[str, ...] = ()
    nightly: bool = False
    long: bool = False

    @property
    def name(self) -> str:
        """Return the check's name: that of its cfg."""
        return Path(self.cfg).stem

    @property
    def covers(self) -> bool:
        """Tell if all actions must be taken: a model that can do nothing passes anything.

        To count what is taken is half of the work, and for a long check others see to it.
        """
        return self.expect == "pass" and not self.long

    def load(self, folder: Path | None = None) -> Model:
        """Load the model with its cfg, to be gone through by the interpreter."""
        folder = folder or spec_folder()
        return load_cfg(folder / f"{self.module}.tla", folder / self.cfg, library=folder)


def read_suite(folder: Path | None = None) -> list[Check]:
    """Read the checks of the suite of a folder, in its order."""
    folder = folder or spec_folder()
    path = folder / "suite.toml"
    checks: list[Check] = []
    for row in tomllib.loads(path.read_text())["check"]:
        check = Check(**{**row, "idle": tuple(row.get("idle", ()))})
        for file in (f"{check.module}.tla", check.cfg):
            if not (folder / file).is_file():
                raise SetupError(f"{path.name} names {file}, which is not there")
        if check.name in {other.name for other in checks}:
            raise SetupError(f"{path.name} has two checks named {check.name}")
        checks.append(check)
    return checks
