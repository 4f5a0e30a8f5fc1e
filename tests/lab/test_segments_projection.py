"""The story of the segments: true ones are legal, and a lie is refused where it is told.

Owns: the lies that rotations and prunes may tell, and what makes up for events that were lost.
Keeps: a lie is refused where it is told. A story that is cut is as strict after the cut.
Above: nobody. Below: awa.lab, tests.lab.told.
"""

import re
from collections.abc import Callable

import pytest

from awa.lab.judge import judge
from awa.lab.order import linearize
from awa.lab.trace import Event
from tests.lab.told import Tale, judged


def act(tale: Tale, name: str, number: int, slot: int, **said: object) -> Event:
    """Tell what was done to a segment."""
    output = {"number": number, "slot": slot}
    return tale.tell(name, "segments", actor="leader:1", output=output, **said)


def opened(tale: Tale, number: int, slot: int) -> None:
    """Tell that a segment was opened and switched to."""
    act(tale, "Open", number, slot)
    act(tale, "Switch", number, slot)


def rotated(tale: Tale, number: int, slot: int, last: int) -> None:
    """Tell a whole rotation, from the last slot to this one."""
    opened(tale, number, slot)
    act(tale, "Seal", number - 1, last)
    act(tale, "Close", number - 1, last)


def pruned(tale: Tale, number: int, slot: int, here: int) -> None:
    """Tell a prune, which carries to another slot."""
    carried = {"slot": slot, "here": here, "claims": [], "entries": []}
    xid = tale.tell("Carry", "segments", actor="leader:1", input=carried).xid
    act(tale, "Prune", number, slot, xid=xid, k=2)


def two_slots_in_turn(rounds: int = 2) -> Tale:
    """Told: two slots are used again and again."""
    tale = Tale()
    for number in range(2, rounds + 2):
        rotated(tale, number, (number - 1) % 2, number % 2)
        pruned(tale, number - 1, number % 2, (number - 1) % 2)
    return tale


def a_switch_that_was_rolled_back() -> Tale:
    """Told: the switch took effect, and its event is gone; the next rotation seals."""
    tale = Tale()
    act(tale, "Open", 2, 1)
    act(tale, "Seal", 1, 0)
    act(tale, "Open", 3, 2)
    act(tale, "Switch", 3, 2)
    return tale


def carried_to_what_was_open_before() -> Tale:
    """Told: a prune had chosen where to carry, and was slow; a rotation came between."""
    tale = Tale()
    rotated(tale, 2, 1, 0)
    opened(tale, 3, 2)
    act(tale, "Seal", 2, 1)
    pruned(tale, 1, 0, 1)
    act(tale, "Close", 2, 1)
    return tale


def carried_to_what_is_about_to_be_open() -> Tale:
    """Told: a prune carries to a segment whose switch has taken effect and no event yet."""
    tale = Tale()
    rotated(tale, 2, 1, 0)
    act(tale, "Open", 3, 2)
    pruned(tale, 1, 0, 2)
    act(tale, "Switch", 3, 2)
    return tale


def two_prunes_at_once() -> Tale:
    """Told: two prunes of two segments had chosen where to carry before a rotation."""
    tale = Tale()
    rotated(tale, 2, 1, 0)
    rotated(tale, 3, 2, 1)
    opened(tale, 4, 3)
    pruned(tale, 1, 0, 2)
    pruned(tale, 2, 1, 2)
    return tale


def a_prune_that_was_not_seen() -> Tale:
    """Told: a rotation makes a third slot, for it has not seen that the first is vacant."""
    tale = Tale()
    rotated(tale, 2, 1, 0)
    pruned(tale, 1, 0, 1)
    rotated(tale, 3, 2, 1)
    return tale


TRUE = [
    two_slots_in_turn,
    a_switch_that_was_rolled_back,
    carried_to_what_was_open_before,
    carried_to_what_is_about_to_be_open,
    two_prunes_at_once,
    a_prune_that_was_not_seen,
]


@pytest.mark.parametrize("tell", TRUE)
def test_a_true_story_is_legal(tell: Callable[[], Tale]) -> None:
    report = judged(tell())
    assert report.is_legal, str(report)
    assert (report.lives["Segments"], report.outside["Segments"]) == (1, 0)


def test_both_judges_say_the_same() -> None:
    lives = [one.life for tell in TRUE for one in judged(tell()).stories]
    assert all(verdict.accepted for verdict in judge(list(dict.fromkeys(lives))))


def test_a_rotation_comes_before_a_prune_that_it_did_not_see() -> None:
    moments = linearize(a_prune_that_was_not_seen().events)
    acts = [moment.event.act for moment in moments if moment.event.act in {"Open", "Prune"}]
    assert acts == ["Open", "Open", "Prune"]


# --- Lies --------------------------------------------------------------------------------------


def closed_while_open(tale: Tale) -> None:
    """What is written into is closed."""
    act(tale, "Close", 2, 1)


def sealed_while_open(tale: Tale) -> None:
    """What is written into is sealed, and nothing else is open."""
    act(tale, "Seal", 2, 1)


