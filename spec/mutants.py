"""Judge the mutants of the models: each must fail a fact, or be called inert with the reason.

Owns: the command line, the order in which judges are asked, and the table in MUTANTS.md.
Keeps: a mutant is killed by a fact that has a name; one whose states are only fewer or more is told
    apart, for only the suite's count sees it. What is called inert and is killed is a fault.
Above: people at a prompt, make, the tests. Below: awa.lab, and tlc.py beside this file.
"""

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

from tlc import SPEC, read_verdict

from awa.errors import AwaError
from awa.lab import tally, tla, tlc
from awa.lab.mutants import Mutant, MutantError, mutants, needed
from awa.lab.suite import Check, read_suite
from awa.lab.tally import COUNTED, ENDS, INERT, KILLED, OPEN, UNJUDGED, Row, line
from awa.lab.tla.cfg import read_cfg
from awa.lab.tla.syntax import Modules

MODELS = (
    "Queue", "Log", "Finish", "Step", "Segments", "Carry", "Reach",
    "Rescue", "Watch", "Floor", "Leader", "Stop", "Wake",
)  # fmt: skip
HOWS = ("dropped",)
TABLE = SPEC / "MUTANTS.md"

STATES_TIMES = 2
"""A mutant with so many times its model's states is not gone through to the end."""

STATES_SOON = 1000
"""So many new states of a mutant are looked at, where it is to be soon."""

TLC_S_MAX = 120


class Verdict(NamedTuple):
    """What became of a mutant: how it ends, by what, and under which cfg."""

    ends: str
    by: str = ""
    cfg: str = ""


SAME = Verdict(OPEN, "does the same")


# What is judged, and by what.


@cache
def modules_of(name: str) -> Modules:
    """Read a module, with what it extends."""
    return Modules(name, [SPEC], {})


@cache
def checks_of(model: str) -> tuple[Check, ...]:
    """Return the checks of a model and of what extends it: what asks more of fewer states first."""
    found = [
        check
        for check in read_suite(SPEC)
        if check.expect == "pass" and not check.nightly and "/" not in check.module
        if model in modules_of(check.module).loaded
    ]
    if not found:
        raise MutantError(f"the suite has no check of {model}")
    return tuple(
        sorted(found, key=lambda one: (not read_cfg(SPEC / one.cfg).invariants, one.states))
    )


@cache
def mutants_of(model: str) -> tuple[Mutant, ...]:
    """Return the mutants of a model."""
    facts: set[str] = set()
    for check in checks_of(model):
        config = read_cfg(SPEC / check.cfg)
        facts |= needed(modules_of(check.module), [*config.invariants, *config.properties])
    found = mutants(modules_of(model), model, facts)
    return tuple(one for one in found if one.how in HOWS)


@cache
def lasting(check: Check) -> bool:
    """Tell if something is asked about whole behaviours, which the interpreter does not know."""
    model = check.load(SPEC)
    return any(model.property(name).temporal for name in model.config.properties)


def text_of(mutant: Mutant) -> str:
    """Return a mutant's text."""
    return mutant.apply(modules_of(mutant.model).loaded[mutant.model].lines)


@cache
def known_of(asked: Check) -> tla.Known:
    """Return all that the model of a check does."""
    return tla.Known(asked.load(SPEC))


def judge(mutant: Mutant, soon: bool = False) -> Verdict:
    """Ask the checks of a mutant's model until one kills it; if it is to be soon, the first."""
    found: list[Verdict] = []
    lasts: list[Check] = []
    for one in checks_of(mutant.model)[: 1 if soon else None]:
        verdict = interpret(one, mutant, STATES_SOON if soon else STATES_TIMES * one.states)
        if verdict.ends == KILLED:
            return verdict
        found.append(verdict)
        lasts += [one] if verdict != SAME and not soon and lasting(one) else []
    for one in lasts:
        verdict = model_check(one, mutant)
        if verdict.ends == KILLED:
            return verdict
    return min(found, key=lambda verdict: ENDS.index(verdict.ends))


def interpret(asked: Check, mutant: Mutant, most: int) -> Verdict:
    """Let the interpreter judge a mutant: by what it does beyond its model, if it does all of it.

    It has no more than new steps then; if it has none, it is the same in all that can be asked.
    """
    try:
        model = load(asked, mutant)
        acts = touched(model, mutant)
        more = tla.beyond(known_of(asked), model, acts, states_max=most)
    except tla.EvaluationError:
        return Verdict(KILLED, "no value", asked.name)
    except ValueError:
        return Verdict(COUNTED, "too many states", asked.name)
    if more is None:
        return search(asked, mutant)
    if more.violated is None and not more.steps:
        return SAME
    return verdict_of(asked, more.violated, asked.states + len(more.states))


