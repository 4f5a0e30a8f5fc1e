"""Run the models by TLC: check them, hold traces against them, write down what they can do.

Owns: the command line, and how a check of suite.toml is held against what it expects.
Keeps: a verdict is read from what TLC printed, never from its exit code alone; a check without
    a verdict has failed, and so has a trace that nothing was said of.
Above: the tests, and people at a prompt. Below: awa.lab, where TLC is found, called and read.
"""

import argparse
import fnmatch
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from awa.lab import tlc
from awa.lab.facts import ModelError
from awa.lab.judge import JudgeError, Verdict, judge
from awa.lab.life import Life, LifeError, read_lives
from awa.lab.suite import Check, read_suite

SPEC = Path(__file__).resolve().parent

RUN_S_MAX_NIGHTLY = 7200
OUTPUT_LINES_MAX = 200
CHECKS_ARCHIVED_MIN = 20
"""An archive of TLC's classes costs what it saves at a dozen checks."""

NAMED = re.compile(r"Error: (?:Invariant|Action property|Property) (\w+) is violated")
UNNAMED = re.compile(
    r"Error: (?:Temporal properties were violated"
    r"|Action property line \d+, .* of module \w+ is violated)"
)
COVERAGE_DETAIL = re.compile(r"^ +\|*line \d+, col \d+ to line ")
WALKED = re.compile(r"^Progress: (\d+) states checked\.$", re.M)
ACTION = re.compile(r"^<(\w+) line \d+, .* of module \w+(?: \(.*\))?>: \d+:(\d+)$", re.M)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a check; `fault` is empty when that is what was expected."""

    check: Check
    verdict: str
    states: int | None
    seconds: float
    fault: str
    output: str


def choose(checks: Sequence[Check], names: Sequence[str]) -> list[Check]:
    """Choose the checks by the name of their cfg, which may hold wildcards, or module."""
    chosen: list[Check] = []
    for name in names:
        found = [c for c in checks if fnmatch.fnmatch(c.name, name) or Path(c.module).name == name]
        if not found:
            known = ", ".join(check.name for check in checks)
            raise tlc.SetupError(f"no check is named {name}; there are {known}")
        chosen += [check for check in found if check not in chosen]
    return chosen


def call(check: Check, *options: str) -> tlc.Call:
    """Build the call of TLC that a check, or what else is done with its model, needs."""
    return tlc.Call(
        module=SPEC / check.module,
        cfg=SPEC / check.cfg,
        library=SPEC,
        options=options,
        java=tlc.LONG if check.nightly or check.long else tlc.SHORT,
        limit_s=RUN_S_MAX_NIGHTLY if check.nightly else tlc.RUN_S_MAX,
    )


def run(tools: tlc.Tools, check: Check) -> Result:
    """Run one check to its end, or to the end of its time."""
    asked = call(check, *(("-coverage", "1") if check.covers else ()))
    started = time.perf_counter()
    output = tlc.run(tools, asked)
    if output.code is None:
        fault = f"no verdict in {asked.limit_s} s"
        return Result(check, "none", None, asked.limit_s, fault, "")
    return compare(check, output.text, output.code, time.perf_counter() - started)


def compare(check: Check, output: str, code: int, seconds: float) -> Result:
    """Read what TLC printed, and hold it against what was expected."""
    verdict = read_verdict(output, (SPEC / check.cfg).read_text())
    states = tlc.distinct_states(output)
    fault = ""
    if verdict != check.expect:
        fault = f"expected {check.expect}"
    elif (verdict == "pass") != (code == 0):
        fault = f"but TLC exited with {code}"
    elif check.states not in (0, states):
        fault = f"expected {check.states} states"
    elif check.covers and (idle := never_taken(output)) != set(check.idle):
        fault = f"never taken: {', '.join(sorted(idle)) or 'none'}"
    return Result(check, verdict, states, seconds, fault, output)


def read_verdict(output: str, cfg: str) -> str:
    """Return `pass`, `<name> violated`, or what went wrong: all that is unclear is no verdict."""
    errors = tlc.errors(output)
    if not errors:
        return "pass" if tlc.completed(output) else "none"
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


def tools_for(checks: Sequence[Check], folder: Path) -> tlc.Tools:
    """Find TLC; for many checks, with an archive of what the smallest that passes has loaded."""
    tools = tlc.find_tools()
    passing = [check for check in checks if check.covers]
    if len(checks) < CHECKS_ARCHIVED_MIN or not passing:
        return tools
    sample = min(passing, key=lambda check: check.states or 0)
    return tlc.archived(tools, call(sample, "-coverage", "1"), folder)


def run_checks(checks: Sequence[Check], jobs: int) -> bool:
    """Run the checks and print the table; tell if all are as expected."""
    print(table_row(("config", "verdict", "states", "seconds", "module", "")), flush=True)
    faults = 0
    with tempfile.TemporaryDirectory(prefix="awa-tlc-") as folder, ThreadPoolExecutor(jobs) as pool:
        tools = tools_for(checks, Path(folder))
        for result in pool.map(lambda check: run(tools, check), checks):
            show(result)
            faults += bool(result.fault)
    print(f"{len(checks) - faults} of {len(checks)} as expected")
    return faults == 0


def mc(options: argparse.Namespace) -> bool:
    """Check the models that are named."""
    return run_checks(choose(read_suite(SPEC), options.name), options.jobs)


def every(options: argparse.Namespace) -> bool:
    """Check all models; the nightly ones only when asked."""
    checks = read_suite(SPEC)
    return run_checks([c for c in checks if options.nightly or not c.nightly], options.jobs)


def only(name: str) -> Check:
    """Choose the one check of a name."""
    chosen = choose(read_suite(SPEC), [name])
    if len(chosen) != 1:
        raise tlc.SetupError(f"{name} is {len(chosen)} checks: {', '.join(c.name for c in chosen)}")
    return chosen[0]


def dump(options: argparse.Namespace) -> bool:
    """Write all states of a model, and the actions that lead from one to another, to a file."""
    check = only(options.name)
    file = Path(options.to or f"{check.name}.dot").resolve()
    if file.suffix != ".dot" or not file.parent.is_dir():
        raise tlc.SetupError(f"{file} is not a .dot in a folder that is there")
    tools = tlc.find_tools()
    file.unlink(missing_ok=True)
    output = tlc.run(tools, call(check, "-dump", "dot,actionlabels", str(file)))
    verdict = read_verdict(output.text, (SPEC / check.cfg).read_text())
    print(f"{check.name}: {verdict}, {tlc.distinct_states(output.text)} states, {file}")
    return verdict == "pass" and output.code == 0 and file.is_file()


def sim(options: argparse.Namespace) -> bool:
    """Walk a model at random, so many times and so far; tell if no fact was refuted."""
    check = only(options.name)
    how = ("-simulate", f"num={options.behaviours}", "-depth", str(options.depth))
    output = tlc.run(tlc.find_tools(), call(check, *how))
    wrong, walked = tlc.errors(output.text), WALKED.findall(output.text)[-1:]
    if wrong or not walked or output.code != 0:
        print(output.text)
        return False
    print(f"{check.name}: {walked[0]} states of {options.behaviours} behaviours, none refuted")
    return True


def tv(options: argparse.Namespace) -> bool:
    """Judge the lives in files, which `awa.lab.life` describes; all must be accepted."""
    lives = [(file, n, life) for file in options.file for n, life in enumerate(read_lives(file))]
    try:
        verdicts = judge([life for _, _, life in lives])
    except JudgeError as error:
        if error.life is None:
            raise
        file, n, _ = lives[error.life]
        raise JudgeError(f"{file}, life {n}: {error.reason}") from None
    refused = [
        (life, verdict)
        for life, verdict in zip(lives, verdicts, strict=True)
        if not verdict.accepted
    ]
    for (file, n, life), verdict in refused:
        print(f"{file}, life {n}, {describe(life, verdict)}")
    print(f"{len(lives) - len(refused)} of {len(lives)} lives accepted")
    return not refused


def describe(life: Life, verdict: Verdict) -> str:
    """Say why a life is refused, where, and in which state it was then."""
    place = "its start" if verdict.step is None else f"step {verdict.step}"
    if verdict.step is not None and verdict.step < len(life.steps):
        place += f", {life.steps[verdict.step].action}"
    return f"{place}: {verdict.reason}\n    {verdict.state}"


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
    traces = commands.add_parser("tv", help="judge traces: lives in files")
    traces.add_argument("file", nargs="+", type=Path)
    traces.set_defaults(serve=tv)
    graph = commands.add_parser("dump", help="write the state graph of a model")
    graph.add_argument("name")
    graph.add_argument("--to", metavar="FILE.dot", help="where to; the cfg's name if not said")
    graph.set_defaults(serve=dump)
    random = commands.add_parser("sim", help="walk a model at random")
    random.add_argument("name")
    random.add_argument("--behaviours", type=int, default=1000)
    random.add_argument("--depth", type=int, default=30)
    random.set_defaults(serve=sim)
    for subcommand in (named, whole):
        subcommand.add_argument("--jobs", type=int, default=1, help="how many at a time")
    return top


def main(args: Sequence[str] | None = None) -> int:
    """Serve one command: 0 if all is as expected, 1 if not, 2 if nothing could be run."""
    options = parser().parse_args(args)
    try:
        return 0 if options.serve(options) else 1
    except (tlc.SetupError, ModelError, LifeError, JudgeError) as error:
        print(f"tlc.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
