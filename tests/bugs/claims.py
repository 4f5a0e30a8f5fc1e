"""Bugs in who may do what, and when: claims, rescues, heartbeats, the leader.

Owns: these bugs, each with the test that misses the good text.
Keeps: a bug is a piece of a verb's own text, put differently.
Above: catalogue. Below: tests.bugs.kinds, the tests of the store.
"""

from tests.bugs.kinds import QUEUE_LOCK, Sown
from tests.store import (
    test_claim,
    test_heartbeat,
    test_holes,
    test_leader,
    test_rescue,
)

CLAIMS: dict[str, Sown] = {
    "claims do not exclude each other": Sown(
        "claim",
        QUEUE_LOCK + "claim.queue);",
        "",
        test_holes.test_two_claims_at_once_share_the_late_ones_without_a_double,
        hidden="the key of the claims refuses the second one, which tells nothing",
    ),
    "a pause is passed over": Sown(
        "claim",
        "if t.paused or ",
        "if ",
        test_claim.test_a_paused_queue_gives_nothing_and_loses_nothing,
        hidden="no model speaks of pauses",
    ),
    "a sequence behind its cursor is not noticed": Sown(
        "claim",
        "if t.behind then",
        "if false then",
        test_claim.test_a_sequence_that_was_set_back_is_told_and_nothing_is_given,
        hidden="no model speaks of a restored copy",
    ),
    "the lost may claim": Sown(
        "step",
        "if alive is not true then",
        "if false then",
        test_rescue.test_who_was_declared_lost_is_given_nothing,
    ),
    "a rescue and a claim meet": Sown(
        "rescue",
        "continue when not pg_try_advisory_xact_lock('worker'::regclass::oid::int, w.worker);",
        "",
        test_rescue.test_a_rescue_passes_over_a_worker_whose_claim_is_at_work,
        hidden="the test ends before the claim has committed",
    ),
    "an outage kills everybody": Sown(
        "watch",
        "case when greatest(since, pg_postmaster_start_time()) <= at - stale then at - stale end",
        "at - stale",
        test_rescue.test_after_an_outage_everybody_has_time_to_speak_again,
    ),
    "an outage inside a sweep kills everybody": Sown(
        "rescue",
        "k.seen_at < stale_before)",
        "stale_before < clock() and k.seen_at < clock() - rescue.stale_s * interval '1 second')",
        test_rescue.test_what_passes_while_a_sweep_is_at_work_makes_nobody_stale,
        hidden="when somebody is lost is `Watch`'s, which judges no traces",
    ),
    "who is ended at its deadline is lost meanwhile": Sown(
        "expire",
        " or not pg_try_advisory_xact_lock_shared('worker'::regclass::oid::int, w)",
        "",
        test_rescue.test_who_is_lost_and_who_is_past_its_deadline_is_never_one,
        hidden="`Queue` does when the rescue commits before the test ends, which is a race",
    ),
    "the death of a lost worker is taken for a deadline": Sown(
        "expire",
        "k.worker = w and k.lost_at is null",
        "k.worker = w",
        test_rescue.test_who_is_lost_and_who_is_past_its_deadline_is_never_one,
    ),
    "who has just spoken is lost": Sown(
        "rescue",
        "(k.lost_at is not null or k.seen_at = w.seen_at)",
        "true",
        test_rescue.test_who_speaks_while_it_is_judged_stays,
        hidden="when somebody is lost is `Watch`'s, which judges no traces",
    ),
    "the floor passes over a claim in flight": Sown(
        "heartbeat",
        "if w.mark_transactions && present then",
        "if false then",
        test_heartbeat.test_a_claim_in_flight_holds_the_floor_down_and_is_found,
        (5,),
    ),
    "a heartbeat reads its row after the locks": Sown(
        "heartbeat",
        "present := at_work(w.worker);",
        "present := at_work(w.worker); select * into w from worker k where k.worker = w.worker;",
        test_heartbeat.test_a_heartbeat_that_was_stopped_moves_the_floor_past_no_claim,
    ),
    "who asks does not wait": Sown(
        "open_entries",
        "perform pg_advisory_xact_lock('worker'::regclass::oid::int, open_entries.worker);",
        "",
        test_heartbeat.test_who_asks_waits_for_a_step_that_is_still_at_work,
        ("commit",),
    ),
    "a step begins after its worker has asked elsewhere": Sown(
        "step",
        "if asked > step.connection then",
        "if false then",
        test_heartbeat.test_a_step_of_an_earlier_connection_does_not_begin_any_more,
        ("commit",),
    ),
    "the deposed go on": Sown(
        "as_leader",
        "if not exists (select from leader l where l.epoch = as_leader.epoch) then",
        "if false then",
        test_leader.test_who_was_deposed_is_refused,
        ("tally",),
    ),
    "an election goes by what it read before it waited": Sown(
        "elect",
        "select * into l from leader;\nif l.seen_at between",
        "if l.seen_at between",
        test_leader.test_who_waited_for_an_election_deposes_nobody,
        ("commit",),
    ),
    "who commits late is never due": Sown(
        "promote",
        "fillers(array['deferred_seq'::regclass]) = '{}'",
        "true",
        test_leader.test_who_commits_a_deferred_job_late_is_not_forgotten,
        hidden="that a deferred job stays so is legal for as long as you like",
    ),
}