def search(asked: Check, mutant: Mutant) -> Verdict:
    """Let the interpreter go through all states of a mutant."""
    try:
        model = load(asked, mutant)
        facts = model.config.invariants, model.config.properties
        graph = tla.explore(model, *facts, states_max=STATES_TIMES * asked.states)
    except tla.EvaluationError:
        return Verdict(KILLED, "no value", asked.name)
    except ValueError:
        return Verdict(COUNTED, "too many states", asked.name)
    return verdict_of(asked, graph.violated, len(graph.states))


def load(asked: Check, mutant: Mutant) -> tla.Model:
    """Load a mutant as a check has it."""
    sources = {mutant.model: text_of(mutant)}
    module, cfg = SPEC / f"{asked.module}.tla", SPEC / asked.cfg
    return tla.load_cfg(module, cfg, library=SPEC, sources=sources)


def verdict_of(asked: Check, violated: str | None, states: int | None) -> Verdict:
    """Return the verdict on a mutant that was gone through."""
    if violated is not None:
        return Verdict(KILLED, violated, asked.name)
    if states == asked.states:
        return Verdict(OPEN, "does more", asked.name)
    return Verdict(COUNTED, f"{states} states for {asked.states}", asked.name)


def touched(model: tla.Model, mutant: Mutant) -> list[str]:
    """Return the actions that are made of a mutant's operator; all, if it stands around them."""
    modules, actions = model.modules, list(model.actions)
    if mutant.operator in needed(modules, [model.config.specification], but=actions):
        return actions
    return [name for name in actions if mutant.operator in needed(modules, [name])]


def model_check(asked: Check, mutant: Mutant) -> Verdict:
    """Let TLC judge a mutant."""
    with tempfile.TemporaryDirectory(prefix="awa-mutant-") as name:
        folder = Path(name)
        shutil.copy(SPEC / f"{asked.module}.tla", folder)
        (folder / f"{mutant.model}.tla").write_text(text_of(mutant))
        call = tlc.Call(folder / asked.module, SPEC / asked.cfg, SPEC, limit_s=TLC_S_MAX)
        output = tlc.run(tlc.find_tools(), call)
    if output.code is None:
        return Verdict(COUNTED, f"no verdict in {TLC_S_MAX} s", asked.name)
    if "Computing initial states" not in output.text:
        raise MutantError(f"TLC does not understand {mutant.key}: {output.text[-2000:]}")
    said = read_verdict(output.text, (SPEC / asked.cfg).read_text())
    if said == "pass":
        return verdict_of(asked, None, tlc.distinct_states(output.text))
    facts = " or ".join(read_cfg(SPEC / asked.cfg).properties)
    name, _, _ = said.partition(" violated")
    by = "no value" if said.startswith("Error") else name if name.isidentifier() else facts
    return Verdict(KILLED, by, asked.name)


# The table.


def name_of(one: Mutant) -> tuple[str, str]:
    """Return what the table calls a mutant."""
    nth = f" ({one.nth})" if one.nth > 1 else ""
    return one.operator, f"{one.how}{nth}: `{one.text}`"


def row_of(one: Mutant, verdict: Verdict) -> Row:
    """Return the row of a mutant; what is called inert, and is killed, is killed."""
    if one.inert and verdict.ends != KILLED:
        return Row(*name_of(one), INERT, one.inert, verdict.cfg)
    return Row(*name_of(one), *verdict)


def retold(one: Mutant, row: Row) -> Row:
    """Return the row of a mutant that was judged before its model's comment was what it is."""
    if one.inert and row.ends not in (KILLED, UNJUDGED):
        return row._replace(ends=INERT, by=one.inert)
    return row._replace(ends=OPEN, by="") if row.ends == INERT else row


# The commands.


def run(options: argparse.Namespace) -> bool:
    """Judge the mutants of the models that are named, and write the table.

    What is called inert is asked about by one check only; `again` asks all.
    """
    for name in options.model or MODELS:
        said = {row[:2]: row for row in tally.read(TABLE).get(name, ()) if options.new}
        old = [retold(one, said[name_of(one)]) for one in mutants_of(name) if name_of(one) in said]
        known = {row[:2]: row for row in old if row.settled}
        fresh = [one for one in mutants_of(name) if name_of(one) not in known]
        soon = [bool(one.inert) for one in fresh]
        for one, verdict in judge_all(fresh, soon, options.jobs):
            known[name_of(one)] = row_of(one, verdict)
            write(name, known)
        write(name, known)
    return report()