def closed_before_sealed(tale: Tale) -> None:
    """A segment is closed though it never was sealed."""
    opened(tale, 3, 2)
    act(tale, "Close", 2, 1)


def switched_back(tale: Tale) -> None:
    """Writers go back to where they were before."""
    act(tale, "Switch", 1, 0)


def switched_to_what_is_not_there(tale: Tale) -> None:
    """Writers are sent to a segment that nobody opened."""
    act(tale, "Switch", 3, 2)


def opened_in_a_used_slot(tale: Tale) -> None:
    """A segment is opened over one that was not emptied."""
    act(tale, "Open", 3, 0)


def numbered_twice(tale: Tale) -> None:
    """A number is given again."""
    act(tale, "Open", 2, 2)


def two_wait(tale: Tale) -> None:
    """A second segment is opened before the first was switched to."""
    act(tale, "Open", 3, 2)
    act(tale, "Open", 4, 3)


def pruned_while_open(tale: Tale) -> None:
    """What is written into is emptied."""
    pruned(tale, 2, 1, 1)


def pruned_while_sealed(tale: Tale) -> None:
    """What somebody may still write into is emptied."""
    opened(tale, 3, 2)
    act(tale, "Seal", 2, 1)
    pruned(tale, 2, 1, 2)


def pruned_twice(tale: Tale) -> None:
    """What is vacant is emptied."""
    pruned(tale, 1, 0, 1)
    pruned(tale, 1, 0, 1)


def pruned_by_another_number(tale: Tale) -> None:
    """What is emptied is younger than what was judged."""
    pruned(tale, 7, 0, 1)


def carried_to_what_is_closed(tale: Tale) -> None:
    """What lives is carried to a segment that was closed meanwhile."""
    rotated(tale, 3, 2, 1)
    pruned(tale, 1, 0, 1)


def carried_to_what_never_was_open(tale: Tale) -> None:
    """What lives is carried to a slot that is vacant."""
    pruned(tale, 1, 0, 3)


LIES: dict[str, tuple[Callable[[Tale], None], str]] = {
    "closed while open": (closed_while_open, r'Is\(s, "sealed"\)'),
    "sealed while open": (sealed_while_open, r"Number\(s\) < open.number"),
    "closed before sealed": (closed_before_sealed, r'Is\(s, "sealed"\)'),
    "switched back": (switched_back, r"Number\(s\) > open.number"),
    "switched to nothing": (switched_to_what_is_not_there, r"Number\(s\) > open.number"),
    "opened in a used slot": (opened_in_a_used_slot, r"s \\in Vacant"),
    "numbered twice": (numbered_twice, r'leaves segment\[3\]\["number"\] = 2'),
    "two wait": (two_wait, r"~IsWaiting"),
    "pruned while open": (pruned_while_open, r"""Is\(n.slot, "closed"\)"""),
    "pruned while sealed": (pruned_while_sealed, r"""Is\(n.slot, "closed"\)"""),
    "pruned twice": (pruned_twice, r"""Is\(n.slot, "closed"\)"""),
    "pruned by another number": (pruned_by_another_number, r'leaves prune\["l1"\]\["what"\]'),
    "carried to the closed": (carried_to_what_is_closed, r"Choosers\(s\) = \{\}"),
    "carried to nothing": (carried_to_what_never_was_open, r'"here"\]\["slot"\] = 4'),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused_where_it_is_told(lie: str) -> None:
    tale = Tale()
    rotated(tale, 2, 1, 0)
    tell, reason = LIES[lie]
    tell(tale)
    finding = judged(tale).findings[0]
    assert finding.model == "Segments"
    # What a prune is about to write into must not be closed: the close is what is refused.
    place = -1 if lie != "carried to the closed" else -3
    assert finding.event == tale.events[place], str(finding)
    assert re.search(reason, finding.reason), finding.reason


# --- Where the story is cut --------------------------------------------------------------------


def test_a_long_story_is_cut_and_goes_on() -> None:
    tale = two_slots_in_turn(60)
    report = judged(tale)
    assert report.is_legal, str(report)
    assert report.lives["Segments"] > 5
    # What repeats itself is of one shape, whatever the numbers.
    assert report.shapes["Segments"] < 5
    act(tale, "Close", 61, 0)
    assert judged(tale).findings[0].event == tale.events[-1]


def test_what_began_before_the_trace_is_taken_for_right_and_counted() -> None:
    tale = Tale()
    act(tale, "Close", 7, 2)
    rotated(tale, 9, 0, 1)
    pruned(tale, 7, 2, 0)
    report = judged(tale)
    assert report.is_legal, str(report)
    assert report.outside["Segments"] == 2
    pruned(tale, 7, 2, 0)
    assert not judged(tale).is_legal


def test_a_trace_that_only_prunes_is_legal() -> None:
    tale = Tale()
    pruned(tale, 3, 0, 4)
    pruned(tale, 2, 1, 5)
    report = judged(tale)
    assert report.is_legal, str(report)
