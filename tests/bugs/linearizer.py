"""Linearizers that are wrong: each forgets one reason for which one event comes before another.

Owns: these mutants, each with the stories of test_order that it gets wrong.
Keeps: a mutant is one function of awa.lab.order, put differently.
Above: test_order, the table. Below: awa.lab.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from awa.lab import order
from awa.lab.kin import Kin
from awa.lab.ranges import Snapshot
from awa.lab.trace import Event


@dataclass(frozen=True, slots=True)
class Forgets:
    """A function that is put differently, and the stories that are told wrongly then."""

    of: Any
    name: str
    put: Callable[..., Any]
    stories: tuple[str, ...]

    @property
    def where(self) -> str:
        """The place that a reader looks for."""
        return f"{self.of.__name__.removeprefix('awa.')}.{self.name}"


def nothing(*_given: Any) -> None:
    """Order nothing."""


def by_number(graph: Any, events: Sequence[Event], begun: list[int], done: list[int]) -> None:
    """Order what a transaction did by the numbers of the events, and not by their places in it."""
    members: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for place, event in enumerate(events):
        members[event.xid].append((event.n, place))
    for listed in members.values():
        places = [place for _, place in sorted(listed)]
        for one, two in pairwise(places):
            graph.edge(done[one], begun[two], "the numbers")


def below_the_last(self: Snapshot, xid: int) -> bool:
    """Take all transactions below xmax for visible, those that run included."""
    return xid < self.beyond


def no_resources(_event: Event, _kin: Kin) -> Iterable[Any]:
    """Know of no lock and no key."""
    return ()


def exclusively(_resources: Callable[..., Any] = order.resources) -> Callable[..., Any]:
    """Take whoever shares a lock for its only holder."""

    def resources(event: Event, kin: Kin) -> Iterator[tuple[str, float, bool]]:
        for resource, position, _ in _resources(event, kin):
            yield resource, position, True

    return resources


def but(*names: str, _resources: Callable[..., Any] = order.resources) -> Callable[..., Any]:
    """Forget the locks and keys whose names begin like this."""

    def resources(event: Event, kin: Kin) -> Iterator[tuple[str, float, bool]]:
        for resource, position, is_exclusive in _resources(event, kin):
            if not resource.startswith(names):
                yield resource, position, is_exclusive

    return resources


KEYS = ("lock", "deadline", "claim", "part", "refusal", "segment", "leader", "held")
LINEARIZERS: dict[str, Forgets] = {
    "forgets transactions": Forgets(order, "_by_transaction", nothing, ("transaction",)),
    "orders a transaction by the numbers of its events": Forgets(
        order, "_by_transaction", by_number, ("transaction",)
    ),
    "forgets locks and keys": Forgets(order, "resources", no_resources, KEYS),
    "forgets the locks of workers": Forgets(
        order, "resources", but("worker:"), ("lock", "deadline")
    ),
    "forgets the numbers of claims": Forgets(order, "resources", but("claims of"), ("against",)),
    "forgets the numbers of parts": Forgets(order, "resources", but("claim:"), ("part", "refusal")),
    "forgets who leads": Forgets(order, "resources", but("the leadership"), ("leader",)),
    "forgets the rotations": Forgets(
        order, "resources", but("rotations", "segment:"), ("segment",)
    ),
    "forgets what was vacant": Forgets(order, "_by_vacancy", nothing, ("vacant",)),
    "forgets the rows of what is held": Forgets(order, "resources", but("held:"), ("held",)),
    "takes who shares a lock for its only holder": Forgets(
        order, "resources", exclusively(), ("sharing",)
    ),
    "forgets births": Forgets(order, "_by_birth", nothing, ("birth",)),
    "forgets what was found": Forgets(order, "_by_finding", nothing, ("ring",)),
    "forgets snapshots": Forgets(order, "_by_snapshot", nothing, ("seen", "missed", "running")),
    "takes the running for committed": Forgets(Snapshot, "sees", below_the_last, ("running",)),
}
