"""What the judges say of true traces in which a machine has put one event differently.

Owns: that each mutant is refused, or legal for a reason that is known.
Keeps: what is counted in the table is what is found here.
Above: nobody. Below: tales, awa.lab.
"""

from collections import Counter

import pytest

from awa.lab.judge import judge
from awa.lab.monitor import Monitor
from tests.bugs.tales import ANOTHER, TRUE_AS_WELL, WAYS, WHY_LEGAL, Reader, mutants, stored

SAMPLE = ("a run lease is one off", "another verb")


@pytest.mark.tlc
@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=[] if way in SAMPLE else pytest.mark.slow) for way in WAYS]
)
def test_a_mutant_is_refused_or_legal_for_a_reason(way: str) -> None:
    monitor, verdicts, others = Monitor(), Counter[str](), []
    for name, trace in stored().items():
        reader = Reader(trace, monitor)
        for number, mutant in mutants(trace, way):
            verdict = reader.verdict(number, mutant)
            verdicts[verdict] += 1
            if verdict == ANOTHER:
                key = (way, reader.event(number).act)
                assert key in TRUE_AS_WELL, f"{name}, event {number}: legal, and nobody says why"
        others += reader.others
    assert sum(count for verdict, count in verdicts.items() if verdict not in WHY_LEGAL)
    assert all(verdict.accepted for verdict in judge(list(dict.fromkeys(others))))
