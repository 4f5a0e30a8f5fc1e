"""Guards: each one that is taken away is missed by a test, or that test tests nothing.

Owns: a catalogue of sown bugs in the SQL, and which test kills each.
Keeps: a bug is a piece of a verb's own text, put differently in the test's database.
Above: nobody. Below: the tests of the store, tests.store.arena.
"""

from collections.abc import Awaitable, Callable

import pytest

from tests.rig import Rig
from tests.store import (
    test_cancel,
    test_carry,
    test_claim,
    test_finish,
    test_fresh_partition,
    test_heartbeat,
    test_holes,
    test_holes_rotation,
    test_leader,
    test_rescue,
    test_segments,
)
from tests.store.arena import FOUND

Kill = Callable[[Rig], Awaitable[None]]
QUEUE_LOCK = "perform pg_advisory_xact_lock('queue'::regclass::oid::int, "

HOLES: dict[str, tuple[str, str, str, Kill]] = {
    "passed over and forgotten": (
        "look_again",
        "if isempty(seqs) then",
        "if true then",
        test_holes.test_who_commits_late_is_found_and_claimed_once,
    ),
    "nobody is known to fill a hole": (
        "fillers",
        "l.mode = 'RowExclusiveLock'",
        "false",
        test_holes.test_who_commits_late_is_found_and_claimed_once,
    ),
    "a page is never looked at again": (
        "look",
        "p.fillers <@ present",
        "true",
        test_holes.test_who_commits_late_is_found_and_claimed_once,
    ),
    "a page is looked at by every claim": (
        "look",
        "if room <= 0 or p.fillers <> '{}' and p.fillers <@ present then",
        "if room <= 0 then",
        test_holes.test_a_writer_that_stays_open_costs_no_look_and_no_row,
    ),
    "late ones without room are forgotten": (
        "examine",
        "if not isempty(r.beyond) then",
        "if false then",
        test_holes.test_late_ones_without_room_wait_for_the_next_claim,
    ),
    "late ones without room wait for strangers": (
        "examine",
        "left_over || 'unread'::text",
        "left_over",
        test_holes.test_late_ones_without_room_wait_for_no_stranger,
    ),
    "who holds now keeps a hole alive": (
        "examine",
        "array(select f from unnest(p.fillers) f where f = any(present))",
        "present",
        test_holes.test_who_came_after_a_hole_was_born_keeps_it_not_alive,
    ),
    "the last of the late go first": (
        "seen",
        "order by e.seq limit greatest(seen.room, 0)) f;",
        "order by e.seq desc limit greatest(seen.room, 0)) f;",
        test_holes.test_late_ones_of_one_page_come_one_by_one,
    ),
    "a late one is given out though cancelled": (
        "seen",
        "not f.over and f.kind = any",
        "f.kind = any",
        test_holes.test_a_late_job_that_was_cancelled_is_not_given_out,
    ),
    "an end is not settled": (
        "settle",
        "turns[i].hi := turns[i].upto;",
        "",
        test_holes.test_a_rollback_at_the_end_settles_after_a_look_in_vain,
    ),
    "pages stay behind": (
        "write_pages",
        "if n.segment <> c.segment and n.pages <> '{}' then",
        "if false then",
        test_holes_rotation.test_pages_follow_the_cursor_from_segment_to_segment,
    ),
}

FENCE: dict[str, tuple[str, str, str, Kill]] = {
    "what has ended ends again": (
        "append_part",
        "append_part.seqs * c.seqs - before",
        "append_part.seqs * c.seqs",
        lambda rig: test_finish.test_a_second_finish_is_stale_and_changes_nothing(rig, None),
    ),
    "what was never given out ends": (
        "append_part",
        "append_part.seqs * c.seqs",
        "append_part.seqs",
        test_finish.test_claims_and_entries_that_nobody_knows_are_stale,
    ),
    "a stranger ends it": (
        "append_part",
        "worker <> c.worker or ",
        "",
        lambda rig: test_finish.test_the_finish_of_a_stranger_is_stale_and_changes_nothing(
            rig, "fail"
        ),
    ),
    "a part forgets those before": (
        "append_part",
        ", before + append_part.ended, times",
        ", append_part.ended, times",
        test_finish.test_parts_are_cumulative_and_the_last_one_closes,
    ),
    "a stale verdict is carried out": (
        "finish",
        "where ended @> (e ->> 'seq')::bigint",
        "",
        test_finish.test_one_stale_entry_takes_no_other_with_it,
    ),
    "an old snapshot decides": (
        "refuse_snapshots",
        "not in ('read committed', 'read uncommitted')",
        "is null",
        lambda rig: test_finish.test_an_old_snapshot_is_refused(rig, "finish", "repeatable read"),
    ),
    "a cancel excludes no claim": (
        "cancel_entry",
        QUEUE_LOCK + "q);",
        "",
        lambda rig: test_cancel.test_a_cancel_waits_for_a_claim_that_is_under_way(rig, "commit"),
    ),
    "a claim gives out what was cancelled": (
        "read_lane",
        "not b.over and b.kind = any",
        "b.kind = any",
        lambda rig: test_cancel.test_a_waiting_job_is_cancelled_once_and_not_given_out(rig, 1),
    ),
}

