"""Where the life of a lane begins and ends: what one knows of the one before, and what is left out.

Owns: the cuts between lives, and what began before the trace.
Keeps: what cannot be told is counted, and is no reason to refuse the rest.
Above: nobody. Below: awa.lab, tests.lab.lanes, tests.lab.told.
"""

from tests.lab.lanes import claim, enqueue, hole, look, name, passed_over, read
from tests.lab.told import LANE, Tale, judged

# --- What cannot be told -----------------------------------------------------------------------


def test_entries_from_before_the_trace_are_counted() -> None:
    tale = Tale()
    enqueue(tale, 11, 12)
    claim(tale, 7, read(10, 12, 11, 12), took=(11, 12), hi=12)
    report = judged(tale)
    assert (report.is_legal, report.lives["Log"], report.outside["Log"]) == (True, 1, 1)


def test_a_claim_that_says_nothing_of_lanes_is_counted() -> None:
    tale = Tale()
    tale.enqueue(1)
    tale.claim(1, 7, LANE + 1)
    report = judged(tale)
    assert (report.is_legal, report.lives["Log"], report.outside["Log"]) == (True, 0, 1)


def test_pages_from_before_the_trace_are_counted() -> None:
    tale = Tale()
    enqueue(tale, 11, 12)
    claim(tale, 7, look((5,), 5, page=3), read(11, 12, 12), took=(5, 12), hi=12)
    report = judged(tale)
    assert (report.is_legal, report.lives["Log"], report.outside["Log"]) == (True, 0, 1)


def test_a_hole_that_was_filled_from_outside_the_trace_is_counted() -> None:
    tale = Tale()
    enqueue(tale, 11, 2)
    first = (read(0, 2, 2), look((1,), present=[name(77)]))
    claim(tale, 1, *first, took=(2,), hi=2, pages=(1,), written=(hole((1,), name(77)),))
    claim(tale, 2, look((1,), 1, page=1), took=(1,), hi=2)
    report = judged(tale)
    assert (report.is_legal, report.lives["Log"], report.outside["Log"]) == (True, 0, 3)


def busy(tale: Tale, *claims: int, pages: tuple[int, ...] = (1,)) -> None:
    """Tell claims that take one entry each, while the transaction of the first stays open."""
    for number in claims:
        enqueue(tale, number + 11, number + 1)
        last = read(number, number + 1, number + 1, snap=f"10:{number + 12}:10")
        claim(tale, number, last, took=(number + 1,), hi=number + 1, pages=pages)


def test_a_life_goes_on_from_what_the_one_before_left() -> None:
    tale = passed_over()
    busy(tale, *range(2, 30))
    claim(tale, 30, look((1,), 1, page=1), took=(1,), hi=30)
    report = judged(tale)
    lives = [one.life for one in report.stories if one.life.model == "Log"]
    assert [life.start is None for life in lives] == [True, False, False]
    assert report.is_legal, str(report)
    claim(tale, 31, look((1,), 1, page=1), took=(1,), hi=30)
    assert not judged(tale).is_legal


def test_a_life_knows_what_was_cancelled_on_a_page_before_it() -> None:
    tale = passed_over()
    busy(tale, *range(2, 10))
    tale.tell("Cancel", "queue:1", actor="operator", input={"seq": LANE + 1}, xid=50)
    busy(tale, *range(10, 14))
    claim(tale, 14, look((1,), 1, page=1), hi=14)
    assert judged(tale).is_legal, str(judged(tale))
    tale.events.pop()
    claim(tale, 14, look((1,), 1, page=1), took=(1,), hi=14)
    (finding,) = [one for one in judged(tale).findings if one.model == "Log"]
    assert finding.steps[-1].action == "LookAtPage"


def test_a_life_knows_that_who_has_entries_on_a_page_is_over_and_has_more() -> None:
    tale = Tale()
    enqueue(tale, 10, 1, 2, 15)
    enqueue(tale, 11, 3)
    first = (read(0, 3, 3, snap="10:12:10"), look((1, 2), present=[name(10)], snap="10:12:10"))
    claim(tale, 1, *first, took=(3,), hi=3, pages=(1,), written=(hole((1, 2), name(10)),))
    for number in range(2, 12):
        enqueue(tale, number + 11, number + 2)
        last = read(number + 1, number + 2, number + 2, snap=f"10:{number + 12}:10")
        claim(tale, number, last, took=(number + 2,), hi=number + 2, pages=(1,))
    unread, one = hole((2,), "unread"), look((1,), 1, page=1)
    claim(tale, 12, one, took=(1,), hi=13, pages=(2,), written=(unread,), room=1)
    late = (look((2,), 2, page=2), read(13, 15, 15), look((14,)))
    claim(tale, 13, *late, took=(2, 15), hi=15)
    assert judged(tale).is_legal, str(judged(tale))


def test_who_may_hold_its_lock_yet_is_the_same_in_the_next_life() -> None:
    tale = Tale()
    enqueue(tale, 10, 1, 15)
    enqueue(tale, 11, 2)
    first = (read(0, 2, 2, snap="10:12:10"), look((1,), present=[name(10)], snap="10:12:10"))
    claim(tale, 1, *first, took=(2,), hi=2, pages=(1,), written=(hole((1,), name(10)),))
    busy(tale, *range(2, 12))
    enqueue(tale, 40, 13)
    claim(tale, 12, read(12, 13, 13), took=(13,), hi=13, pages=(1,))
    fresh = (read(13, 15, 15), look((14,), present=[name(10)]))
    claim(tale, 13, *fresh, took=(15,), hi=15, pages=(1, 2), written=(hole((14,), name(10)),))
    assert judged(tale).is_legal, str(judged(tale))
