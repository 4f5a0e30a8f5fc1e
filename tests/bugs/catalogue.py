"""The catalogue of bugs, with their names.

Owns: which bugs there are.
Keeps: a name is one bug's.
Above: the tests of this folder, `python -m tests.bugs`. Below: the bugs, by their places.
"""

from tests.bugs.claims import CLAIMS
from tests.bugs.fence import FENCE
from tests.bugs.holes import HOLES
from tests.bugs.kinds import Patch, Sown
from tests.bugs.lab import LAB
from tests.bugs.opened import OPEN
from tests.bugs.runtime import BESIDE, CONVERSATION, STOPPING, WAKING
from tests.bugs.segments import SEGMENTS
from tests.bugs.told import TOLD

__all__ = ["PYTHON", "SQL", "TOLD"]

SQL: dict[str, Sown] = HOLES | FENCE | CLAIMS | SEGMENTS
PYTHON: dict[str, Patch] = CONVERSATION | STOPPING | WAKING | BESIDE | LAB | OPEN
