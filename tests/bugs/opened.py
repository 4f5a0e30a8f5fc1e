"""Bugs that nothing catches so far: the tests of the runtime pass with them.

Owns: these bugs, each with the reason.
Keeps: whoever writes the test that misses one moves it to its place, and names the test there.
Above: catalogue. Below: tests.bugs.kinds.
"""

from tests.bugs.kinds import Patch

OPEN: dict[str, Patch] = {
    "who registers anew takes its sleep for announced": Patch(
        "runtime/dispatcher.py",
        "self._is_lost = False\n        self._forget_pace()",
        "self._is_lost = False",
        open="no test has a job come to a sleeper that registered anew, and polls rarely",
    ),
    "who is connected again takes its sleep for announced": Patch(
        "runtime/dispatcher.py",
        "for seq, claim in opened.items())\n        self._forget_pace()",
        "for seq, claim in opened.items())",
        open="no test has a job come to a sleeper that was cut off, and polls rarely",
    ),
    "who is elected again goes by how far it had promoted before": Patch(
        "runtime/maintenance.py",
        "self.epoch = epoch\n            self._promoted_to = None",
        "self.epoch = epoch",
        open="no test takes the lead away, and gives it back",
    ),
    "a rotation does not make the leader look at all that is deferred": Patch(
        "runtime/maintenance.py",
        'if done == "switched":',
        "if False:",
        open="it matters after a clock was put back only; the tests of the store move that clock, "
        "and call the verb themselves",
    ),
    "the end of the intake is never settled": Patch(
        "runtime/maintenance.py",
        "settles=self._intake_young > 1",
        "settles=False",
        open="nothing is lost: after a rollback the end of the intake is looked at for ever",
    ),
}
