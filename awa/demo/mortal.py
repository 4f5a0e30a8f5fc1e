"""Has a process of the demo end with the demo, whatever ends that.

Owns: the death signal, where the system has one.
Keeps: a stopped process ends too, which no pipe and no signal that can be handled would see to.
Above: worker and producer. Below: nothing.
"""

import ctypes
import signal
import sys

__all__ = ["die_with_parent"]

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask Linux for a SIGKILL when the process that started this one has ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
