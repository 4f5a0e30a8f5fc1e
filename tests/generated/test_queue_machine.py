"""Queue.tla at random: its actions are the rules, and it says of each what must come of it.

Owns: which action comes next and with what, and the bugs that must be found.
Keeps: every action is asked for where it is allowed and, as far as a caller can, where it is not:
    a finish by anybody of anything, a cancel and a redrive of any job, all that the lost ask for.
    Enqueue alone is never refused: ids are drawn. What chance brings about rarely is seen to
    first: for a snooze, that something runs.
Above: nobody. Below: queue_deeds; tests.store.arena.
"""

import pytest
from hypothesis import strategies as st
from hypothesis.errors import FlakyFailure
from hypothesis.stateful import initialize, precondition, rule

from tests import postgres
from tests.generated.lives import JOBS, model
from tests.generated.queue_deeds import ACTION_BY_VERDICT, KNOWN, ODD, Actor, Deeds
from tests.store.arena import FOUND, arena, profile, try_out

SOME_KIND = st.sampled_from([KNOWN, KNOWN, KNOWN, ODD])
ANY = st.integers(0, 59)
RARELY = st.sampled_from([False, False, False, True])
SOME = st.sampled_from([1, 2, 1000])


class Lives(Deeds):
    """What happens, by chance."""

    @initialize(
        attempts_max=st.sampled_from([2, 2, 7]), kinds=st.lists(SOME_KIND, min_size=1, max_size=3)
    )
    def begin_example(self, attempts_max: int, kinds: list[str]) -> None:
        self.attempts_max = attempts_max
        self.model = model(attempts_max)
        (self.state,) = self.model.initial()
        self.act(self._begin_example())
        for kind in kinds:
            self.act(self._enqueue("main", kind))

    @rule(
        place=st.sampled_from(["main", "main", "main", "intake", "deferred"]),
        kind=SOME_KIND,
    )
    def enqueue(self, place: str, kind: str) -> None:
        self.act(self._enqueue(place, kind))

    @precondition(lambda self: any(one["lane"] == "intake" for one in self.var("entries")))
    @rule(n=SOME)
    def sort(self, n: int) -> None:
        self.act(self._sort(n))

    @rule(w=ANY, room=st.integers(1, 3), is_ghost=RARELY, has_deadline=st.booleans())
    def claim(self, w: int, room: int, is_ghost: bool, has_deadline: bool) -> None:
        self.act(self._claim(self._actor(w, is_ghost), room, has_deadline))

    @rule(w=ANY, e=ANY, verdict=st.sampled_from([None, None, *ACTION_BY_VERDICT]))
    def finish(self, w: int, e: int, verdict: str | None) -> None:
        """Anybody ends anything: the holder, a ghost, a stranger; open, over, never claimed."""
        self.act(self._finish(self._actor(w, True), self.entry(e), verdict))

    @rule(n=ANY)
    def complete(self, n: int) -> None:
        self.own(n)

    @rule(n=ANY)
    def retry(self, n: int) -> None:
        self.own(n, "retry")

    @rule(n=ANY)
    def snooze(self, n: int) -> None:
        self.own(n, "snooze")

    @rule(n=ANY)
    def fail(self, n: int) -> None:
        self.own(n, "fail")

    @rule(n=ANY)
    def release(self, n: int) -> None:
        self.own(n, "release")

    @rule(n=ANY)
    def cancel_own(self, n: int) -> None:
        self.own(n, "cancel")

    def own(self, n: int, verdict: str | None = None) -> None:
        """A worker ends what it thinks it runs."""
        if some := self.running(n):
            actor, entry = some[n % len(some)]
            self.act(self._finish(actor, entry, verdict))

    def running(self, n: int) -> list[tuple[Actor, int]]:
        """Return who thinks it runs what; that something runs is seen to, or it were rare."""
        if not self.runs():
            self.act(self._claim(self.alive[n % 2], 2))
        if not self.runs():
            self.act(self._enqueue("main", KNOWN))
            self.act(self._claim(self.alive[n % 2], 1))
        return self.runs()

    @rule(n=ANY)
    def cancel(self, n: int) -> None:
        self.act(self._cancel(JOBS[n % len(self.ids)]))

    @rule(w=st.integers(-1, 1), n=SOME | st.just(0))
    def sweep(self, w: int, n: int) -> None:
        self.running(n)
        self.act(self._sweep(w, n))

    @rule()
    def expire(self) -> None:
        if self.running(0):
            self.act(self._expire())

    @rule(n=SOME)
    def promote(self, n: int) -> None:
        if not self.var("deferred"):
            self.own(n, "snooze")
        self.act(self._promote(n))

    @precondition(lambda self: len(self.actors) < 6)
    @rule(times=st.sampled_from([2, 5]))
    def die(self, times: int) -> None:
        """What chance brings about rarely: worker after worker dies over the same jobs."""
        self.act(self._die(times))

    @rule(n=ANY, is_vain=RARELY)
    def redrive(self, n: int, is_vain: bool) -> None:
        if not self.held():
            self.own(n, "fail")
        some = list(self.ids) if is_vain or not self.held() else self.held()
        self.act(self._redrive(some[n % len(some)]))

    @rule(n=SOME, is_vain=RARELY)
    def discard(self, n: int, is_vain: bool) -> None:
        if not self.held() and not is_vain:
            self.own(n, "fail")
        self.act(self._discard(n))


@pytest.mark.timeout(300)
def test_what_the_model_says_is_what_happens(server: postgres.Server) -> None:
    with arena(server) as room:
        try_out(lambda: Lives(room), profile(examples=80, steps=25))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("nth", range(10))
def test_what_the_model_says_is_what_happens_for_long(server: postgres.Server, nth: int) -> None:
    with arena(server) as room:
        try_out(lambda: Lives(room), profile(examples=100, steps=50))


SOWN = {
    "a stranger ends it": ("append_part", "worker <> c.worker or ", ""),
    "the run lease stays": (
        "end_attempt",
        "(b.past ->> 'lease')::int, 0) + 1",
        "(b.past ->> 'lease')::int, 0)",
    ),
    "a rescue gives attempts without end": (
        "rescue_entry",
        "quarantined or attempt >=",
        "quarantined or attempt >",
    ),
    "nobody is quarantined": ("rescue_entry", "deaths >= 5", "deaths >= 6"),
    "what is completed is cancelled": (
        "cancel_entry",
        "if not exists (\n  select from end_open(",
        "if false and not exists (\n  select from end_open(",
    ),
    "the lost are given something": ("step", "if alive is not true then", "if false then"),
    "a snooze costs an attempt": (
        "snooze",
        "(b.past ->> 'attempt')::int - 1",
        "(b.past ->> 'attempt')::int",
    ),
    "a redrive forgets the lease": (
        "redrive",
        '{"attempt": 0, "deaths": 0}',
        '{"attempt": 0, "lease": 0, "deaths": 0}',
    ),
    "what is moved aside is moved again": (
        "divert",
        "e.returning_jobs, e.kind)",
        "e.returning_jobs, null)",
    ),
}


@pytest.mark.parametrize("bug", SOWN)
def test_a_sown_bug_is_found(server: postgres.Server, bug: str) -> None:
    with arena(server, is_sown=True) as room:
        room.run(room.rig.sow(*SOWN[bug]))
        with pytest.raises((*FOUND, FlakyFailure)):
            try_out(lambda: Lives(room), profile(examples=60, steps=20, is_sure=True))
