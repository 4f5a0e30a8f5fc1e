"""How claims read a lane, told by hand: what is true is legal, and each lie is refused where it is.

Owns: the lies that a claim may tell of a lane, each with the action at fault and the reason.
Keeps: a true story uses every action that shows in a trace. What cannot be told is counted.
Above: nobody. Below: awa.lab, tests.lab.lanes, tests.lab.told.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest

from awa.lab.check import Finding
from tests.lab.lanes import OTHER, claim, enqueue, hole, look, name, passed_over, prepared, read
from tests.lab.told import LANE, MONITOR, Tale, judged


def refused(tale: Tale) -> Finding:
    """Return what Log says of a tale that is illegal by it."""
    report = judged(tale)
    (finding,) = [one for one in report.findings if one.model == "Log"]
    return finding


# --- True stories ------------------------------------------------------------------------------


def a_late_commit() -> Tale:
    """Told: what was passed over is committed, found on its page and taken."""
    tale = passed_over()
    claim(tale, 2, look((1,), 1, page=1), took=(1,), hi=2)
    return tale


def a_commit_in_between() -> Tale:
    """Told: what was passed over is committed before the second look, which takes it."""
    tale = Tale()
    enqueue(tale, 10, 1)
    enqueue(tale, 11, 2)
    claim(tale, 1, read(0, 2, 2, snap="10:12:10"), look((1,), 1), took=(1, 2), hi=2)
    return tale


def a_rollback() -> Tale:
    """Told: nobody who could fill the hole is left, and it goes."""
    tale = Tale()
    enqueue(tale, 11, 2)
    first = (read(0, 2, 2), look((1,), present=[name(77)]))
    claim(tale, 1, *first, took=(2,), hi=2, pages=(1,), written=(hole((1,), name(77)),))
    claim(tale, 2, look((1,), page=1), hi=2)
    return tale


def a_hole_that_is_kept() -> Tale:
    """Told: of two who could fill the hole one is left; then both are as before, and it is kept."""
    tale = Tale()
    enqueue(tale, 11, 2)
    fillers = [name(76), name(77)]
    first = (read(0, 2, 2), look((1,), present=fillers))
    claim(tale, 1, *first, took=(2,), hi=2, pages=(1,), written=(hole((1,), *fillers),))
    left = hole((1,), name(77))
    claim(tale, 2, look((1,), page=1, present=[name(77)]), hi=2, pages=(2,), written=(left,))
    enqueue(tale, 12, 3)
    claim(tale, 3, read(2, 3, 3), took=(3,), hi=3, pages=(2,))
    return tale


def without_room() -> Tale:
    """Told: late ones come one by one; what has no room yet is on a page that nobody read."""
    tale = Tale()
    enqueue(tale, 10, 1, 2)
    enqueue(tale, 11, 3)
    first = (read(0, 3, 3, snap="10:12:10"), look((1, 2), present=[name(10)], snap="10:12:10"))
    claim(tale, 1, *first, took=(3,), hi=3, pages=(1,), written=(hole((1, 2), name(10)),))
    unread = hole((2,), "unread")
    claim(tale, 2, look((1,), 1, page=1), took=(1,), hi=3, pages=(2,), written=(unread,), room=1)
    claim(tale, 3, look((2,), 2, page=2), took=(2,), hi=3)
    return tale


def two_lanes() -> Tale:
    """Told: two lanes share the room, which is used up; then one of them has its turn alone."""
    tale = Tale()
    enqueue(tale, 11, 2, lane=OTHER)
    enqueue(tale, 12, 2)
    unread = [name(77), "unread"]
    claim(
        tale,
        1,
        read(0, 2, 2, lane=OTHER),
        read(0, 2, 2),
        look((), present=[name(77)]),
        look((), present=[name(77)], lane=OTHER),
        took=(2, OTHER - LANE + 2),
        hi={LANE: 2, OTHER: 2},
        pages=(1, 2),
        written=(hole((1,), *unread), hole((1,), *unread, lane=OTHER)),
        room=2,
    )
    enqueue(tale, 13, 3, lane=OTHER)
    looks = (look((1,), page=1), look((1,), page=2, lane=OTHER))
    took = (OTHER - LANE + 3,)
    claim(tale, 2, *looks, read(2, 3, 3, lane=OTHER), took=took, hi={LANE: 2, OTHER: 3})
    enqueue(tale, 14, 4, lane=OTHER)
    reads = (read(2, 3), read(3, 4, 4, lane=OTHER))
    claim(tale, 3, *reads, took=(OTHER - LANE + 4,), hi={LANE: 2, OTHER: 4})
    return tale


def a_stranger() -> Tale:
    """Told: who holds the lock of another lane is not asked for when only this one has holes."""
    tale = Tale()
    enqueue(tale, 10, 1)
    enqueue(tale, 11, 2)
    both = [name(10), name(77)]
    first = (read(0, 2, 2, snap="10:12:10"), look((1,), present=both, snap="10:12:10"))
    claim(tale, 1, *first, took=(2,), hi=2, pages=(1,), written=(hole((1,), *both),))
    enqueue(tale, 12, 4)
    claim(
        tale,
        2,
        look((1,), page=1, present=[name(10), name(88)], snap="10:13:10"),
        read(2, 4, 4, snap="10:13:10"),
        look((3,), present=[name(10)], snap="10:13:10"),
        took=(4,),
        hi=4,
        pages=(2, 3),
        written=(hole((1,), name(10)), hole((3,), name(10))),
    )
    return tale


def a_prepared_one() -> Tale:
    """Told: who could fill the hole is prepared, and has another name after a restart."""
    tale = passed_over()
    again = look((1,), page=1, present=[prepared(10)], snap="10:13:10")
    claim(tale, 2, again, hi=2, pages=(2,), written=(hole((1,), prepared(10)),))
    claim(tale, 3, look((1,), 1, page=2), took=(1,), hi=2)
    return tale


def a_cancel() -> Tale:
    """Told: what was cancelled before is passed by, beyond the cursor and on a page."""
    tale = passed_over()
    enqueue(tale, 12, 3, 4)
    for number in (1, 4):
        tale.tell("Cancel", "queue:1", actor="operator", input={"seq": LANE + number})
    claim(tale, 2, look((1,), 1, page=1), read(2, 4, 3, 4), took=(3,), hi=4)
    return tale


def an_end_that_is_settled() -> Tale:
    """Told: the lane's end was drawn and rolled back; the cursor goes there."""
    tale = Tale()
    enqueue(tale, 11, 1)
    claim(tale, 1, read(0, 3, 1), look((2, 3)), took=(1,), hi=3)
    return tale


