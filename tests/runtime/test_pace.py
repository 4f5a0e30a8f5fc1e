"""Pace: when a worker looks again, by what a look said and what was heard meanwhile.

Owns: the waits after a look, by themselves.
Keeps: nothing runs here but the rule; that a wake-up arrives is in test_wakeups.
Above: nobody. Below: awa.runtime.pace, awa.store.
"""

import pytest

from awa.runtime.pace import Pace
from awa.store.worker import Stepped

QUEUE = 1
REFUSALS = [Stepped(busy={QUEUE}), Stepped(behind={QUEUE}), Stepped(paused={QUEUE})]
"""What a look is told that did nothing."""


def looked(pace: Pace, answer: Stepped, now: float) -> None:
    """Take in the answer of a look that was to announce the sleep of a listener."""
    pace.looked(QUEUE, answer, asleep=True, is_listening=True, now=now)


def test_who_announces_its_sleep_looks_once_more() -> None:
    pace = Pace(60.0)
    looked(pace, Stepped(), now=0.0)
    assert pace.next_at == 0.0
    looked(pace, Stepped(), now=1.0)
    assert pace.next_at > 60.0


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_look_that_was_refused_has_announced_nothing(refusal: Stepped) -> None:
    pace = Pace(60.0)
    looked(pace, refusal, now=0.0)
    looked(pace, Stepped(), now=1.0)
    assert pace.next_at == 1.0


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_look_that_was_refused_takes_no_announcement_back(refusal: Stepped) -> None:
    pace = Pace(60.0)
    looked(pace, Stepped(), now=0.0)
    looked(pace, refusal, now=1.0)
    looked(pace, Stepped(), now=2.0)
    assert pace.next_at > 60.0


@pytest.mark.parametrize("refusal", REFUSALS[1:])
def test_a_queue_that_gives_out_nothing_is_not_looked_into_all_the_time(refusal: Stepped) -> None:
    pace = Pace(60.0)
    looked(pace, refusal, now=0.0)
    assert pace.next_at >= 1.0


def test_a_queue_that_has_more_is_looked_into_at_once() -> None:
    pace = Pace(60.0)
    looked(pace, Stepped(), now=0.0)
    looked(pace, Stepped(more={QUEUE}), now=1.0)
    assert pace.next_at == 1.0


def test_what_is_heard_during_a_look_is_followed_by_another() -> None:
    pace = Pace(60.0)
    looked(pace, Stepped(), now=0.0)
    pace.begin()
    pace.wake()
    looked(pace, Stepped(), now=1.0)
    assert pace.next_at == 1.0
    pace.begin()
    looked(pace, Stepped(), now=2.0)
    assert pace.next_at > 60.0


def test_what_was_heard_before_a_look_is_answered_by_it() -> None:
    pace = Pace(60.0)
    looked(pace, Stepped(), now=0.0)
    pace.wake()
    assert pace.next_at == 0.0
    pace.begin()
    looked(pace, Stepped(), now=1.0)
    assert pace.next_at > 60.0
