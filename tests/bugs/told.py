"""Bugs in what the verbs say of themselves: the rows are right, and the events are not.

Owns: these bugs, the story in which each shows, and what the audit says of it.
Keeps: no test and no model sees them: the audit alone reads the rows.
Above: catalogue, test_audit. Below: tests.bugs.kinds, tests.rig.
"""

from tests.bugs.kinds import Sown
from tests.rig import Rig

RETRY = """
  perform trace('Retry', 'entry:' || seq, null, 'worker:' || worker, jsonb_build_object('seq', seq),
    jsonb_build_object('seq', at), b.past);"""
WRITTEN, AS_MEANT = "insert into claim select n.*;", "n.hi[1] := n.hi[1] - 1;"
SILENT, TELLING = "if false then", "if tracing() then"
UNTOLD = "no event tells of it"


async def two_ends(rig: Rig) -> None:
    """Give out two jobs; one comes back, and the other fails."""
    worker = await rig.worker()
    await rig.enqueue(2)
    one, two = await worker.take()
    await worker.end(one, verdict="retry", delay_s=60)
    await worker.end(two, verdict="fail")


def told(verb: str, good: str, bad: str, said: str) -> Sown:
    """Return a bug that the audit finds, with what it says of it."""
    return Sown(verb, good, bad, two_ends, said=said)


TOLD: dict[str, Sown] = {
    "a retry is not told": told("retry", TELLING, SILENT, UNTOLD),
    "a claim is not told": told("claim", TELLING, SILENT, UNTOLD),
    "an enqueue is not told": told("enqueue", TELLING, SILENT, UNTOLD),
    "a finish is not told": told(
        "finish", f"{TELLING}\n  perform trace", f"{SILENT}\n  perform trace", UNTOLD
    ),
    "a retry is told twice": told("retry", RETRY, RETRY * 2, "has told it"),
    "another state is told": told("retry", "'retryable'", "'scheduled'", "state is scheduled"),
    "a past is told and forgotten": told(
        "defer", "b.options, b.past)", "b.options, '{}')", "past is {}"
    ),
    "another outcome is told": told(
        "mark_ending", "mark_ending.outcome", "'snoozed'", "outcome is snoozed"
    ),
    "another worker is told": told("mark_ending", "mark_ending.worker)", "77)", "by_worker is 77"),
    "a job is held by another name": told(
        "hold", "values (b.id", "values (77", "there is no such row"
    ),
    "a part says more than is told": told(
        "append_part",
        "append_part.ended, before + append_part.ended, times",
        "append_part.ended, c.seqs, times",
        "ended is",
    ),
    "a count is too high": told(
        "append_part", "clock(), count_of", "clock(), 1 + count_of", "completed is"
    ),
    "a cursor is beyond what is told": told(
        "claim", WRITTEN, f"n.hi[1] := n.hi[1] + 1; {WRITTEN} {AS_MEANT}", "hi is"
    ),
}