def a_step_that_gives_back(snap: str = "20:20:") -> Tale:
    """Told: a claim in a transaction that has appended to the lane itself sees that."""
    tale = Tale()
    said = {"input": {"seq": 5, "holder": name(20)}, "output": {"seq": LANE + 1}, "xid": 20}
    tale.tell("Release", "entry:5", actor="worker:7", **said)
    claim(tale, 1, read(0, 1, 1, snap=snap), took=(1,), hi=1, xid=20, k=2)
    return tale


def a_step_beside_later_ones() -> Tale:
    """Told: the same; its snapshot, which never names its own transaction, knows later ones."""
    return a_step_that_gives_back("20:30:25")


STORIES = [
    a_late_commit,
    a_commit_in_between,
    a_rollback,
    a_hole_that_is_kept,
    without_room,
    two_lanes,
    a_stranger,
    a_prepared_one,
    a_cancel,
    an_end_that_is_settled,
    a_step_that_gives_back,
    a_step_beside_later_ones,
]


@pytest.mark.parametrize("tell", STORIES)
def test_a_true_story_is_legal(tell: Callable[[], Tale]) -> None:
    report = judged(tell())
    assert report.is_legal, str(report)
    assert report.lives["Log"]
    assert not report.outside["Log"]


def test_the_stories_use_every_action_that_a_trace_can_show() -> None:
    told = {
        step.action
        for tell in STORIES
        for story in judged(tell()).stories
        if story.life.model == "Log"
        for step in story.life.steps
    }
    actions = set(MONITOR.court(_life()).model.actions)
    assert actions - told == {"RefuseClaim", "Abort"}


def _life() -> Any:
    """Return one life of a lane."""
    return next(one.life for one in judged(a_late_commit()).stories if one.life.model == "Log")


# --- Lies --------------------------------------------------------------------------------------


def skipped(tale: Tale) -> None:
    """Goes past an entry that it could see."""
    claim(tale, 2, look((1,), 1, page=1), read(2, 4, 4), took=(1, 4), hi=4)


def not_looked_again(tale: Tale) -> None:
    """Goes past a number that it could not see, and does not look again."""
    claim(tale, 2, look((1,), 1, page=1), read(2, 6, 3, 4), took=(1, 3, 4), hi=6)


def unfound(tale: Tale) -> None:
    """Takes what it has not found."""
    claim(tale, 2, look((1,), 1, page=1), read(2, 3, 3), took=(1, 3, 4), hi=3)


def taken_twice(tale: Tale) -> None:
    """Finds and takes what is taken."""
    claim(tale, 2, look((1,), 1, page=1), read(1, 3, 2, 3), took=(1, 2, 3), hi=3)


def out_of_room(tale: Tale) -> None:
    """Takes more than it has room for."""
    claim(tale, 2, look((1,), 1, page=1), read(2, 4, 3, 4), took=(1, 3, 4), hi=4, room=2)


