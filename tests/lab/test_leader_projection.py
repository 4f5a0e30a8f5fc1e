"""The story of the leadership: true ones are legal, and a lie is refused where it is told.

Owns: the lies that elections and leaders' transactions may tell.
Keeps: a lie is refused where it is told. That a worker led before the trace is taken for right.
Above: nobody. Below: awa.lab, tests.lab.told.
"""

import re
from collections.abc import Callable

import pytest

from awa.lab.judge import judge
from awa.lab.trace import Event
from tests.lab.told import DEFERRED, LANE, Tale, judged


def elect(tale: Tale, epoch: int, worker: int) -> Event:
    """Tell an election."""
    given = {"input": {"worker": worker}, "output": {"epoch": epoch}}
    return tale.tell("Elect", f"epoch:{epoch}", actor=f"worker:{worker}", **given)


def promote(tale: Tale, epoch: int, *jobs: int, **said: object) -> Event:
    """Tell that a leader promoted jobs."""
    entries = [LANE + 1000 * len(tale.events) + job for job in jobs]
    output = {"seqs": list(jobs), "entries": entries}
    return tale.tell("Promote", "deferred", actor=f"leader:{epoch}", output=output, **said)


def open_one(tale: Tale, epoch: int, number: int = 2, **said: object) -> Event:
    """Tell that a leader opened a segment, and nothing that is of interest here."""
    output = {"number": number, "slot": number - 1}
    return tale.tell("Open", "segments", actor=f"leader:{epoch}", output=output, **said)


def three_reigns() -> Tale:
    """Told: two workers lead by turns, and the second is elected once more after it resigned."""
    tale = Tale()
    tale.enqueue(1, 2, 3, lane=DEFERRED)
    for epoch, worker in ((1, 7), (2, 8), (3, 8)):
        elect(tale, epoch, worker)
        promote(tale, epoch, epoch)
    return tale


def two_verbs_at_once() -> Tale:
    """Told: two transactions of one leader are at work at the same time."""
    tale = Tale()
    tale.enqueue(1, 2, lane=DEFERRED)
    elect(tale, 1, 7)
    open_one(tale, 1, xid=50)
    promote(tale, 1, 1)
    promote(tale, 1, 2, xid=50, k=2)
    elect(tale, 2, 8)
    return tale


def led_before_the_trace() -> Tale:
    """Told: the trace begins under the leader of the fifth epoch."""
    tale = Tale()
    tale.enqueue(1, lane=DEFERRED)
    promote(tale, 5, 1)
    elect(tale, 6, 8)
    return tale


TRUE = [three_reigns, two_verbs_at_once, led_before_the_trace]


@pytest.mark.parametrize("tell", TRUE)
def test_a_true_story_is_legal(tell: Callable[[], Tale]) -> None:
    report = judged(tell())
    assert report.is_legal, str(report)
    assert report.outside["Leader"] == (tell is led_before_the_trace)


def test_both_judges_say_the_same() -> None:
    lives = [one.life for tell in TRUE for one in judged(tell()).stories]
    assert all(verdict.accepted for verdict in judge(list(dict.fromkeys(lives))))


def test_sweeps_of_one_kind_are_of_one_shape() -> None:
    tale = Tale()
    elect(tale, 1, 7)
    tale.enqueue(*range(1, 301), lane=DEFERRED)
    for job in range(1, 301, 3):
        promote(tale, 1, job, job + 1, job + 2)
    report = judged(tale)
    assert report.is_legal, str(report)
    assert (report.lives["Leader"], report.shapes["Leader"]) == (101, 2)


# --- Lies --------------------------------------------------------------------------------------


def an_old_epoch_acts(tale: Tale) -> None:
    """A leader goes on after another was elected."""
    open_one(tale, 2)


def an_old_epoch_commits(tale: Tale) -> None:
    """A leader's transaction is at work while another is elected."""
    open_one(tale, 3, xid=50)
    elect(tale, 4, 7)
    promote(tale, 3, 2, xid=50, k=2)


def an_epoch_of_nobody(tale: Tale) -> None:
    """Something is done for an epoch that nobody was elected in."""
    open_one(tale, 4)


def an_epoch_is_skipped(tale: Tale) -> None:
    """An election leaves an epoch out."""
    elect(tale, 5, 7)


def an_epoch_comes_twice(tale: Tale) -> None:
    """Two are elected in one epoch."""
    elect(tale, 3, 7)


def an_epoch_comes_back(tale: Tale) -> None:
    """An epoch that was over begins anew."""
    elect(tale, 1, 7)


def promoted_by_both(tale: Tale) -> None:
    """Two transactions promote one job."""
    open_one(tale, 3, xid=50)
    promote(tale, 3, 2)
    promote(tale, 3, 2, xid=50, k=2)


def promoted_again(tale: Tale) -> None:
    """What was promoted in an epoch before is promoted again."""
    promote(tale, 3, 1)


LIES: dict[str, tuple[Callable[[Tale], None], int, str]] = {
    "an old epoch acts": (an_old_epoch_acts, -1, r"believes\[w\] = row.epoch"),
    "an old epoch commits": (an_old_epoch_commits, -2, r"~IsActing"),
    "an epoch of nobody": (an_epoch_of_nobody, -1, r"believes\[w\] # 0"),
    "an epoch is skipped": (an_epoch_is_skipped, -1, r'leaves row\["epoch"\] = 4'),
    "an epoch comes twice": (an_epoch_comes_twice, -1, r'leaves row\["epoch"\] = 2'),
    "an epoch comes back": (an_epoch_comes_back, -1, r'leaves row\["epoch"\] = 1'),
    "promoted by both": (promoted_by_both, -1, r"promoted\[j\] = \{\}"),
    "promoted again": (promoted_again, -1, r"verb\[v\].due"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused_where_it_is_told(lie: str) -> None:
    tale = Tale()
    elect(tale, 1, 7)
    promote(tale, 1, 1)
    elect(tale, 2, 8)
    elect(tale, 3, 9)
    tell, place, reason = LIES[lie]
    tell(tale)
    (finding,) = [one for one in judged(tale).findings if one.model == "Leader"]
    assert finding.event == tale.events[place], str(finding)
    assert re.search(reason, finding.reason), finding.reason


def test_who_leads_again_does_nothing_for_its_epoch_before() -> None:
    tale = Tale()
    elect(tale, 1, 7)
    elect(tale, 2, 7)
    open_one(tale, 1)
    (finding,) = judged(tale).findings
    assert finding.event == tale.events[-1]
    assert '["epoch"] = 1' in finding.reason