CLAIMS: dict[str, tuple[str, str, str, Kill]] = {
    "claims do not exclude each other": (
        "claim",
        QUEUE_LOCK + "claim.queue);",
        "",
        test_holes.test_two_claims_at_once_share_the_late_ones_without_a_double,
    ),
    "a pause is passed over": (
        "claim",
        "if t.paused or ",
        "if ",
        test_claim.test_a_paused_queue_gives_nothing_and_loses_nothing,
    ),
    "a sequence behind its cursor is not noticed": (
        "claim",
        "if t.behind then",
        "if false then",
        test_claim.test_a_sequence_that_was_set_back_is_told_and_nothing_is_given,
    ),
    "the lost may claim": (
        "step",
        "if alive is not true then",
        "if false then",
        test_rescue.test_who_was_declared_lost_is_given_nothing,
    ),
    "a rescue and a claim meet": (
        "rescue",
        "continue when not pg_try_advisory_xact_lock('worker'::regclass::oid::int, w.worker);",
        "",
        test_rescue.test_a_rescue_passes_over_a_worker_whose_claim_is_at_work,
    ),
    "an outage kills everybody": (
        "watch",
        "case when greatest(since, pg_postmaster_start_time()) <= at - stale then at - stale end",
        "at - stale",
        test_rescue.test_after_an_outage_everybody_has_time_to_speak_again,
    ),
    "an outage inside a sweep kills everybody": (
        "rescue",
        "k.seen_at < stale_before)",
        "stale_before < clock() and k.seen_at < clock() - rescue.stale_s * interval '1 second')",
        test_rescue.test_what_passes_while_a_sweep_is_at_work_makes_nobody_stale,
    ),
    "who is ended at its deadline is lost meanwhile": (
        "expire",
        " or not pg_try_advisory_xact_lock_shared('worker'::regclass::oid::int, w)",
        "",
        test_rescue.test_who_is_lost_and_who_is_past_its_deadline_is_never_one,
    ),
    "the death of a lost worker is taken for a deadline": (
        "expire",
        "k.worker = w and k.lost_at is null",
        "k.worker = w",
        test_rescue.test_who_is_lost_and_who_is_past_its_deadline_is_never_one,
    ),
    "who has just spoken is lost": (
        "rescue",
        "(k.lost_at is not null or k.seen_at = w.seen_at)",
        "true",
        test_rescue.test_who_speaks_while_it_is_judged_stays,
    ),
    "the floor passes over a claim in flight": (
        "heartbeat",
        "if w.mark_transactions && present then",
        "if false then",
        lambda rig: test_heartbeat.test_a_claim_in_flight_holds_the_floor_down_and_is_found(rig, 5),
    ),
    "a heartbeat reads its row after the locks": (
        "heartbeat",
        "present := at_work(w.worker);",
        "present := at_work(w.worker); select * into w from worker k where k.worker = w.worker;",
        test_heartbeat.test_a_heartbeat_that_was_stopped_moves_the_floor_past_no_claim,
    ),
    "who asks does not wait": (
        "open_entries",
        "perform pg_advisory_xact_lock('worker'::regclass::oid::int, open_entries.worker);",
        "",
        lambda rig: test_heartbeat.test_who_asks_waits_for_a_step_that_is_still_at_work(
            rig, "commit"
        ),
    ),
    "a step begins after its worker has asked elsewhere": (
        "step",
        "if asked > step.connection then",
        "if false then",
        lambda rig: test_heartbeat.test_a_step_of_an_earlier_connection_does_not_begin_any_more(
            rig, "commit"
        ),
    ),
    "the deposed go on": (
        "as_leader",
        "if not exists (select from leader l where l.epoch = as_leader.epoch) then",
        "if false then",
        lambda rig: test_leader.test_who_was_deposed_is_refused(rig, "tally"),
    ),
    "an election goes by what it read before it waited": (
        "elect",
        "select * into l from leader;\nif l.seen_at between",
        "if l.seen_at between",
        lambda rig: test_leader.test_who_waited_for_an_election_deposes_nobody(rig, "commit"),
    ),
    "who commits late is never due": (
        "promote",
        "fillers(array['deferred_seq'::regclass]) = '{}'",
        "true",
        test_leader.test_who_commits_a_deferred_job_late_is_not_forgotten,
    ),
}

