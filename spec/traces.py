"""The stored traces: those that the models must accept, and lies that they must refuse.

Owns: what `traces/accept` and `traces/reject` promise, and how they are made.
Keeps: both judges look at each. A lie is refused by the model, at the event and for the reason that
    `traces/lies.toml` says, and nowhere before.
Above: `make spec`, people at a prompt. Below: awa.lab.

    python spec/traces.py check           # hold every stored trace against the models
    python spec/traces.py make            # tell the lies anew, and stamp all for these models
    python spec/traces.py make --from D   # take the true ones from D (pytest -m story --stories D)
"""

import argparse
import copy
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from awa.errors import AwaError
from awa.lab.check import Report, check
from awa.lab.judge import judge
from awa.lab.monitor import Monitor
from awa.lab.story import Story
from awa.lab.tlc import spec_folder
from awa.lab.trace import TraceError, read, spec_hashes

TRACES = spec_folder().parent / "traces"


@dataclass(frozen=True, slots=True)
class Lie:
    """A true trace with one event put differently, and what must be said of it."""

    name: str
    of: str
    says: str
    event: int
    act: str
    refused: Mapping[str, Any]
    set: Mapping[str, Any] | None = None
    drop: bool = False

    def told(self, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Return the events of the trace with the one put differently."""
        for row in rows:
            if row["n"] != self.event:
                yield row
                continue
            if row["act"] != self.act:
                raise TraceError(f"{self.name}: event {self.event} of {self.of} is a {row['act']}")
            if not self.drop:
                yield self._put(copy.deepcopy(row))

    def _put(self, row: dict[str, Any]) -> dict[str, Any]:
        """Put an event differently: `set` has the new values, by their paths."""
        for path, value in (self.set or {}).items():
            *way, last = (int(key) if key.isdigit() else key for key in path.split("."))
            inside: Any = row
            for key in way:
                inside = inside[key]
            inside[last] = value
        return row


def lies() -> list[Lie]:
    """Read what lies there are."""
    return [Lie(**row) for row in tomllib.loads((TRACES / "lies.toml").read_text())["lie"]]


def make(folder: Path | None) -> None:
    """Write all stored traces for the models as they are."""
    for name in ("accept", "reject"):
        (TRACES / name).mkdir(exist_ok=True)
    for path in sorted(folder.glob("*.jsonl") if folder else ()):
        (TRACES / "accept" / path.name).write_bytes(path.read_bytes())
    stamp = {"spec": dict(spec_hashes(spec_folder()))}
    for path in sorted((TRACES / "accept").glob("*.jsonl")):
        header, *rows, _ = _rows(path)
        _write(path, header | stamp, rows)
    for path in (TRACES / "reject").glob("*.jsonl"):
        path.unlink()
    for lie in lies():
        header, *rows, _ = _rows(TRACES / "accept" / f"{lie.of}.jsonl")
        said = {"origin": f"a lie about {lie.of}: {lie.says}", "refused": lie.refused}
        _write(TRACES / "reject" / f"{lie.name}.jsonl", header | said, list(lie.told(rows)))


def _rows(path: Path) -> list[dict[str, Any]]:
    """Read the lines of a file."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def _write(path: Path, header: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the lines of a file."""
    lines = [header, *rows, {"events": len(rows)}]
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in lines))


# --- Checks ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored trace, and what the monitor said of it."""

    path: Path
    wanted: Mapping[str, Any] | None
    report: Report

    @property
    def name(self) -> str:
        """Its place in the folder of all."""
        return f"{self.path.parent.name}/{self.path.stem}"

    def lives(self) -> list[Story]:
        """Return what the other judge is to say the same of."""
        if self.wanted is None:
            return self.report.stories
        findings = self.report.findings[:1]
        return [one for one in self.report.stories for f in findings if one.of == f.of]

    def fault(self) -> str:
        """Return how it is not as it says; an empty text if it is."""
        if (self.path.parent.name == "reject") != (self.wanted is not None):
            return "its header and its folder disagree on whether it is a lie"
        if self.wanted is None:
            return "" if self.report.is_legal else str(self.report)
        if self.report.is_legal:
            return "it is legal"
        finding = self.report.findings[0]
        event = None if finding.event is None else finding.event.n
        if (finding.model, event) != (self.wanted["model"], self.wanted.get("event")):
            return f"refused by {finding.model} at event {event}: {finding.reason}"
        if self.wanted["reason"] not in finding.reason:
            return f"refused for another reason: {finding.reason}"
        return ""


def stored(monitor: Monitor) -> Iterator[Stored]:
    """Have the monitor judge every stored trace."""
    hashes = spec_hashes(spec_folder())
    for path in sorted(TRACES.glob("*/*.jsonl")):
        trace = read(path, hashes)
        yield Stored(path, trace.header.get("refused"), check(trace, monitor))


def unlike(traces: Sequence[Stored], monitor: Monitor) -> Mapping[str, str]:
    """Return, by name, of which traces TLC does not say what the monitor says of them."""
    lives = {story.life: one for one in traces for story in one.lives()}
    theirs, ours = judge(list(lives)), monitor.judge(lives)
    return {
        lives[life].name: f"TLC says of step {one.step}: {one.reason or 'accepted'}"
        for life, one, other in zip(lives, theirs, ours, strict=True)
        if (one.accepted, one.step) != (other.accepted, other.step)
    }


def main(args: Sequence[str] | None = None) -> int:
    """Serve one command: 0 if every stored trace is as it says."""
    parser = argparse.ArgumentParser(prog="traces.py", description="The stored traces.")
    parser.add_argument("command", choices=("check", "make"))
    parser.add_argument("--from", dest="folder", type=Path, help="where the true ones are")
    options = parser.parse_args(args)
    monitor = Monitor()
    try:
        if options.command == "make":
            make(options.folder)
        traces = list(stored(monitor))
        others = unlike(traces, monitor)
    except (AwaError, KeyError, OSError) as error:
        print(f"traces.py: {error}", file=sys.stderr)
        return 2
    faults = 0
    for one in traces:
        said = one.fault() or others.get(one.name, "")
        faults += bool(said)
        print(f"{one.name:<60} {said or 'as it says'}")
    print(f"{len(traces) - faults} of {len(traces)} stored traces are as they say")
    return 1 if faults or not traces else 0


if __name__ == "__main__":
    sys.exit(main())
