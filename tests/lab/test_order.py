"""One order for many processes: what the database decided, and nothing else, orders events.

Owns: each reason for which one event comes before another, and the ring of them that is told.
Keeps: each reason is shown to matter: without it a true story is refused, or a lie goes through.
Above: nobody. Below: awa.lab, tests.lab.told.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from awa.lab.order import Disorder, linearize
from awa.lab.trace import Event
from tests.bugs.linearizer import LINEARIZERS
from tests.lab.told import LANE, Tale, text

RING = "a ring"


def acts(events: Sequence[Event]) -> list[str]:
    """Return the order as the names of what was done and read; of a ring, that there is none."""
    try:
        order = linearize(events)
    except Disorder:
        return [RING]
    return [f"{'Read' if one.read else one.event.act} {one.event.n}" for one in order]


def read(snap: str, *found: int, after: int = LANE, upto: int = LANE) -> dict[str, Any]:
    """Return a read of a lane as a claim tells it."""
    return {"snap": snap, "found": text(*found), "after": after, "upto": upto, "slots": [1]}


# --- Reasons -----------------------------------------------------------------------------------


def in_one_transaction() -> list[Event]:
    """A step: what it finished comes before what it claimed, whatever the numbers."""
    tale = Tale()
    tale.claim(1, 7, LANE + 1, xid=5, k=2, n=1)
    tale.complete(0, 7, LANE + 9, xid=5, k=1, n=2)
    return tale.events


def under_one_lock() -> list[Event]:
    """A claim, and then its worker is lost; the enqueue before both drew its number late."""
    tale = Tale()
    tale.tell("Lose", "worker:7", n=9, input={"worker": 7})
    tale.claim(1, 7, LANE + 1, n=3)
    tale.enqueue(1, n=12)
    return tale.events


def lost_after_a_deadline() -> list[Event]:
    """An attempt ends at its deadline, which is no death, and then its worker is lost."""
    tale = Tale()
    tale.tell("Lose", "worker:7", n=9, input={"worker": 7})
    ended = {"seq": LANE + 1, "worker": 7, "died": False}
    tale.tell("Rescue", "entry:1", n=3, input=ended, output={"seq": None, "held": None})
    tale.enqueue(1, n=12)
    return tale.events


def by_the_claims_number() -> list[Event]:
    """Two claims of a queue; the enqueue before both drew its number late."""
    tale = Tale()
    tale.claim(2, 7, n=4)
    tale.claim(1, 8, LANE + 1, n=3)
    tale.enqueue(1, n=12)
    return tale.events


def by_the_parts_number() -> list[Event]:
    """Two parts of a claim, told under no lock: the numbers of the events say nothing."""
    tale = Tale()
    tale.claim(1, 7, LANE + 1, LANE + 2)
    first = tale.complete(1, 7, LANE + 1)
    second = tale.complete(1, 7, LANE + 2)
    return [
        tale.events[0],
        Event(**{**_fields(first), "n": 8}),
        Event(**{**_fields(second), "n": 7}),
    ]


def after_what_it_was_judged_by() -> list[Event]:
    """A stale finish that saw part 1, with a number before that of the part."""
    tale = Tale()
    tale.claim(1, 7, LANE + 1)
    done = tale.complete(1, 7, LANE + 1, n=8)
    late = tale.complete(1, 7, stale=(LANE + 1,), n=5)
    return [tale.events[0], late, done]


def after_the_birth() -> list[Event]:
    """A job that was enqueued by a transaction which drew its number late."""
    tale = Tale()
    tale.claim(1, 7, LANE + 1)
    tale.enqueue(1)
    return tale.events


def under_one_rotation() -> list[Event]:
    """A prune of what a rotation closed, by a transaction that began earlier."""
    tale = Tale()
    told = {"number": 1, "slot": 0}
    tale.enqueue(1, xid=9, n=12)
    tale.tell("Close", xid=9, k=2, n=3, output=told)
    tale.tell("Prune", n=4, output=told)
    return tale.events


def passed_by_a_rotation() -> list[Event]:
    """A rotation that made a slot, though a prune with an earlier number had vacated another."""
    tale = Tale()
    tale.tell("Prune", output={"number": 1, "slot": 0})
    tale.tell("Open", output={"number": 3, "slot": 2})
    return tale.events


def under_one_leader() -> list[Event]:
    """A sweep of what was enqueued with a late number, and the next election."""
    tale = Tale()
    tale.enqueue(1, n=12)
    promoted = {"seqs": [LANE + 1], "entries": []}
    tale.tell("Promote", "deferred", n=3, actor="leader:1", output=promoted)
    tale.tell("Elect", "epoch:2", n=9, output={"epoch": 2})
    return tale.events


def by_what_was_held() -> list[Event]:
    """A job that failed, was redriven and failed again: its row among the held ones says when."""
    tale = Tale()
    tale.enqueue(1, n=40)
    tale.tell("Discard", "held", n=30, output={"ids": [1]})
    tale.tell("Fail", "entry:1", n=20, input={"seq": LANE + 1}, actor="worker:7")
    return tale.events


def seen_in_a_snapshot() -> list[Event]:
    """A claim that saw an enqueue which it had no room for."""
    tale = Tale()
    tale.claim(1, 7, LANE + 2, post={"reads": [read("9:9:", LANE + 2, upto=LANE + 2)]})
    tale.enqueue(1, xid=7, n=20)
    tale.enqueue(2, xid=8)
    return tale.events


def missed_by_a_snapshot() -> list[Event]:
    """A claim that an enqueue with an earlier number was not visible to."""
    tale = Tale()
    tale.enqueue(1, xid=9)
    tale.claim(1, 7, post={"reads": [read("9:9:", upto=LANE + 1)]})
    return tale.events


def what_was_running() -> list[Event]:
    """A claim whose snapshot has the enqueue among those that run, though below its end."""
    tale = Tale()
    tale.enqueue(1, xid=7)
    tale.claim(1, 7, post={"reads": [read("7:9:7", upto=LANE + 1)]})
    return tale.events


def sharing() -> list[Event]:
    """Two sweeps of one reign: neither waits for the other, and one uses what the other made."""
    tale = Tale()
    ended = {"seq": LANE + 1, "worker": 7, "died": False}
    tale.tell("Rescue", "entry:1", actor="leader:1", input=ended, output={"held": None})
    born = {"seqs": [1], "entries": [LANE + 1]}
    tale.tell("Promote", "deferred", actor="leader:1", output=born)
    return tale.events


def numbered_against_the_lock() -> list[Event]:
    """Two claims whose numbers say the opposite of the numbers drawn under their lock."""
    tale = Tale()
    tale.claim(2, 7, n=3)
    tale.claim(1, 8, n=4)
    return tale.events


def a_ring() -> list[Event]:
    """A claim took what its own snapshot could not see: no order of the two is possible."""
    tale = Tale()
    tale.enqueue(1, xid=9)
    looked = {"reads": [read("9:9:", LANE + 1, upto=LANE + 1)]}
    tale.claim(1, 7, LANE + 1, post=looked)
    return tale.events


def _fields(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in Event.__dataclass_fields__}


REASONS: dict[str, tuple[Callable[[], list[Event]], list[str]]] = {
    "transaction": (in_one_transaction, ["Complete 2", "Claim 1"]),
    "lock": (under_one_lock, ["Enqueue 12", "Claim 3", "Lose 9"]),
    "deadline": (lost_after_a_deadline, ["Enqueue 12", "Rescue 3", "Lose 9"]),
    "claim": (by_the_claims_number, ["Enqueue 12", "Claim 3", "Claim 4"]),
    "part": (by_the_parts_number, ["Claim 1", "Complete 8", "Complete 7"]),
    "refusal": (after_what_it_was_judged_by, ["Claim 1", "Complete 8", "Complete 5"]),
    "birth": (after_the_birth, ["Enqueue 2", "Claim 1"]),
    "leader": (under_one_leader, ["Enqueue 12", "Promote 3", "Elect 9"]),
    "segment": (under_one_rotation, ["Enqueue 12", "Close 3", "Prune 4"]),
    "vacant": (passed_by_a_rotation, ["Open 2", "Prune 1"]),
    "held": (by_what_was_held, ["Enqueue 40", "Fail 20", "Discard 30"]),
    "seen": (seen_in_a_snapshot, ["Enqueue 3", "Enqueue 20", "Read 1", "Claim 1"]),
    "missed": (missed_by_a_snapshot, ["Read 2", "Enqueue 1", "Claim 2"]),
    "running": (what_was_running, ["Read 2", "Enqueue 1", "Claim 2"]),
    "sharing": (sharing, ["Promote 2", "Rescue 1"]),
    "against": (numbered_against_the_lock, [RING]),
    "ring": (a_ring, [RING]),
}


@pytest.mark.parametrize("why", REASONS)
def test_the_order_is_what_the_database_decided(why: str) -> None:
    tell, wanted = REASONS[why]
    assert acts(tell()) == wanted


def test_what_nothing_orders_goes_by_its_number() -> None:
    tale = Tale()
    tale.enqueue(1, n=3)
    tale.enqueue(2, n=1)
    assert acts(tale.events) == ["Enqueue 1", "Enqueue 3"]


def test_a_step_sees_what_it_has_enqueued_itself() -> None:
    """No snapshot shows one's own transaction as committed."""
    tale = Tale()
    tale.enqueue(1, xid=9, k=1)
    looked = {"reads": [read("9:9:", LANE + 1, upto=LANE + 1)]}
    tale.claim(1, 7, LANE + 1, xid=9, k=2, post=looked)
    assert acts(tale.events) == ["Enqueue 1", "Read 2", "Claim 2"]


