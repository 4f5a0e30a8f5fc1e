"""Bugs in how claims read: holes, pages, late ones, the ends of lanes.

Owns: these bugs, each with the test that misses the good text.
Keeps: a bug is a piece of a verb's own text, put differently.
Above: catalogue. Below: tests.bugs.kinds, the tests of the store.
"""

from tests.bugs.kinds import Sown
from tests.store import (
    test_holes,
    test_holes_rotation,
)

HOLES: dict[str, Sown] = {
    "passed over and forgotten": Sown(
        "look_again",
        "if isempty(seqs) then",
        "if true then",
        test_holes.test_who_commits_late_is_found_and_claimed_once,
    ),
    "nobody is known to fill a hole": Sown(
        "fillers",
        "l.mode = 'RowExclusiveLock'",
        "false",
        test_holes.test_who_commits_late_is_found_and_claimed_once,
        hidden="the test ends before the late one commits, and what has not committed is not told",
    ),
    "a page is never looked at again": Sown(
        "look",
        "p.fillers <@ present",
        "true",
        test_holes.test_who_commits_late_is_found_and_claimed_once,
        hidden="of the lock table an event tells only with a look, and there is none",
    ),
    "a page is looked at by every claim": Sown(
        "look",
        "if room <= 0 or p.fillers <> '{}' and p.fillers <@ present then",
        "if room <= 0 then",
        test_holes.test_a_writer_that_stays_open_costs_no_look_and_no_row,
    ),
    "late ones without room are forgotten": Sown(
        "examine",
        "if not isempty(r.beyond) then",
        "if false then",
        test_holes.test_late_ones_without_room_wait_for_the_next_claim,
    ),
    "late ones without room wait for strangers": Sown(
        "examine",
        "left_over || 'unread'::text",
        "left_over",
        test_holes.test_late_ones_without_room_wait_for_no_stranger,
    ),
    "who holds now keeps a hole alive": Sown(
        "examine",
        "array(select f from unnest(p.fillers) f where f = any(present))",
        "present",
        test_holes.test_who_came_after_a_hole_was_born_keeps_it_not_alive,
    ),
    "the last of the late go first": Sown(
        "seen",
        "order by e.seq limit greatest(seen.room, 0)) f;",
        "order by e.seq desc limit greatest(seen.room, 0)) f;",
        test_holes.test_late_ones_of_one_page_come_one_by_one,
    ),
    "a late one is given out though cancelled": Sown(
        "seen",
        "not f.over and f.kind = any",
        "f.kind = any",
        test_holes.test_a_late_job_that_was_cancelled_is_not_given_out,
    ),
    "an end is not settled": Sown(
        "settle",
        "turns[i].hi := turns[i].upto;",
        "",
        test_holes.test_a_rollback_at_the_end_settles_after_a_look_in_vain,
    ),
    "pages stay behind": Sown(
        "write_pages",
        "if n.segment <> c.segment and n.pages <> '{}' then",
        "if false then",
        test_holes_rotation.test_pages_follow_the_cursor_from_segment_to_segment,
        hidden="where a page lies is `Carry`'s; the rows that are missing are the audit's",
    ),
}
