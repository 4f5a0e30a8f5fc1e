"""A check: true stories are legal, and of a lie the first illegal event is told, and why.

Owns: the lies that the life of a job may tell, each with the event and the reason of its refusal.
Keeps: a lie is refused where it is told, and nowhere before. What cannot be followed is counted.
Above: nobody. Below: awa.lab, tests.lab.told.
"""

import re
from collections.abc import Callable

import pytest

from awa.lab.trace import Event
from tests.lab.told import DEFERRED, LANE, RETURNING, Tale, judged, text

INTAKE = 1 << 40
SWEEP = 500
"""The transaction of a sweep."""


def past(attempt: int, lease: int, deaths: int = 0) -> dict[str, int]:
    """Return what an event says of a job's counts."""
    return {"attempt": attempt, "lease": lease, "deaths": deaths}


def retry(tale: Tale, seq: int, later: int, attempt: int, worker: int = 7, **said: object) -> Event:
    """Tell a retry; it follows the finish that the tale told last."""
    told = {"input": {"seq": seq}, "output": {"seq": later}, "post": past(attempt, attempt)}
    return tale.tell("Retry", f"entry:{seq}", **{"actor": f"worker:{worker}", **told, **said})


def promote(tale: Tale, later: int, entry: int) -> Event:
    """Tell that a deferred job became an entry."""
    return tale.tell("Promote", actor="leader:1", output={"seqs": [later], "entries": [entry]})


def a_whole_life() -> Tale:
    """Told: deferred, promoted, claimed, retried, and the same again; a zombie is refused."""
    tale = Tale()
    tale.enqueue(1, lane=DEFERRED)
    promote(tale, 1, LANE + 1)
    tale.claim(1, 7, LANE + 1)
    tale.complete(1, 7, LANE + 1, failed=(LANE + 1,))
    retry(tale, LANE + 1, 2, 1)
    promote(tale, 2, RETURNING + 1)
    tale.claim(2, 8, RETURNING + 1)
    tale.complete(2, 8, RETURNING + 1)
    tale.complete(1, 7, stale=(LANE + 1,))
    return tale


def out_of_the_intake() -> Tale:
    """Told: a job waits in the intake, is moved to its queue, and moved aside there."""
    tale = Tale()
    tale.enqueue(1, lane=INTAKE)
    for seq, to in ((INTAKE + 1, LANE + 1), (LANE + 1, (5 << 40) + 1)):
        tale.tell("Divert", "queue:1", actor="worker:7", input={"seq": seq}, output={"seq": to})
    tale.claim(1, 7, (5 << 40) + 1)
    return tale


def a_rescue() -> Tale:
    """Told: a worker is lost, its entry rescued, its finish refused; a person cancels the rest."""
    tale = Tale()
    tale.enqueue(1)
    tale.claim(1, 7, LANE + 1)
    tale.tell("Lose", "worker:7", actor="leader:1", input={"worker": 7}, xid=SWEEP)
    rescue(tale, 9, None, past(1, 1, 1))
    over = {"input": {"worker": 7}, "output": {"stopped": True}}
    tale.tell("Done", "worker:7", actor="leader:1", xid=SWEEP, k=4, **over)
    tale.complete(1, 7, stale=(LANE + 1,))
    tale.tell("Cancel", "entry:9", actor="operator", input={"seq": 9}, post=past(1, 1, 1))
    tale.tell("Redrive", "held:1", input={"id": 1}, output={"seq": LANE + 5}, post={"lease": 1})
    return tale


def rescue(tale: Tale, later: int | None, held: str | None, counts: dict[str, int]) -> Event:
    """Tell the rescue of the first entry."""
    tale.end_open(1, LANE + 1, xid=SWEEP, k=2)
    given = {"input": {"seq": LANE + 1, "worker": 7, "died": True}, "xid": SWEEP, "k": 3}
    return tale.tell(
        "Rescue",
        "entry:1",
        actor="leader:1",
        output={"seq": later, "held": held},
        post=counts,
        **given,
    )


@pytest.mark.parametrize("tell", [a_whole_life, out_of_the_intake, a_rescue])
def test_a_true_story_is_legal(tell: Callable[[], Tale]) -> None:
    tale = tell()
    report = judged(tale)
    assert report.is_legal, str(report)
    assert (report.events, report.lives["Queue"]) == (len(tale.events), 1)
    assert str(report).startswith(f"{len(tale.events)} events, all legal")


# --- Lies --------------------------------------------------------------------------------------


def claimed_twice(tale: Tale) -> None:
    """Another worker is given what is given."""
    tale.claim(2, 8, LANE + 1)


def enqueued_twice(tale: Tale) -> None:
    """A job that is there is enqueued once more."""
    tale.enqueue(1, output={"ids": [1], "seqs": [LANE + 9]}, attempts_max=2)


def ended_twice(tale: Tale) -> None:
    """A second finish lands."""
    tale.complete(1, 7, LANE + 1)
    tale.complete(1, 7, LANE + 1)


def ended_by_a_stranger(tale: Tale) -> None:
    """Somebody completes what another holds."""
    tale.complete(1, 8, LANE + 1)


def refused_though_it_holds(tale: Tale) -> None:
    """A worker is told that its entry is over, and it is not."""
    tale.complete(1, 7, stale=(LANE + 1,))


def lost_and_claims(tale: Tale) -> None:
    """A worker that was declared lost is given more."""
    tale.enqueue(2)
    tale.tell("Lose", "worker:7", actor="leader:1", input={"worker": 7})
    tale.claim(2, 7, LANE + 2)


def rescued_uncounted(tale: Tale) -> None:
    """A rescue says that nobody died."""
    tale.tell("Lose", "worker:7", actor="leader:1", input={"worker": 7})
    rescue(tale, 9, None, past(1, 1, 0))


