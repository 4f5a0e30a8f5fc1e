"""Coverage: what runs have shown is counted, and what is missing is named.

Owns: that a witness is counted where it is refuted, and that each can be.
Keeps: what is wanted of the models is there in them, within the bounds that are named.
Above: nobody. Below: awa.lab, tests.lab.told.
"""

import tomllib
from collections.abc import Callable

import pytest

from awa.lab.check import check
from awa.lab.coverage import Coverage
from awa.lab.monitor import Monitor
from awa.lab.suite import read_suite
from awa.lab.tla import explore
from awa.lab.tlc import spec_folder
from awa.lab.trace import Trace
from tests.lab.told import LANE, Tale

WANTED = tomllib.loads((spec_folder() / "coverage.toml").read_text())
FLOORS = WANTED.pop("floors")
CHECKS = {one.name: one for one in read_suite()}
WITNESSES = {name: ["OnceIsEnough", "NobodyIsDiscarded"] for name in ("Queue",)}


def shown(tell: Callable[[Tale], object]) -> Coverage:
    """Return what a tale shows."""
    tale, monitor = Tale(), Monitor()
    tell(tale)
    assert check(Trace({}, tale.events), monitor).is_legal
    return Coverage.of(monitor, WITNESSES)


def completed(tale: Tale) -> None:
    """Tell a job that is completed at once."""
    tale.enqueue(1)
    tale.claim(1, 7, LANE + 1)
    tale.complete(1, 7, LANE + 1)


def test_what_was_walked_is_counted() -> None:
    one = shown(completed)
    assert one.actions["Queue"] == {"Enqueue", "Claim", "Complete"}
    assert one.ways == {
        ("nowhere", "Enqueue", "main"),
        ("main", "Claim", "running"),
        ("running", "Complete", "completed"),
    }
    assert one.witnesses["Queue"] == set()


def test_what_others_have_walked_is_added() -> None:
    one, other = shown(completed), shown(lambda tale: tale.enqueue(1))
    other.add(one)
    assert Coverage.load(other.dump()) == one


@pytest.mark.parametrize(
    ("model", "witness"), [(name, one) for name, row in WANTED.items() for one in row["witnesses"]]
)
def test_a_witness_is_refuted_in_its_model(model: str, witness: str) -> None:
    found = (explore(CHECKS[name].load(), [witness]) for name in WANTED[model]["configs"])
    assert any(graph.violated == witness for graph in found)
