"""A trace may begin anywhere: what was before is inferred or left out, and nothing true is refused.

Owns: the stored traces, cut off at their beginning.
Keeps: only whole transactions are cut off, as by a recording that was switched on later.
Above: nobody. Below: awa.lab, traces.
"""

from collections.abc import Iterator, Sequence

import pytest

from awa.lab.check import PROJECTIONS
from awa.lab.monitor import Monitor
from awa.lab.order import ordered
from awa.lab.tlc import spec_folder
from awa.lab.trace import Event, read, spec_hashes

MONITOR = Monitor()
TRACES = spec_folder().parent / "traces" / "accept"
STORIES = [
    "a-prune",
    "a-rescue-in-portions",
    "a-zombie-process",
    "carried-to-where-was-open",
    "lost-and-in-time",
    "redriven-from-quarantine",
]


def suffixes(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """Return what is left of a trace when ever more transactions are cut off."""
    before: set[int] = set()
    for place, event in enumerate(events):
        if event.xid not in before:
            yield events[place:]
        before.add(event.xid)


@pytest.mark.parametrize("model", ["Segments", "Leader", "Rescue"])
@pytest.mark.parametrize("story", STORIES)
def test_a_trace_may_begin_anywhere(model: str, story: str) -> None:
    trace = read(TRACES / f"{story}.jsonl", spec_hashes(spec_folder()))
    for events in suffixes(trace.events):
        stories, _ = PROJECTIONS[model](ordered(events))
        verdicts = MONITOR.judge(one.life for one in stories)
        for verdict in verdicts:
            assert verdict.accepted, f"from event {events[0].n} on: {verdict.reason}"