def write(model: str, known: Mapping[tuple[str, ...], Row]) -> None:
    """Write what is known of a model's mutants, beside what the table says of the others."""
    rows = tally.read(TABLE)
    found = mutants_of(model)
    blank = {name_of(one): Row(*name_of(one), UNJUDGED, "", "") for one in found}
    rows[model] = [retold(one, {**blank, **known}[name_of(one)]) for one in found]
    tally.write(TABLE, {name: rows[name] for name in MODELS if name in rows})


def again(options: argparse.Namespace) -> bool:
    """Judge all mutants anew; each must end as the table says."""
    every = [one for name in options.model or MODELS for one in mutants_of(name)]
    return compare(judge_all(every, repeat(False), options.jobs), len(every))


def sample(options: argparse.Namespace) -> bool:
    """Judge some mutants anew, always in the same order, as many as there is time for."""
    every = [one for name in options.model or MODELS for one in mutants_of(name)]
    every.sort(key=lambda one: hashlib.sha256(repr(one.key).encode()).digest())
    return compare(judge_some(every, options.seconds), len(every))


def judge_all(
    wanted: Sequence[Mutant], soon: Iterable[bool], jobs: int
) -> Iterator[tuple[Mutant, Verdict]]:
    """Judge mutants, so many at a time, and return them in their order."""
    with ProcessPoolExecutor(jobs) as pool:
        yield from zip(wanted, pool.map(judge, wanted, soon), strict=False)


def judge_some(wanted: Sequence[Mutant], seconds: float) -> Iterator[tuple[Mutant, Verdict]]:
    """Judge mutants by the check that the table names, or the least, for so long."""
    known = {(model, *row[:2]): row for model, rows in tally.read(TABLE).items() for row in rows}
    end = sum(os.times()[:4]) + seconds
    for one in wanted:
        said = known.get((one.model, *name_of(one)))
        checks = [check for check in checks_of(one.model) if said and check.name == said.cfg]
        asked = [*checks, *checks_of(one.model)][0]
        if sum(os.times()[:4]) > end:
            return
        if said and said.ends == UNJUDGED:
            continue
        verdict = search(asked, one)
        if said and said.ends == KILLED != verdict.ends and lasting(asked):
            verdict = model_check(asked, one)
        yield one, verdict


def compare(judged: Iterable[tuple[Mutant, Verdict]], most: int) -> bool:
    """Hold verdicts against the table."""
    known = {(model, *row[:2]): row for model, rows in tally.read(TABLE).items() for row in rows}
    count, faults = 0, 0
    for one, verdict in judged:
        row, said = row_of(one, verdict), known.get((one.model, *name_of(one)))
        count += 1
        if said is not None and said.ends == UNJUDGED:
            continue
        if said is None or (said.ends == KILLED) != (row.ends == KILLED):
            print(f"{one.model}: {line(row)}, but the table says {line(said or ())}", flush=True)
            faults += 1
    print(f"{count - faults} of {count} mutants end as the table says; there are {most}")
    return report() and faults == 0


def report() -> bool:
    """Print what is not settled and the totals; tell if enough is, and what is called inert is."""
    rows, faults = tally.read(TABLE), 0
    for model, found in rows.items():
        for one, row in zip(mutants_of(model), found, strict=False):
            fault = bool(one.inert) and row.ends == KILLED
            faults += fault
            if fault or row.ends in (COUNTED, OPEN):
                called = ", and is called inert" if fault else ""
                print(f"{model}.tla:{one.end[0] + 1}: {' '.join(row)}{called}")
    print(*tally.totals(rows), sep="\n")
    every = [row for found in rows.values() for row in found]
    return tally.percent(every) >= tally.SETTLED_MIN_PERCENT and not faults


def main(args: Sequence[str] | None = None) -> int:
    """Serve one command: 0 if all is as it should be, 1 if not, 2 if nothing could be judged."""
    top = argparse.ArgumentParser(prog="mutants.py", description="Judge the mutants of the models.")
    commands = top.add_subparsers(required=True, metavar="command")
    for serve in (run, again, sample):
        command = commands.add_parser(serve.__name__, help=(serve.__doc__ or "").split(";")[0])
        command.add_argument("model", nargs="*")
        command.set_defaults(serve=serve)
        if serve is sample:
            command.add_argument("--seconds", type=float, default=40, help="of CPU")
        else:
            command.add_argument("--jobs", type=int, default=1, help="how many at a time")
        if serve is run:
            command.add_argument("--new", action="store_true", help="those that are not settled")
    options = top.parse_args(args)
    try:
        return 0 if options.serve(options) else 1
    except AwaError as error:
        print(f"mutants.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