def filler_lost(tale: Tale) -> None:
    """Writes a page without one that could still fill it."""
    late = (look((1,), page=1, present=[name(55)], snap="10:14:10"),)
    claim(tale, 2, *late, hi=2, pages=(2,), written=(hole((1,), name(55)),))


def filler_left_out(tale: Tale) -> None:
    """Writes a page with fewer fillers than it saw."""
    both = [name(12), name(77)]
    late = look((1,), 1, page=1, present=both, snap="12:14:12")
    fresh = look((3,), present=both, snap="12:14:12")
    reads = (late, read(2, 4, 4, snap="12:14:12"), fresh)
    claim(tale, 2, *reads, took=(1, 4), hi=4, pages=(2,), written=(hole((3,), name(77)),))


def page_dropped(tale: Tale) -> None:
    """Drops a page that somebody could still fill."""
    claim(tale, 2, read(2, 4, 3, 4, snap="10:14:10"), took=(3, 4), hi=4)


def page_kept(tale: Tale) -> None:
    """Keeps a page on which it has found everything."""
    claim(tale, 2, look((1,), 1, page=1), took=(1,), hi=2, pages=(1,))


def looked_in_vain(tale: Tale) -> None:
    """Looks at a page though all that could fill it are there."""
    late = (look((1,), page=1, present=[name(10)], snap="10:14:10"),)
    claim(tale, 2, *late, hi=2, pages=(2,), written=(hole((1,), name(10)),))


def unread_forgotten(tale: Tale) -> None:
    """Has no room to look at what it went past, and forgets it."""
    enqueue(tale, 14, 6)
    reads = (look((1,), 1, page=1), read(2, 6, 3, 4, 6), look((), present=[]))
    claim(tale, 2, *reads, took=(1, 3, 4, 6), hi=6, room=4)


def cursor_back(tale: Tale) -> None:
    """Leaves a cursor that is behind the one before."""
    claim(tale, 2, look((1,), 1, page=1), took=(1,), hi=1)


def cancelled_given(tale: Tale) -> None:
    """Takes what was cancelled before."""
    tale.tell("Cancel", "queue:1", actor="operator", input={"seq": LANE + 3})
    claim(tale, 2, look((1,), 1, page=1), read(2, 4, 3, 4), took=(1, 3, 4), hi=4)


def took(*numbers: int) -> str:
    """Return the reason of a claim that took other numbers than it should."""
    return re.escape(f'leaves work["c1"]["took"] = {{{", ".join(map(str, numbers))}}}')


LIES: dict[Callable[[Tale], None], tuple[str, str]] = {
    skipped: ("ReadEntries", took(1, 4)),
    not_looked_again: ("CommitClaim", r"work\[c\]\.fresh = \{\}"),
    unfound: ("ReadEntries", took(1, 3, 4)),
    taken_twice: ("ReadEntries", took(1, 2, 3)),
    out_of_room: ("ReadEntries", r"Cardinality\(found\) <= w\.room"),
    filler_lost: ("LookAtPage", took()),
    filler_left_out: ("CommitClaim", r'leaves claim\["pages"\]'),
    page_dropped: ("CommitClaim", r'leaves claim\["pages"\] = \{\}'),
    page_kept: ("CommitClaim", r'leaves claim\["pages"\]'),
    looked_in_vain: ("LookAtPage", r'w\.at = "look"'),
    unread_forgotten: ("CommitClaim", r"work\[c\]\.fresh = \{\}"),
    cursor_back: ("CommitClaim", r'leaves claim\["hi"\] = 1'),
    cancelled_given: ("ReadEntries", took(1, 3, 4)),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused_where_it_is_told(lie: Callable[[Tale], None]) -> None:
    tale = passed_over()
    enqueue(tale, 12, 3)
    enqueue(tale, 13, 4)
    assert judged(tale).is_legal
    lie(tale)
    finding = refused(tale)
    action, reason = LIES[lie]
    assert finding.event is tale.events[-1]
    assert finding.steps[-1].action == action
    assert re.search(reason, finding.reason), finding.reason


def test_what_a_snapshot_could_not_see_is_not_found() -> None:
    tale = Tale()
    enqueue(tale, 10, 1)
    claim(tale, 1, read(0, 1, 1, snap="10:11:10"), took=(1,), hi=1)
    (finding,) = judged(tale).findings
    assert finding.model == "order"


def test_a_cursor_does_not_go_back_behind_where_a_life_began() -> None:
    tale = Tale()
    enqueue(tale, 10, 1, 2)
    claim(tale, 1, read(0, 2, 1, 2), took=(1, 2), hi=2)
    enqueue(tale, 11, 3)
    claim(tale, 2, read(2, 3, 3), took=(3,), hi=1)
    assert re.search(r'leaves claim\["hi"\] = 1', refused(tale).reason)
