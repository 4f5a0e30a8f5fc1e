"""The table of bugs: what was found by `python -m tests.bugs`, as a page.

Owns: the page's form, and the file in which the findings are kept between two runs.
Keeps: the page is made of the catalogue and of what was found, and of nothing else.
Above: test_table, `python -m tests.bugs`. Below: catalogue, kinds, linearizer, tales.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from awa.lab.check import PROJECTIONS
from awa.store.sql import verb_files
from tests.bugs.catalogue import PYTHON, SQL, TOLD
from tests.bugs.kinds import ROOT, Sown
from tests.bugs.linearizer import LINEARIZERS
from tests.bugs.tales import WAYS, WHY_LEGAL

PAGE, FOUND = ROOT / "traces" / "BUGS.md", ROOT / "traces" / "bugs.json"
MODELS = tuple(PROJECTIONS)
JUDGES = ("test", *MODELS, "order", "form", "audit")
FOLDERS = ("inner", "producer", "worker", "leader", "operator")

HEAD = """\
# Bugs that are sown, and who catches them

Written by `make bugs` (`python -m tests.bugs`), never by hand; `tests/bugs/` has the bugs
themselves. A bug is a piece of the text of a verb or of a module, put differently. Its own test is
run with it, and the judges look at the trace that this leaves: the models that traces are held
against, by the monitor; `order`, when no order of the events is possible; `form`, when they are no
trace; `audit`, which holds the events against the rows that were written (of bugs in SQL only).

A test ends at its first failed assertion, and so a trace may end before the bug shows in it. What
refuses mutants of the models themselves is told in `spec/README.md`.
"""
IN_PYTHON = """\
## In Python

What a worker process does wrong is mostly legal for the database: `Step`, `Stop` and `Wake`, which
speak of it, judge no traces.
"""
TALES = """\
## In traces

One event of a trace in `traces/accept`, put differently in each way and at each place. The first
columns count what a judge refuses; the others what is legal, for the reason at their head.
"""


@dataclass(slots=True)
class Found:
    """Who caught which bug, and what became of the mutants of traces."""

    caught: dict[str, list[str]] = field(default_factory=dict)
    tales: dict[str, dict[str, int]] = field(default_factory=dict)


def load() -> Found:
    """Read what was found at the last run."""
    return Found(**json.loads(FOUND.read_text())) if FOUND.exists() else Found()


def save(found: Found) -> None:
    """Keep what was found, and make the page of it."""
    known = {name: found.caught[name] for name in all_names() if name in found.caught}
    told = {"caught": known, "tales": found.tales}
    FOUND.write_text(json.dumps(told, indent=1) + "\n")
    PAGE.write_text(page(found))


def all_names() -> list[str]:
    """Return the names of all bugs; none stands for two."""
    names = [*SQL, *TOLD, *PYTHON]
    assert len(set(names)) == len(names)
    return names


# --- The page ----------------------------------------------------------------------------------


def page(found: Found) -> str:
    """Return the page."""
    caught = found.caught
    parts = [HEAD, *_open(caught), *_totals(caught)]
    parts.append("## In SQL\n")
    parts += _table(
        ("where", "what is broken", "missed by", "refused by", "why no model does"),
        (_sql(name, bug, caught[name]) for name, bug in SQL.items()),
    )
    parts.append("## In what the verbs tell\n")
    parts += _table(
        ("where", "what is broken", "refused by", "the audit says"),
        ((bug.where, name, ", ".join(caught[name]), bug.said) for name, bug in TOLD.items()),
    )
    parts.append(IN_PYTHON)
    parts += _table(
        ("where", "what is broken", "missed by", "refused by"),
        (
            (bug.where, name, f"`{bug.missed_by}`", _judges(caught[name]))
            for name, bug in PYTHON.items()
            if not bug.open
        ),
    )
    parts += [*_linearizers(), *_tales(found.tales)]
    return "\n".join(parts)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Return the lines of a table."""
    head = list(head)
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _open(caught: Mapping[str, list[str]]) -> Iterator[str]:
    """Return the bugs that nobody catches."""
    left = [name for name in all_names() if not caught[name]]
    yield "## Open\n"
    if not left:
        yield "None: each is caught.\n"
        return
    rows = ((PYTHON[name].where, name, PYTHON[name].open) for name in left)
    yield from _table(("where", "what is broken", "why nothing catches it"), rows)


def _totals(caught: Mapping[str, list[str]]) -> Iterator[str]:
    """Return how many bugs each judge refuses, and how many nobody else does."""
    yield "## By judge\n"
    each = Counter(judge for judges in caught.values() for judge in judges)
    alone = Counter(judges[0] for judges in caught.values() if len(judges) == 1)
    rows = ((judge, str(each[judge]), str(alone[judge])) for judge in JUDGES)
    yield from _table((f"of {len(caught)} bugs", "refused", "by it alone"), rows)


def _judges(caught: Iterable[str]) -> str:
    """Return who refuses besides the test."""
    return ", ".join(judge for judge in caught if judge != "test")


def _sql(name: str, bug: Sown, caught: list[str]) -> tuple[str, ...]:
    """Return the row of a bug in SQL."""
    why = "" if {*MODELS, "order", "form"} & set(caught) else _why_no_model(name, bug)
    return bug.where, name, f"`{bug.missed_by}`", _judges(caught), why


def _why_no_model(name: str, bug: Sown) -> str:
    """Return why no model refuses: it judges no traces, or what is said of this bug."""
    if bug.hidden:
        return bug.hidden
    (path,) = (path for path in verb_files(*FOLDERS) if path.stem == bug.verb)
    (spec,) = re.findall(r"^-- spec    (.*)$", path.read_text(), re.MULTILINE)
    models = sorted(set(re.findall(r"(\w+)\.tla!", spec)))
    if not models:
        return "no model speaks of it"
    if judging := [model for model in models if model in MODELS]:
        return f"the trace of its test does not show it to {' and '.join(judging)}"
    *most, last = (f"`{model}`" for model in models)
    named = f"{', '.join(most)} and {last} judge" if most else f"{last} judges"
    return f"{named} no traces"


def _linearizers() -> Iterator[str]:
    """Return the mutants of the linearizer, with the stories that each gets wrong."""
    yield "## In the linearizer\n"
    yield "Each gets these stories of `tests/lab/test_order.py` wrong.\n"
    rows = ((one.where, name, ", ".join(one.stories)) for name, one in LINEARIZERS.items())
    yield from _table(("where", "what is broken", "stories"), rows)


def _tales(tales: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Return what became of the mutants of true traces."""
    yield TALES
    judges = [judge for judge in JUDGES if any(judge in told for told in tales.values())]
    head = ("what is put differently", "mutants", *judges, *WHY_LEGAL)
    rows = []
    for way in WAYS:
        counts = [tales.get(way, {}).get(one, 0) for one in (*judges, *WHY_LEGAL)]
        rows.append((way, str(sum(counts)), *map(str, counts)))
    yield from _table(head, rows)
