"""Bugs in the judges: what is wrong goes through, and nobody is told.

Owns: these bugs, each with the test of the lab that misses the good text.
Keeps: a bug is a piece of a module's own text, put differently.
Above: catalogue. Below: tests.bugs.kinds.
"""

from tests.bugs.kinds import Patch

LIES = "lab/test_check.py::test_a_lie_is_refused_where_it_is_told"
LAB: dict[str, Patch] = {
    "what a step is said to leave is not looked at": Patch(
        "lab/monitor.py",
        "fitting = [one for one in found if not self._unlike(one, step.after)]",
        "fitting = list(found)",
        LIES,
    ),
    "facts are not asked of a step": Patch(
        "lab/monitor.py",
        "if failed is None:\n                sound.append(state)",
        "sound.append(state)",
        "spec/test_judge.py::test_the_monitor_says_the_same",
    ),
    "a second enqueue begins a new life": Patch(
        "lab/projections/queue.py",
        "job = p.jobs.setdefault(number, begun)",
        "job = p.jobs[number] = begun",
        LIES,
    ),
    "who was lost is not told to whom it matters": Patch(
        "lab/projections/queue.py",
        'p.lost.setdefault(event.input["worker"], event)',
        "return",
        LIES,
    ),
    "a number may be given twice": Patch(
        "lab/order.py",
        "if last is not None and position == at:",
        "if False:",
        "lab/test_order.py::test_the_order_is_what_the_database_decided",
    ),
    "what was cut off is read": Patch(
        "lab/trace.py",
        "if said is None:",
        "if said is None and not events:",
        "lab/test_trace_file.py::test_a_file_that_was_cut_between_lines_is_refused",
    ),
    "a finding is told with all that came before it": Patch(
        "lab/shrink.py",
        "if (found.step, found.reason) == (len(fewer) - 1, wanted.reason):",
        "if False:",
        "lab/test_check.py::test_what_a_refusal_does_not_need_is_left_out_of_it",
    ),
}
