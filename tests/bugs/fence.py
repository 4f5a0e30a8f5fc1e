"""Bugs in how an entry ends: the fence, the parts of a claim, cancels.

Owns: these bugs, each with the test that misses the good text.
Keeps: a bug is a piece of a verb's own text, put differently.
Above: catalogue. Below: tests.bugs.kinds, the tests of the store.
"""

from tests.bugs.kinds import QUEUE_LOCK, Sown
from tests.store import (
    test_cancel,
    test_finish,
)

FENCE: dict[str, Sown] = {
    "what has ended ends again": Sown(
        "append_part",
        "append_part.seqs * c.seqs - before",
        "append_part.seqs * c.seqs",
        test_finish.test_a_second_finish_is_stale_and_changes_nothing,
        (None,),
    ),
    "what was never given out ends": Sown(
        "append_part",
        "append_part.seqs * c.seqs",
        "append_part.seqs",
        test_finish.test_claims_and_entries_that_nobody_knows_are_stale,
        hidden="the finish fails where it writes the verdicts, and tells nothing",
    ),
    "a stranger ends it": Sown(
        "append_part",
        "worker <> c.worker or ",
        "",
        test_finish.test_the_finish_of_a_stranger_is_stale_and_changes_nothing,
        ("fail",),
    ),
    "a part forgets those before": Sown(
        "append_part",
        ", before + append_part.ended, times",
        ", append_part.ended, times",
        test_finish.test_parts_are_cumulative_and_the_last_one_closes,
        hidden="the row is wrong, and the event right; the test ends before a later part",
    ),
    "a stale verdict is carried out": Sown(
        "finish",
        "where ended @> (e ->> 'seq')::bigint",
        "",
        test_finish.test_one_stale_entry_takes_no_other_with_it,
    ),
    "an old snapshot decides": Sown(
        "refuse_snapshots",
        "not in ('read committed', 'read uncommitted')",
        "is null",
        test_finish.test_an_old_snapshot_is_refused,
        (
            "finish",
            "repeatable read",
        ),
    ),
    "a cancel excludes no claim": Sown(
        "cancel_entry",
        QUEUE_LOCK + "q);",
        "",
        test_cancel.test_a_cancel_waits_for_a_claim_that_is_under_way,
        ("commit",),
        hidden="the test ends before the claim has committed",
    ),
    "a claim gives out what was cancelled": Sown(
        "read_lane",
        "not b.over and b.kind = any",
        "b.kind = any",
        test_cancel.test_a_waiting_job_is_cancelled_once_and_not_given_out,
        (1,),
    ),
}