def rescued_while_alive(tale: Tale) -> None:
    """A rescue says that a worker died which nobody declared lost."""
    rescue(tale, 9, None, past(1, 1, 1))


def retried_too_often(tale: Tale) -> None:
    """A job of two attempts is deferred after its second."""
    tale.complete(1, 7, LANE + 1, failed=(LANE + 1,))
    retry(tale, LANE + 1, 2, 1)
    promote(tale, 2, RETURNING + 1)
    tale.claim(2, 8, RETURNING + 1)
    retry(tale, RETURNING + 1, 3, 2, worker=8)
    promote(tale, 3, RETURNING + 2)


def run_lease_kept(tale: Tale) -> None:
    """A retry says that the run lease did not grow."""
    retry(tale, LANE + 1, 2, 1, post=past(1, 0))


def promoted_while_it_runs(tale: Tale) -> None:
    """A job that is not deferred becomes an entry again."""
    tale.tell("Promote", actor="leader:1", output={"seqs": [LANE + 1], "entries": [LANE + 9]})


def redriven_though_it_runs(tale: Tale) -> None:
    """A job that is not held comes back."""
    tale.tell("Redrive", "held:1", input={"id": 1}, output={"seq": LANE + 9})


def discarded_though_it_runs(tale: Tale) -> None:
    """A job that is not held is deleted."""
    tale.tell("Discard", "held", actor="leader:1", output={"ids": [1]})


LIES: dict[str, tuple[Callable[[Tale], None], str]] = {
    "claimed twice": (claimed_twice, r"entries\[e\].worker = None"),
    "enqueued twice": (enqueued_twice, r"j \\notin enqueued"),
    "ended twice": (ended_twice, r"entries\[e\].outcome = None"),
    "ended by a stranger": (ended_by_a_stranger, r"entries\[e\].worker = w"),
    "refused though it holds": (refused_though_it_holds, r"~Holds\(w, e\)"),
    "lost and claims": (lost_and_claims, r"w \\notin lost"),
    "rescued uncounted": (rescued_uncounted, r'leaves deaths\["j"\] = 0'),
    "rescued while alive": (rescued_while_alive, r'leaves deaths\["j"\] = 1'),
    "retried too often": (retried_too_often, r"j \\in deferred"),
    "run lease kept": (run_lease_kept, r'leaves lease\["j"\] = 0'),
    "promoted while it runs": (promoted_while_it_runs, r"j \\in deferred"),
    "redriven though it runs": (redriven_though_it_runs, r"held\[j\] \\in Redrivable"),
    "discarded though it runs": (discarded_though_it_runs, r"held\[j\] \\in Redrivable"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused_where_it_is_told(lie: str) -> None:
    tale = Tale()
    tale.enqueue(1, attempts_max=2)
    tale.claim(1, 7, LANE + 1)
    tell, reason = LIES[lie]
    tell(tale)
    report = judged(tale)
    # Some lies are lies about the claim as well, which is looked at after the job.
    finding = report.findings[0]
    assert (finding.model, finding.event) == ("Queue", tale.events[-1]), str(report)
    assert re.search(reason, finding.reason), finding.reason
    assert not report.is_legal and "illegal" in str(report)


def test_what_leads_to_a_lie_is_told_and_nothing_else() -> None:
    tale = Tale()
    tale.enqueue(1)
    tale.enqueue(2)
    tale.claim(1, 7, LANE + 1, LANE + 2)
    tale.complete(1, 7, LANE + 2, failed=(LANE + 2,))
    retry(tale, LANE + 2, 2, 1)
    promote(tale, 2, RETURNING + 1)
    tale.claim(2, 8, RETURNING + 1)
    tale.claim(3, 9, RETURNING + 1)
    finding = judged(tale).findings[0]
    assert finding.of == "job 2"
    acts = [step.action for step in finding.steps]
    assert acts == ["Enqueue", "Claim", "Retry", "Promote", "Claim", "Claim"]
    assert [event.n for event in finding.events] == [2, 3, 5, 6, 7, 8]


def test_what_a_refusal_does_not_need_is_left_out_of_it() -> None:
    """The stale finish between the two is legal, and shows nothing."""
    tale = Tale()
    tale.enqueue(1)
    tale.claim(1, 7, LANE + 1)
    tale.complete(1, 7, LANE + 1)
    tale.complete(1, 7, stale=(LANE + 1,))
    tale.complete(1, 7, LANE + 1)
    finding = judged(tale).findings[0]
    assert [step.action for step in finding.steps] == ["Enqueue", "Claim", "Complete", "Complete"]
    assert [event.n for event in finding.events] == [1, 2, 3, 5]


def test_what_began_before_the_trace_is_counted_and_not_judged() -> None:
    tale = a_whole_life()
    tale.claim(3, 7, LANE + 50)
    report = judged(tale)
    assert report.is_legal and report.outside["Queue"] == 1
    assert "1 steps left out" in str(report)


def test_a_trace_without_an_order_is_illegal() -> None:
    tale = Tale()
    tale.enqueue(1, xid=9)
    read = {"snap": "9:9:", "found": text(LANE + 1), "after": LANE, "upto": LANE + 1}
    tale.claim(1, 7, LANE + 1, post={"reads": [read]})
    report = judged(tale)
    assert not report.is_legal
    assert "no order of these events is possible" in str(report)


def test_like_lives_are_of_one_shape() -> None:
    tale = Tale()
    tale.enqueue(*range(1, 101))
    tale.claim(1, 7, *(LANE + job for job in range(1, 101)))
    tale.complete(1, 7, *(LANE + job for job in range(1, 101)))
    report = judged(tale)
    assert (report.lives["Queue"], report.shapes["Queue"]) == (100, 1)
