"""How much of the models real runs have shown, held against floors.

Owns: what `coverage.toml` asks for, and the file traces/COVERAGE.json.
Keeps: what counts is what a test run walked, and nothing is counted that was not judged. What is
    missing is named.
Above: `make coverage`, people at a prompt. Below: awa.lab.

    python spec/coverage.py check WALKED    # a file of `pytest --walked=WALKED`
    python spec/coverage.py write WALKED    # the same, and write down what was shown
"""

import argparse
import sys
import tomllib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import orjson

from awa.lab.coverage import JOB, Coverage, ways_of
from awa.lab.suite import read_suite
from awa.lab.tlc import spec_folder

FILE = spec_folder().parent / "traces" / "COVERAGE.json"


@dataclass(frozen=True, slots=True)
class Count:
    """What was shown of one thing that is counted, and what was not."""

    kind: str
    of: str
    shown: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def share(self) -> float:
        """How much of it was shown, from 0 to 1."""
        return len(self.shown) / (len(self.shown) + len(self.missing))

    @classmethod
    def made(cls, kind: str, of: str, shown: Set[str], allowed: Set[str]) -> "Count":
        """Count what is allowed: an action that no model knows any more is neither."""
        return cls(kind, of, tuple(sorted(shown & allowed)), tuple(sorted(allowed - shown)))


def count(walked: Coverage, wanted: Mapping[str, Mapping[str, list[str]]]) -> list[Count]:
    """Hold what was walked against what the models allow and what is wanted."""
    checks = {check.name: check for check in read_suite()}
    counts = []
    for model, row in wanted.items():
        models = [checks[name].load() for name in row["configs"]]
        actions = set(models[0].actions) - set(row.get("silent", ()))
        counts += [
            Count.made("actions", model, walked.actions.get(model, set()), actions),
            Count.made(
                "witnesses", model, walked.witnesses.get(model, set()), set(row["witnesses"])
            ),
        ]
        if model == JOB:
            shown = {" ".join(way) for way in walked.ways}
            allowed = {" ".join(way) for way in ways_of(models)}
            counts.append(Count.made("ways", model, shown, allowed))
    return counts


def faults(counts: Sequence[Count], floors: Mapping[str, float]) -> list[str]:
    """Return what is below its floor."""
    return [
        f"{one.kind} of {one.of}: {one.share:.0%} is below {floors[one.kind]:.0%}"
        for one in counts
        if one.share < floors[one.kind]
    ]


def written(counts: Sequence[Count]) -> bytes:
    """Lay out the file."""
    data: dict[str, dict[str, object]] = {}
    for one in counts:
        row = {"share": round(one.share, 3), "shown": one.shown, "missing": one.missing}
        data.setdefault(one.of, {})[one.kind] = row
    return orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def main(args: Sequence[str] | None = None) -> int:
    """Serve one command: 0 if nothing is below its floor."""
    parser = argparse.ArgumentParser(prog="coverage.py", description="Hold runs against floors.")
    parser.add_argument("command", choices=("check", "write"))
    parser.add_argument("walked", type=Path)
    options = parser.parse_args(args)
    if not options.walked.is_file():
        print(f"coverage.py: {options.walked} is not there: run `make test` first", file=sys.stderr)
        return 2
    wanted = tomllib.loads((spec_folder() / "coverage.toml").read_text())
    floors = wanted.pop("floors")
    counts = count(Coverage.load(options.walked.read_bytes()), wanted)
    for one in counts:
        total = len(one.shown) + len(one.missing)
        missing = f"  missing: {', '.join(one.missing)}" if one.missing else ""
        print(f"{one.kind:<10} {one.of:<8} {len(one.shown):>3} of {total:>3}{missing}")
    said = faults(counts, floors)
    print("\n".join(said) if said else "nothing is below its floor")
    if options.command == "write" and not said:
        FILE.write_bytes(written(counts))
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