SEGMENTS: dict[str, tuple[str, str, str, Kill]] = {
    "a producer does not look again under its lock": (
        "writable_segment",
        "exit when open_segment() = present;",
        "exit;",
        test_segments.test_a_producer_that_was_stopped_before_its_lock_looks_again,
    ),
    "a segment is closed under its writer": (
        "rotate",
        "and pg_try_advisory_xact_lock('segment'::regclass::oid::int, s.segment) order by",
        "order by",
        lambda rig: test_segments.test_a_producer_in_flight_keeps_its_segment_from_being_closed(
            rig, "read committed"
        ),
    ),
    "fresh partitions are unknown": (
        "open_segment",
        "learned := pg_relation_is_updatable('open_segment'::regclass, false);",
        "",
        test_fresh_partition.test_a_late_job_in_fresh_partitions_is_no_hole,
    ),
    "a claim in fresh partitions is overlooked": (
        "open_claims",
        "perform open_segment();",
        "",
        test_fresh_partition.test_a_rescue_knows_a_claim_in_fresh_partitions,
    ),
    "backlog is truncated": (
        "backlog_in",
        "for q in select k.queue from queue k loop",
        "for q in select k.queue from queue k where false loop",
        test_segments.test_old_backlog_holds_back_its_own_segment_only,
    ),
    "late backlog is truncated": (
        "backlog_in",
        "and p.page = any(c.pages))",
        "and false)",
        test_segments.test_a_late_job_in_a_hole_holds_its_segment_back,
    ),
    "a straggler is truncated": (
        "running_in",
        "coalesce(array_agg(distinct e.seq) filter (where e.seq is not null), '{}')",
        "'{}'::bigint[]",
        test_carry.test_a_straggler_is_carried_with_its_names,
    ),
    "what had ended opens again": (
        "carry",
        "from part p where p.segment = carry.segment",
        "from part p where false and p.segment = carry.segment",
        test_carry.test_what_had_ended_before_the_prune_stays_ended,
    ),
    "a cursor is truncated": (
        "carry",
        "live.claims := live.claims || c.claim;",
        "",
        lambda rig: test_carry.test_the_newest_claim_of_an_idle_queue_survives(rig, 1),
    ),
    "a page is truncated": (
        "carry",
        "from hole h where h.segment = carry.segment",
        "from hole h where false and h.segment = carry.segment",
        test_carry.test_a_hole_whose_writer_is_at_work_survives,
    ),
    "a deferred job is truncated": (
        "carry",
        "from deferred d where d.segment = carry.segment",
        "from deferred d where false and d.segment = carry.segment",
        test_carry.test_deferred_jobs_are_carried_until_they_are_due,
    ),
    "what came since is left behind": (
        "read_lane",
        "e.seq < lane_base(t.lane + 1))",
        "e.seq <= t.upto)",
        test_holes_rotation.test_what_comes_after_a_claim_has_read_how_far_the_lane_goes_is_not_left_behind,
    ),
    "a lane leaves a slot, whatever segment it is": (
        "after_closed",
        "where s.number >= after_closed.number order by s.number limit 1",
        "where s.segment = after_closed.segment",
        test_holes_rotation.test_a_slot_that_is_a_younger_segments_by_now_moves_no_lane_past_an_older_one,
    ),
    "two rotate at once": (
        "rotate",
        "not pg_try_advisory_xact_lock('segment'::regclass::oid::int, -1)",
        "false",
        test_segments.test_nobody_else_rotates_while_a_rotation_goes_by_what_it_read,
    ),
    "a slot is emptied, whatever segment it is": (
        "truncate_segment",
        "s.segment = g.segment and s.number = g.number and s.closed_at is not null",
        "true",
        test_carry.test_a_prune_that_was_stopped_takes_no_segment_that_is_in_use_again,
    ),
    "a cursor is looked for with a snapshot from before the wait": (
        "promote",
        "lock table claim in access share mode;",
        "",
        lambda rig: test_carry.test_a_sweep_that_met_a_prune_goes_through(rig, "promote"),
    ),
}
ALL = HOLES | FENCE | CLAIMS | SEGMENTS


@pytest.mark.unjudged("a bug is sown")
@pytest.mark.parametrize("bug", ALL)
async def test_a_guard_that_is_taken_away_is_missed(rig: Rig, bug: str) -> None:
    verb, good, bad, kill = ALL[bug]
    await rig.sow(verb, good, bad)
    # What a test finds may be a set of one too many, or an error that did not come.
    with pytest.raises((*FOUND, ValueError, TypeError, pytest.fail.Exception)):
        await kill(rig)
