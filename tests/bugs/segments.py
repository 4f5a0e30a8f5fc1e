"""Bugs in who writes where, and in what a prune carries.

Owns: these bugs, each with the test that misses the good text.
Keeps: a bug is a piece of a verb's own text, put differently.
Above: catalogue. Below: tests.bugs.kinds, the tests of the store.
"""

from tests.bugs.kinds import Sown
from tests.store import (
    test_carry,
    test_fresh_partition,
    test_holes_rotation,
    test_segments,
)

SEGMENTS: dict[str, Sown] = {
    "a producer does not look again under its lock": Sown(
        "writable_segment",
        "exit when open_segment() = present;",
        "exit;",
        test_segments.test_a_producer_that_was_stopped_before_its_lock_looks_again,
    ),
    "a segment is closed under its writer": Sown(
        "rotate",
        "and pg_try_advisory_xact_lock('segment'::regclass::oid::int, s.segment) order by",
        "order by",
        test_segments.test_a_producer_in_flight_keeps_its_segment_from_being_closed,
        ("read committed",),
    ),
    "fresh partitions are unknown": Sown(
        "open_segment",
        "learned := pg_relation_is_updatable('open_segment'::regclass, false);",
        "",
        test_fresh_partition.test_a_late_job_in_fresh_partitions_is_no_hole,
    ),
    "a claim in fresh partitions is overlooked": Sown(
        "open_claims",
        "perform open_segment();",
        "",
        test_fresh_partition.test_a_rescue_knows_a_claim_in_fresh_partitions,
    ),
    "backlog is truncated": Sown(
        "backlog_in",
        "for q in select k.queue from queue k loop",
        "for q in select k.queue from queue k where false loop",
        test_segments.test_old_backlog_holds_back_its_own_segment_only,
    ),
    "late backlog is truncated": Sown(
        "backlog_in",
        "and p.page = any(c.pages))",
        "and false)",
        test_segments.test_a_late_job_in_a_hole_holds_its_segment_back,
    ),
    "a straggler is truncated": Sown(
        "running_in",
        "coalesce(array_agg(distinct e.seq) filter (where e.seq is not null), '{}')",
        "'{}'::bigint[]",
        test_carry.test_a_straggler_is_carried_with_its_names,
    ),
    "what had ended opens again": Sown(
        "carry",
        "from part p where p.segment = carry.segment",
        "from part p where false and p.segment = carry.segment",
        test_carry.test_what_had_ended_before_the_prune_stays_ended,
    ),
    "a cursor is truncated": Sown(
        "carry",
        "live.claims := live.claims || c.claim;",
        "",
        test_carry.test_the_newest_claim_of_an_idle_queue_survives,
        (1,),
    ),
    "a page is truncated": Sown(
        "carry",
        "from hole h where h.segment = carry.segment",
        "from hole h where false and h.segment = carry.segment",
        test_carry.test_a_hole_whose_writer_is_at_work_survives,
    ),
    "a deferred job is truncated": Sown(
        "carry",
        "from deferred d where d.segment = carry.segment",
        "from deferred d where false and d.segment = carry.segment",
        test_carry.test_deferred_jobs_are_carried_until_they_are_due,
    ),
    "what came since is left behind": Sown(
        "read_lane",
        "e.seq < lane_base(t.lane + 1))",
        "e.seq <= t.upto)",
        test_holes_rotation.test_what_comes_after_a_claim_has_read_how_far_the_lane_goes_is_not_left_behind,
    ),
    "a lane leaves a slot, whatever segment it is": Sown(
        "after_closed",
        "where s.number >= after_closed.number order by s.number limit 1",
        "where s.segment = after_closed.segment",
        test_holes_rotation.test_a_slot_that_is_a_younger_segments_by_now_moves_no_lane_past_an_older_one,
    ),
    "two rotate at once": Sown(
        "rotate",
        "not pg_try_advisory_xact_lock('segment'::regclass::oid::int, -1)",
        "false",
        test_segments.test_nobody_else_rotates_while_a_rotation_goes_by_what_it_read,
    ),
    "a slot is emptied, whatever segment it is": Sown(
        "truncate_segment",
        "s.segment = g.segment and s.number = g.number and s.closed_at is not null",
        "true",
        test_carry.test_a_prune_that_was_stopped_takes_no_segment_that_is_in_use_again,
    ),
    "a cursor is looked for with a snapshot from before the wait": Sown(
        "promote",
        "lock table claim in access share mode;",
        "",
        test_carry.test_a_sweep_that_met_a_prune_goes_through,
        ("promote",),
        hidden="the sweep fails, and tells nothing",
    ),
}
