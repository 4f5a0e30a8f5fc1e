"""The life of an entry in its worker's hands: true stories are legal, lies are refused.

Owns: the lies that steps, sweeps and departures may tell of a worker.
Keeps: a lie is refused where it is told, and by this model, whatever others say of it.
Above: nobody. Below: awa.lab, tests.lab.told.
"""

import re
from collections.abc import Callable

import pytest

from awa.lab.judge import judge
from awa.lab.order import linearize
from awa.lab.trace import Event
from tests.lab.told import LANE, Tale, judged

SWEEP = 500
"""The transaction of a sweep."""


def of_worker(tale: Tale, act: str, worker: int, **said: object) -> Event:
    """Tell what became of a worker."""
    actor = f"worker:{worker}" if act == "Retire" else "leader:1"
    given: dict[str, object] = {"actor": actor, "input": {"worker": worker}, **said}
    return tale.tell(act, f"worker:{worker}", **given)


def register(tale: Tale, worker: int) -> None:
    """Tell that a worker came."""
    output = {"worker": worker}
    tale.tell("Register", f"worker:{worker}", actor=f"worker:{worker}", output=output)


def done(tale: Tale, worker: int, stopped: bool, xid: int = SWEEP) -> Event:
    """Tell that a sweep is done with a worker."""
    output = {"rescued": 0, "stopped": stopped}
    return of_worker(tale, "Done", worker, xid=xid, k=99, output=output)


def rescue(
    tale: Tale, claim: int, *seqs: int, worker: int = 7, died: bool = True, xid: int = SWEEP
) -> None:
    """Tell that entries of a claim ended from outside, and what became of their jobs."""
    tale.end_open(claim, *seqs, actor="leader:1", xid=xid, k=len(tale.events))
    for seq in seqs:
        given = {"seq": seq, "worker": worker, "died": died}
        output = {"seq": len(tale.events), "held": None}
        counts = {"attempt": 1, "lease": 1, "deaths": int(died)}
        said = {"input": given, "output": output, "post": counts, "k": len(tale.events)}
        tale.tell("Rescue", f"entry:{seq}", actor="leader:1", xid=xid, **said)


def held(*jobs: int) -> Tale:
    """Return the beginning of a tale: worker 7 holds these, a claim each."""
    tale = Tale()
    register(tale, 7)
    tale.enqueue(*jobs)
    for number, job in enumerate(jobs, start=1):
        tale.claim(number, 7, LANE + job)
    return tale


def worked_and_left() -> Tale:
    """Told: a worker finishes what it holds, and leaves."""
    tale = held(1, 2)
    tale.complete(1, 7, LANE + 1)
    tale.complete(2, 7, LANE + 2)
    of_worker(tale, "Retire", 7)
    return tale


def lost_with_all() -> Tale:
    """Told: a worker is lost, what it holds is rescued at once, and it comes too late."""
    tale = held(1, 2)
    of_worker(tale, "Lose", 7, xid=SWEEP)
    rescue(tale, 1, LANE + 1)
    rescue(tale, 2, LANE + 2)
    done(tale, 7, stopped=True)
    tale.complete(1, 7, stale=(LANE + 1,))
    tale.complete(1, 7, stale=(LANE + 1,))
    return tale


def lost_in_portions() -> Tale:
    """Told: a sweep ends a part, the lost worker is in time for another, a sweep ends the rest."""
    tale = held(1, 2, 3)
    of_worker(tale, "Lose", 7, xid=SWEEP)
    rescue(tale, 1, LANE + 1)
    done(tale, 7, stopped=False)
    tale.complete(2, 7, LANE + 2)
    rescue(tale, 3, LANE + 3, xid=SWEEP + 1)
    done(tale, 7, stopped=True, xid=SWEEP + 1)
    return tale


def expired_and_finished() -> Tale:
    """Told: an attempt is past its deadline, and its worker, which lives, goes on."""
    tale = held(1, 2)
    rescue(tale, 1, LANE + 1, died=False)
    tale.complete(1, 7, stale=(LANE + 1,))
    tale.complete(2, 7, LANE + 2)
    of_worker(tale, "Retire", 7)
    return tale


def lost_after_it_left() -> Tale:
    """Told: a sweep had read the row of a worker which left before the sweep had its lock."""
    tale = worked_and_left()
    of_worker(tale, "Lose", 7, xid=SWEEP)
    done(tale, 7, stopped=True)
    return tale


def lost_twice() -> Tale:
    """Told: of two sweeps at once the second had read the row before the first was done."""
    tale = lost_with_all()
    of_worker(tale, "Lose", 7, xid=SWEEP + 1)
    done(tale, 7, stopped=True, xid=SWEEP + 1)
    return tale


def cancelled_by_a_person() -> Tale:
    """Told: a person ends one of two entries; the worker finishes the other, and leaves."""
    tale = Tale()
    register(tale, 7)
    tale.enqueue(1, 2)
    tale.claim(1, 7, LANE + 1, LANE + 2)
    tale.end_open(1, LANE + 1, actor="operator")
    tale.complete(1, 7, LANE + 2, stale=(LANE + 1,))
    of_worker(tale, "Retire", 7)
    return tale


TRUE = [
    worked_and_left,
    lost_with_all,
    lost_in_portions,
    expired_and_finished,
    lost_after_it_left,
    lost_twice,
    cancelled_by_a_person,
]