def test_the_reads_of_a_claim_come_before_it_in_their_order() -> None:
    tale = Tale()
    tale.claim(1, 7, post={"reads": [read("9:9:"), read("10:10:")]})
    moments = linearize(tale.events)
    assert [one.read and one.read.snapshot.first for one in moments] == [9, 10, None]


# --- Rings -------------------------------------------------------------------------------------


def test_a_ring_is_told_with_its_reasons() -> None:
    with pytest.raises(Disorder) as caught:
        linearize(a_ring())
    said = str(caught.value)
    assert "no order of these events is possible" in said
    assert "event 1 (Enqueue, producer, no lock) comes before event 2" in said
    assert f"it found {LANE + 1}" in said
    assert "the snapshot of event 2 (Claim, worker:7, queue:1) misses event 1" in said


# --- Mutants: a linearizer that forgets a reason -------------------------------------------------


@pytest.mark.parametrize("mutant", LINEARIZERS)
def test_a_linearizer_that_forgets_a_reason_gets_its_stories_wrong(
    monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    forgets = LINEARIZERS[mutant]
    monkeypatch.setattr(forgets.of, forgets.name, forgets.put)
    wrong = {why for why, (tell, wanted) in REASONS.items() if acts(tell()) != wanted}
    assert wrong >= {*forgets.stories} != set(), wrong
