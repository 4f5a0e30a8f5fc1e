"""Run the catalogue: `python -m tests.bugs [WORD ...]` writes traces/BUGS.md anew.

Owns: what is run: all, or the bugs whose names have one of the words in them; `traces` stands for
    the mutants of traces.
Keeps: a bug is judged on a server of its own; what was found of the others stays.
Above: `make bugs`. Below: catalogue, kinds, table, tales, verdicts.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from awa.lab.monitor import Monitor
from tests import postgres
from tests.bugs import table
from tests.bugs.catalogue import PYTHON, SQL, TOLD
from tests.bugs.kinds import copy_tree
from tests.bugs.tales import WAYS, Reader, mutants, stored
from tests.bugs.verdicts import Court, catches
from tests.lab.audit import logical


async def in_sql(names: list[str]) -> dict[str, list[str]]:
    """Return who catches these bugs in SQL."""
    bugs = SQL | TOLD
    with logical() as server:
        court = Court(server)
        return {name: await court.catches(bugs[name]) for name in names}


def in_python(names: list[str]) -> dict[str, list[str]]:
    """Return who catches these bugs in Python."""
    run = postgres.begin(settings={"max_prepared_transactions": 10})
    try:
        with tempfile.TemporaryDirectory() as folder:
            tree = copy_tree(Path(folder))
            return {name: catches(PYTHON[name], tree) for name in names}
    finally:
        asyncio.run(postgres.end(run))


def in_traces() -> dict[str, dict[str, int]]:
    """Return what becomes of the mutants of true traces."""
    readers = [(trace, Reader(trace, Monitor())) for trace in stored().values()]
    return {
        way: dict(
            Counter(
                reader.verdict(number, mutant)
                for trace, reader in readers
                for number, mutant in mutants(trace, way)
            )
        )
        for way in WAYS
    }


def main(words: list[str]) -> None:
    """Run what is asked for, and write what was found."""

    def wanted(names: Iterable[str]) -> list[str]:
        return [name for name in names if not words or any(word in name for word in words)]

    found = table.load()
    found.caught |= asyncio.run(in_sql(wanted(SQL | TOLD)))
    found.caught |= in_python(wanted(PYTHON))
    if not words or "traces" in words:
        found.tales = in_traces()
    table.save(found)
    print(f"{table.PAGE} has {len(found.caught)} bugs.")


main(sys.argv[1:])