@pytest.mark.parametrize("tell", TRUE)
def test_a_true_story_is_legal(tell: Callable[[], Tale]) -> None:
    report = judged(tell())
    said = [str(one) for one in report.findings if one.model == "Rescue"]
    assert not said, said[0]
    assert report.lives["Rescue"] > 0
    assert report.outside["Rescue"] == (tell is cancelled_by_a_person)


def test_both_judges_say_the_same() -> None:
    lives = [one.life for tell in TRUE for one in judged(tell()).stories]
    mine = list(dict.fromkeys(life for life in lives if life.model == "Rescue"))
    assert all(verdict.accepted for verdict in judge(mine))


def test_what_fares_alike_is_told_once() -> None:
    tale = Tale()
    tale.enqueue(*range(1, 301))
    for number in range(3):
        seqs = [LANE + number * 100 + job for job in range(1, 101)]
        tale.claim(number + 1, 7, *seqs)
        tale.complete(number + 1, 7, *seqs)
    report = judged(tale)
    assert report.is_legal, str(report)
    assert (report.lives["Rescue"], report.shapes["Rescue"]) == (3, 1)


def test_who_leaves_had_finished_before() -> None:
    tale = Tale()
    tale.enqueue(1, n=40, xid=9)
    tale.complete(1, 7, LANE + 2, xid=9, k=2)
    of_worker(tale, "Retire", 7)
    acts = [moment.event.act for moment in linearize(tale.events)]
    assert acts == ["Enqueue", "Complete", "Retire"]


# --- Lies --------------------------------------------------------------------------------------


def left_and_held(tale: Tale) -> None:
    """A worker leaves that holds something."""
    of_worker(tale, "Retire", 7)


def gone_and_held(tale: Tale) -> None:
    """A sweep says that a worker is gone which still holds something."""
    of_worker(tale, "Lose", 7, xid=SWEEP)
    done(tale, 7, stopped=True)


def lost_and_claims(tale: Tale) -> None:
    """A worker that was declared lost is given more."""
    of_worker(tale, "Lose", 7, xid=SWEEP)
    done(tale, 7, stopped=False)
    tale.enqueue(2)
    tale.claim(2, 7, LANE + 2)


def left_and_claims(tale: Tale) -> None:
    """A worker that has left is given more."""
    tale.complete(1, 7, LANE + 1)
    of_worker(tale, "Retire", 7)
    tale.enqueue(2)
    tale.claim(2, 7, LANE + 2)


def rescued_while_alive(tale: Tale) -> None:
    """A sweep ends what a worker holds that nobody declared lost."""
    rescue(tale, 1, LANE + 1)
    done(tale, 7, stopped=True)


def expired_after_it_was_lost(tale: Tale) -> None:
    """An attempt of a lost worker ends, and its death is not counted."""
    of_worker(tale, "Lose", 7, xid=SWEEP)
    done(tale, 7, stopped=False)
    rescue(tale, 1, LANE + 1, died=False, xid=SWEEP + 1)


def rescued_from_another(tale: Tale) -> None:
    """A sweep ends what the lost worker does not hold."""
    of_worker(tale, "Lose", 7, xid=SWEEP)
    rescue(tale, 1, LANE + 1, worker=8)


def rescued_twice(tale: Tale) -> None:
    """What was ended from outside ends so again."""
    of_worker(tale, "Lose", 7, xid=SWEEP)
    rescue(tale, 1, LANE + 1)
    done(tale, 7, stopped=False)
    rescue(tale, 1, LANE + 1, xid=SWEEP + 1)


def finished_after_its_rescue(tale: Tale) -> None:
    """A zombie's finish takes effect."""
    of_worker(tale, "Lose", 7, xid=SWEEP)
    rescue(tale, 1, LANE + 1)
    done(tale, 7, stopped=True)
    tale.complete(1, 7, LANE + 1)


def refused_though_it_holds(tale: Tale) -> None:
    """A worker is told that its entry is over, and it is not."""
    tale.complete(1, 7, stale=(LANE + 1,))


LIES: dict[str, tuple[Callable[[Tale], None], str]] = {
    "left and held": (left_and_held, r"HeldBy\(w\) = \{\}"),
    "gone and held": (gone_and_held, r'leaves stopped = \{"w1"\}'),
    "lost and claims": (lost_and_claims, r"step\[w\].alive"),
    "left and claims": (left_and_claims, r"step\[w\].alive"),
    "rescued while alive": (rescued_while_alive, r'leaves lost = \{"w1"\}'),
    "expired after it was lost": (expired_after_it_was_lost, r"w \\notin lost"),
    "rescued from another": (rescued_from_another, r"sweep\[l\].worker = w"),
    "rescued twice": (rescued_twice, r"Open\(e\)|outcome = None"),
    "finished after its rescue": (finished_after_its_rescue, r"Open\(e\)|outcome = None"),
    "refused though it holds": (refused_though_it_holds, r"~Holds\(w, e\)"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused_where_it_is_told(lie: str) -> None:
    tale = held(1)
    tell, reason = LIES[lie]
    tell(tale)
    finding = next(one for one in judged(tale).findings if one.model == "Rescue")
    # That nobody had declared the worker lost shows where the sweep begins.
    place = -1 if lie != "rescued while alive" else -2
    assert finding.event == tale.events[place], str(finding)
    assert re.search(reason, finding.reason), finding.reason


def test_an_ending_of_what_was_claimed_before_the_trace_is_counted() -> None:
    tale = Tale()
    tale.complete(1, 7, LANE + 1)
    rescue(tale, 2, LANE + 2, died=False)
    report = judged(tale)
    assert (report.lives["Rescue"], report.outside["Rescue"]) == (0, 2)
