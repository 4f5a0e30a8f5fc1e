"""One order for the events of many processes, derived from what they say and never assumed.

Owns: which events must come before which, and why.
Keeps: only what a database decides orders anything: a transaction, a lock's number, a key's, a
    name's birth, a snapshot. Clocks do not. A ring of such reasons is a finding, shown with them.
Above: the projections, check. Below: kin, ranges, trace, errors.
"""

import heapq
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Any

from awa.errors import AwaError
from awa.lab.kin import Kin, births, kin_of, lane_of, parts, uses
from awa.lab.ranges import Ranges, Snapshot
from awa.lab.trace import Event

__all__ = ["Disorder", "Moment", "Read", "linearize", "ordered", "reads_of"]


class Disorder(AwaError):
    """The events cannot have happened in any order: each comes before the next, in a ring."""


@dataclass(frozen=True, slots=True)
class Read:
    """One statement of a claim that looked for entries: what it could see, what it found."""

    snapshot: Snapshot
    found: Ranges
    asked: Ranges
    """The numbers it decided about."""
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the order: a read of a claim, or what an event says was done."""

    event: Event
    read: Read | None = None


@dataclass(slots=True)
class _Graph:
    """Moments, and which come before which."""

    moments: list[Moment] = field(default_factory=list)
    after: list[list[tuple[int, str]]] = field(default_factory=list)

    def add(self, moment: Moment) -> int:
        """Add a moment; return its place."""
        self.moments.append(moment)
        self.after.append([])
        return len(self.moments) - 1

    def edge(self, one: int, two: int, why: str) -> None:
        """Say that one comes before two."""
        if one != two:
            self.after[one].append((two, why))

    def chain(self, items: list[tuple[float, bool, int]], why: str) -> None:
        """Order what has a position under one lock; what only shares it has no order of its own.

        A number is given once: two that say they have it come each before the other.
        """
        last, shared, at = None, list[int](), -inf
        for position, exclusive, node in sorted(items):
            if last is not None:
                self.edge(last, node, why)
            if exclusive:
                for one in shared:
                    self.edge(one, node, why)
                if last is not None and position == at:
                    self.edge(node, last, why)
                last, shared, at = node, [], position
            else:
                shared.append(node)


def linearize(events: Sequence[Event]) -> list[Moment]:
    """Return the moments of these events in an order that they can have happened in."""
    kin = kin_of(events)
    graph = _Graph()
    reads: list[tuple[Event, Read, int]] = []
    begun: list[int] = []
    done: list[int] = []
    for event in events:
        nodes = [graph.add(Moment(event, read)) for read in reads_of(event)]
        reads += [(event, graph.moments[node].read, node) for node in nodes]  # type: ignore[misc]
        done.append(graph.add(Moment(event)))
        nodes.append(done[-1])
        begun.append(nodes[0])
        for one, two in pairwise(nodes):
            graph.edge(one, two, "the statements of a claim")
    _by_transaction(graph, events, begun, done)
    _by_resource(graph, events, done, kin)
    _by_vacancy(graph, events, done)
    _by_leaving(graph, events, done)
    _by_birth(graph, events, done, kin)
    _by_finding(graph, done, kin, reads)
    _by_snapshot(graph, events, done, reads)
    return _sorted(graph)


def ordered(events: Sequence[Event]) -> list[Event]:
    """Return these events in an order that they can have happened in; the reads stand in them."""
    return [moment.event for moment in linearize(events) if moment.read is None]


def reads_of(event: Event) -> list[Read]:
    """Return the reads of a claim, in their order."""
    if event.act != "Claim":
        return []
    return [_read(row) for row in event.post.get("reads", ())]


def _read(row: Mapping[str, Any]) -> Read:
    """Read one read; a range is decided up to the last that was found, or whole if none was."""
    found = Ranges.read(row["found"])
    if "asked" in row:
        asked = Ranges.read(row["asked"])
    else:
        upto = row["upto"] if found.last is None else found.last
        asked = Ranges(((row["after"] + 1, upto + 1),)) if upto > row["after"] else Ranges()
    return Read(Snapshot.read(row["snap"]), found, asked, row)


# --- Reasons -----------------------------------------------------------------------------------


def _by_transaction(
    graph: _Graph, events: Sequence[Event], begun: list[int], done: list[int]
) -> None:
    """What one transaction did is in the order in which it did it."""
    members: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for place, event in enumerate(events):
        members[event.xid].append((event.k, place))
    for xid, listed in members.items():
        places = [place for _, place in sorted(listed)]
        for one, two in pairwise(places):
            graph.edge(done[one], begun[two], f"transaction {xid}")


def _by_resource(graph: _Graph, events: Sequence[Event], done: list[int], kin: Kin) -> None:
    """What needs the same lock or key is in the order of the numbers drawn under it."""
    held: dict[str, list[tuple[float, bool, int]]] = defaultdict(list)
    for place, event in enumerate(events):
        for resource, position, exclusive in resources(event, kin):
            held[resource].append((position, exclusive, done[place]))
    for resource, items in held.items():
        graph.chain(items, resource)


def resources(event: Event, kin: Kin) -> Iterator[tuple[str, float, bool]]:
    """Return the locks and keys that an event is ordered by: the position, and if exclusively."""
    lock = event.lock or ""
    if lock.startswith("queue:") or event.act in {"Register", "Lose", "Retire", "Done"}:
        yield lock, event.n, True
    if event.act == "Rescue":
        # Who ends an attempt at its deadline keeps its worker from being lost meanwhile.
        yield f"worker:{event.input['worker']}", event.n, event.input["died"]
    yield from _claim(event)
    yield from _segment(event)
    yield from _epoch(event)
    yield from ((f"held:{job}", event.n, True) for job in _held(event, kin))


def _claim(event: Event) -> Iterator[tuple[str, float, bool]]:
    """Return where an event stands among the claims of a queue, and the parts of a claim."""
    if event.act == "Claim":
        yield f"claims of {event.lock}", event.output["claim"], True
        yield f"claim:{event.output['claim']}", 0, True
        if event.worker is not None:
            yield f"worker:{event.worker}", event.n, False
    elif event.act == "Complete":
        for claim, part, saw, _, stale in parts(event):
            if part is not None:
                yield f"claim:{claim}", part, True
            elif saw >= 0 and stale:
                yield f"claim:{claim}", saw + 0.5, False
    elif event.act == "EndOpen":
        yield str(event.lock), event.output["part"], True


def _segment(event: Event) -> Iterator[tuple[str, float, bool]]:
    """Return where an event stands among the rotations, and in what becomes of a segment."""
    if event.act in {"Open", "Switch", "Seal", "Close"}:
        yield "rotations", event.n, True
    if event.act in {"Open", "Close", "Prune"}:
        yield f"segment:{event.output['slot']}", event.n, True


def _epoch(event: Event) -> Iterator[tuple[str, float, bool]]:
    """Return where an event stands among the elections: what a leader does shares their lock."""
    if event.act == "Elect" or (event.actor or "").startswith("leader:"):
        yield "the leadership", event.n, event.act == "Elect"


def _held(event: Event, kin: Kin) -> list[int | None]:
    """Return the jobs whose row among the held ones an event writes or deletes."""
    if event.act == "Discard":
        return list(event.output["ids"])
    if event.act == "Redrive":
        return [event.input["id"]]
    if event.act in {"Fail", "Cancel"} or (event.act == "Rescue" and event.output.get("held")):
        return [kin.job(event.input["seq"])]
    return []


def _by_vacancy(graph: _Graph, events: Sequence[Event], done: list[int]) -> None:
    """A rotation opens the first vacant slot that it sees: it missed the prune of one before."""
    told = [place for place, event in enumerate(events) if event.act in {"Open", "Prune"}]
    vacated: dict[int, int] = {}
    for place in sorted(told, key=lambda one: events[one].n):
        slot = events[place].output["slot"]
        if events[place].act == "Prune":
            vacated[slot] = place
            continue
        vacated.pop(slot, None)
        for missed in (vacated.pop(one) for one in sorted(vacated) if one < slot):
            graph.edge(done[place], done[missed], f"{events[place]} did not see {events[missed]}")


def _by_leaving(graph: _Graph, events: Sequence[Event], done: list[int]) -> None:
    """Who has left held nothing: what it had finished before came before."""
    told = sorted(range(len(events)), key=lambda one: events[one].n)
    finished: dict[int | None, list[int]] = defaultdict(list)
    for place in told:
        event = events[place]
        if event.act == "Complete":
            finished[event.worker].append(place)
        elif event.act == "Retire" or (event.act == "Done" and event.output["stopped"]):
            for one in finished.pop(event.input["worker"], ()):
                graph.edge(done[one], done[place], f"worker {event.input['worker']} held nothing")


def _by_birth(graph: _Graph, events: Sequence[Event], done: list[int], kin: Kin) -> None:
    """A name is used after it is born."""
    for place, event in enumerate(events):
        for seq in uses(event):
            if (born := kin.born.get(seq)) is not None:
                graph.edge(done[born], done[place], f"the birth of {seq}")


def _by_finding(
    graph: _Graph, done: list[int], kin: Kin, reads: Iterable[tuple[Event, Read, int]]
) -> None:
    """What a read found was there."""
    for _, read, node in reads:
        for seq in read.found:
            if (born := kin.born.get(seq)) is not None:
                graph.edge(done[born], node, f"it found {seq}")


def _by_snapshot(
    graph: _Graph,
    events: Sequence[Event],
    done: list[int],
    reads: Iterable[tuple[Event, Read, int]],
) -> None:
    """A read comes after what it could see, and before what it could not."""
    lanes: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for place, event in enumerate(events):
        for seq in births(event):
            lanes[lane_of(seq)].append((seq, place))
    for listed in lanes.values():
        listed.sort()
    for event, read, node in reads:
        for low, high in read.asked.spans:
            listed = lanes[lane_of(low)]
            at = bisect_right(listed, (low, -1))
            while at < len(listed) and listed[at][0] < high:
                place = listed[at][1]
                xid = events[place].xid
                if xid == event.xid or read.snapshot.sees(xid):
                    graph.edge(done[place], node, f"the snapshot of {event} sees {events[place]}")
                else:
                    graph.edge(node, done[place], f"the snapshot of {event} misses {events[place]}")
                at += 1


# --- The order ---------------------------------------------------------------------------------


def _sorted(graph: _Graph) -> list[Moment]:
    """Sort topologically; what nothing orders goes by its number."""
    waits = [0] * len(graph.moments)
    for edges in graph.after:
        for two, _ in edges:
            waits[two] += 1
    ready = [(graph.moments[node].event.n, node) for node, count in enumerate(waits) if not count]
    heapq.heapify(ready)
    order: list[int] = []
    while ready:
        _, node = heapq.heappop(ready)
        order.append(node)
        for two, _ in graph.after[node]:
            waits[two] -= 1
            if not waits[two]:
                heapq.heappush(ready, (graph.moments[two].event.n, two))
    if len(order) < len(graph.moments):
        raise Disorder(_ring(graph, waits))
    return [graph.moments[node] for node in order]


def _ring(graph: _Graph, waits: list[int]) -> str:
    """Tell one ring among the moments that were never ready."""
    before = {
        two: (one, why)
        for one, edges in enumerate(graph.after)
        if waits[one]
        for two, why in edges
        if waits[two]
    }
    node = next(iter(before))
    seen: list[int] = []
    while node not in seen:
        seen.append(node)
        node = before[node][0]
    ring = seen[seen.index(node) :]
    lines = [
        f"  {graph.moments[before[one][0]].event} comes before {graph.moments[one].event}:"
        f" {before[one][1]}"
        for one in reversed(ring)
    ]
    return "\n".join(["no order of these events is possible:", *lines])
