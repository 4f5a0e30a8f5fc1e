"""Guards: each one that is taken away is missed by a test, or that test tests nothing.

Owns: that every bug in SQL of the catalogue is noticed.
Keeps: the named test is run as it is, in a database in which the bug is sown.
Above: nobody. Below: catalogue, tests.rig.
"""

import pytest

from tests.bugs.catalogue import SQL
from tests.bugs.verdicts import MISSED
from tests.rig import Rig


@pytest.mark.unjudged("a bug is sown")
@pytest.mark.parametrize("name", SQL)
async def test_a_guard_that_is_taken_away_is_missed(rig: Rig, name: str) -> None:
    bug = SQL[name]
    await rig.sow(bug.verb, bug.good, bug.bad)
    with pytest.raises(MISSED):
        await bug.test(rig, *bug.given)
