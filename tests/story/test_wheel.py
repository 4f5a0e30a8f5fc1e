"""The wheel holds what the library needs to run, and nothing of the workshop.

Owns: what is in the wheel, and that it runs when it is all there is.
Keeps: it is built offline by the backend of pyproject.toml itself.
Above: nobody. Below: the repository's files.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.story.stage import ROOT

PARTS = ("awa/__init__.py", "awa/py.typed", "awa/cli/__init__.py", "awa/demo/counts.sql")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The wheel of this tree."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=90)
    (path,) = tmp_path.glob("*.whl")
    return path


@pytest.mark.slow
def test_the_wheel_holds_all_that_is_needed_and_no_more(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = ROOT / "awa"
    for suffix in ("py", "sql"):
        files = {str(path.relative_to(ROOT)) for path in package.rglob(f"*.{suffix}")}
        assert files and files <= names, files - names
    models = {f"awa/lab/spec/{path.name}" for path in (ROOT / "spec").glob("*.tla")}
    assert models and models <= names, models - names
    assert set(PARTS) <= names
    assert "awa/lab/spec/suite.toml" in names and "awa/lab/spec/tlc.py" in names
    tops = {name.split("/")[0] for name in names}
    assert tops == {"awa", f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


@pytest.mark.slow
def test_the_wheel_runs_without_the_tree(wheel: Path, tmp_path: Path) -> None:
    """Unpacked elsewhere, with the installed dependencies, it prints the SQL from its own files."""
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import awa; from awa.cli import main;"
        "assert awa.__file__.startswith(sys.argv[1]), awa.__file__;"
        "sys.exit(main(['migrate', '--sql']))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("-- Migration V1: ")
    assert "CREATE SCHEMA" in ran.stdout
