"""The table of the mutants: how each ends, and how many are settled.

Owns: the form of MUTANTS.md, and the words for how a mutant ends.
Keeps: what is written is read again as it was.
Above: spec/mutants.py. Below: nothing.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

__all__ = [
    "COUNTED", "ENDS", "INERT", "KILLED", "OPEN", "SETTLED_MIN_PERCENT", "UNJUDGED",
    "Row", "Rows", "line", "percent", "read", "totals", "write",
]  # fmt: skip

SETTLED_MIN_PERCENT = 95
"""At least so many must be killed, or inert."""

KILLED, INERT, COUNTED, OPEN, UNJUDGED = "killed", "inert", "counted", "open", "not judged"
ENDS = (KILLED, INERT, COUNTED, OPEN, UNJUDGED)

HEAD = """\
# The mutants of the models

Written by `spec/mutants.py run`, and not to be edited. In each action, and in each operator that
only actions need, each condition is *dropped* once. Of a mutant the table says how it ends:

* *killed* by the fact that is named, under the cfg that is named (`no value`: something that the
  model speaks of has no value);
* *inert*: no fact fails, and the model's comment says why;
* *counted*: no fact fails; only the count of states is another than the suite's;
* *open*: none of these;
* *not judged*: nobody has asked yet; `run --new` does.
"""


class Row(NamedTuple):
    """What the table says of a mutant."""

    operator: str
    mutant: str
    ends: str
    by: str
    cfg: str

    @property
    def settled(self) -> bool:
        """Tell if nothing is left to ask about it."""
        return self.ends in (KILLED, INERT)


Rows: TypeAlias = Mapping[str, Sequence[Row]]
"""The rows of each model."""


def line(parts: Iterable[object]) -> str:
    """Lay out one row of a table."""
    return "| " + " | ".join(str(part).replace("|", r"\|") for part in parts) + " |"


def fields(text: str) -> list[str]:
    """Read one row of a table."""
    parts = re.split(r"(?<!\\)\|", text)[1:-1]
    return [part.strip().replace(r"\|", "|") for part in parts]


def totals(rows: Rows) -> Iterator[str]:
    """Return the rows of the table of totals."""
    yield line(("model", "mutants", *ENDS, "settled of those judged"))
    yield line(["---"] * (len(ENDS) + 3))
    every = [row for found in rows.values() for row in found]
    for name, found in (*rows.items(), ("all", every)):
        count = Counter(row.ends for row in found)
        yield line((name, len(found), *(count[end] for end in ENDS), f"{percent(found):.1f} %"))


def percent(rows: Sequence[Row]) -> float:
    """Return how many of these, as far as they were judged, are killed or inert."""
    judged = [row for row in rows if row.ends != UNJUDGED]
    return 100 * sum(row.settled for row in judged) / len(judged) if judged else 100.0


def write(path: Path, rows: Rows) -> None:
    """Write the whole table."""
    parts = [HEAD, *totals(rows)]
    for name, found in rows.items():
        parts += ["", f"## {name}", "", line(Row._fields), line(["---"] * len(Row._fields))]
        parts += [line(row) for row in found]
    path.write_text("\n".join(parts) + "\n")


def read(path: Path) -> dict[str, list[Row]]:
    """Read a table, which has no rows if there is none."""
    found: dict[str, list[Row]] = {}
    for part in path.read_text().split("\n## ")[1:] if path.is_file() else ():
        name, _, _, _, *rows = part.rstrip().split("\n")
        found[name] = [Row(*fields(row)) for row in rows]
    return found
