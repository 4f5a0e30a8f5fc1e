"""Holes, at random: several producers end in every way, and what was committed is given out once.

Owns: a state machine of producers, workers and a leader on one queue, and its model.
Keeps: claimed once if committed, never if rolled back; first come, first claimed; at rest, no lane
    is ahead of its cursor and no page is left.
Above: nobody. Below: tests.store.arena.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tests import postgres
from tests.rig import Worker
from tests.store.arena import FOUND, PRODUCERS, Arena, Machine, arena, profile, try_out

KNOWN, ODD = "k", "odd"
PREPARED_MAX = 4
"""The server takes ten, and tests beside this one have theirs."""


@dataclass(slots=True)
class Job:
    """A job as the model has it: where it stands in its lane, and what became of it."""

    number: int
    order: int
    priority: int
    kind: str
    state: str = "pending"


@dataclass(slots=True)
class Producer:
    """A producer's transaction: a list of jobs for each savepoint."""

    frames: list[list[Job]] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return bool(self.frames)

    def jobs(self) -> list[Job]:
        return [job for frame in self.frames for job in frame]


class Holes(Machine):
    """Producers, two workers of which one knows all kinds, and a leader."""

    def __init__(self, room: Arena) -> None:
        super().__init__(room)
        self.jobs: dict[int, Job] = {}
        self.tx = [Producer() for _ in range(PRODUCERS)]
        self.prepared: dict[str, list[Job]] = {}
        self.workers: list[Worker] = []
        self.queue = ""

    @initialize()
    def begin_example(self) -> None:
        self.act(self._begin_example())

    async def _begin_example(self) -> None:
        self.queue = await self.room.fresh_queue()
        for kinds in ((KNOWN,), (KNOWN, ODD)):
            self.workers.append(await self.room.rig.worker(self.queue, kinds=kinds))

    # --- Producers ---

    @rule(p=st.integers(0, PRODUCERS - 1))
    def begin(self, p: int) -> None:
        if not self.tx[p].is_open:
            self.act(self.room.producers[p].execute("begin"))
            self.tx[p].frames = [[]]

    @rule(
        p=st.integers(0, PRODUCERS - 1),
        priority=st.integers(1, 2),
        n=st.integers(1, 3),
        kind=st.sampled_from([KNOWN, KNOWN, KNOWN, ODD]),
    )
    def enqueue(self, p: int, priority: int, n: int, kind: str) -> None:
        how = {"conn": self.room.producers[p], "queue": self.queue, "kind": kind}
        for number in self.act(self.room.rig.enqueue(n, priority=priority, **how)):
            job = Job(number, len(self.jobs), priority, kind)
            self.jobs[number] = job
            if self.tx[p].is_open:
                self.tx[p].frames[-1].append(job)
            else:
                job.state = "available"

    @rule(p=st.integers(0, PRODUCERS - 1), n=st.integers(1, 4), priority=st.integers(1, 2))
    def have_holes(self, p: int, n: int, priority: int) -> None:
        """What chance brings about rarely: numbers are drawn, and a claim goes past them."""
        self.begin(p)
        self.enqueue(p, priority, n, KNOWN)
        if not self.tx[(p + 1) % PRODUCERS].is_open:
            self.enqueue((p + 1) % PRODUCERS, priority, 2, KNOWN)
        self.step(0, 20, False, False)

    @rule(p=st.integers(0, PRODUCERS - 1))
    def savepoint(self, p: int) -> None:
        if 0 < len(self.tx[p].frames) < 3:
            self.act(self.room.producers[p].execute(f"savepoint s{len(self.tx[p].frames)}"))
            self.tx[p].frames.append([])

    @rule(p=st.integers(0, PRODUCERS - 1))
    def rollback_to(self, p: int) -> None:
        if len(self.tx[p].frames) > 1:
            self.act(self.room.producers[p].execute(f"rollback to s{len(self.tx[p].frames) - 1}"))
            # The savepoint stands; what came after it is gone.
            for job in self.tx[p].frames[-1]:
                job.state = "gone"
            self.tx[p].frames[-1] = []

    @rule(p=st.integers(0, PRODUCERS - 1), how=st.sampled_from(["commit", "rollback"]))
    def end(self, p: int, how: str) -> None:
        if self.tx[p].is_open:
            self.act(self.room.producers[p].execute(how))
            self._settle(self.tx[p].jobs(), how)
            self.tx[p].frames = []

    @rule(p=st.integers(0, PRODUCERS - 1))
    def prepare(self, p: int) -> None:
        if self.tx[p].is_open and self.tx[p].jobs() and len(self.prepared) < PREPARED_MAX:
            gid = f"{self.queue}_{len(self.jobs)}_{p}"
            self.act(self.room.producers[p].execute(f"prepare transaction '{gid}'"))
            self.prepared[gid] = self.tx[p].jobs()
            self.tx[p].frames = []

    @rule(n=st.integers(0, 2), how=st.sampled_from(["commit", "rollback"]))
    def end_prepared(self, n: int, how: str) -> None:
        if self.prepared:
            gid = sorted(self.prepared)[n % len(self.prepared)]
            self.act(self.room.rig.conn.execute(f"{how} prepared '{gid}'"))
            self._settle(self.prepared.pop(gid), how)

    def _settle(self, jobs: list[Job], how: str) -> None:
        for job in jobs:
            job.state = "available" if how == "commit" else "gone"

    @rule(priority=st.integers(1, 2))
    def skip_a_number(self, priority: int) -> None:
        sql = (
            "select nextval(l.sequence) from awa.lane l join awa.queue q on q.queue = l.queue "
            "where q.name = $1 and l.priority = $2 and not l.returning_jobs and l.kind is null"
        )
        self.act(self.room.rig.conn.execute(sql, self.queue, priority))

    # --- Who takes ---

    @rule(
        w=st.integers(0, 1),
        room=st.sampled_from([1, 1, 2, 3, 20]),
        settles=st.booleans(),
        ends=st.booleans(),
    )
    def step(self, w: int, room: int, settles: bool, ends: bool) -> None:
        self.act(self._step(w, room, settles, ends))

    async def _step(self, w: int, room: int, settles: bool, ends: bool) -> list[int]:
        worker = self.workers[w]
        batch = [worker.finish(seq) for seq in worker.claim_by_seq] if ends else []
        kinds = (KNOWN, ODD) if w else (KNOWN,)
        answer = await worker.step(batch, room=room, kinds=kinds, settles=settles)
        assert not answer.stale and not answer.is_lost and not answer.behind
        if ends:
            for finish in batch:
                del worker.claim_by_seq[finish.seq]
            self._mark_ended(w)
        given = [row["id"] for row in answer.rows]
        assert len(given) <= room
        self._judge(given, w)
        return given

    def _mark_ended(self, w: int) -> None:
        for job in self.jobs.values():
            if job.state == f"running {w}":
                job.state = "completed"

    def _judge(self, given: list[int], w: int) -> None:
        waiting = [job for job in self.jobs.values() if job.state == "available"]
        assert len(set(given)) == len(given), "an entry twice in one claim"
        for number in given:
            job = self.jobs[number]
            assert job.state == "available", f"{job} was given out"
            job.state = f"running {w}"
        taken = [self.jobs[number] for number in given if self.jobs[number].kind == KNOWN]
        for job in waiting:
            # First come, first claimed, among what was committed before this claim began.
            ahead = [one for one in taken if (one.priority, one.kind) == (job.priority, job.kind)]
            late = [one for one in ahead if one.order > job.order]
            assert job.state != "available" or not late, f"{late} went before {job}"

    @rule(n=st.integers(0, 20))
    def cancel(self, n: int) -> None:
        waiting = [job for job in self.jobs.values() if job.state == "available"]
        if waiting:
            job = waiting[n % len(waiting)]
            assert self.act(self.room.rig.operator.cancel(job.number))
            job.state = "cancelled"

    @rule(steps=st.sampled_from([1, 2, 3, 3]))
    def rotate(self, steps: int) -> None:
        leader = self.room.leader
        for age_s, size in [(0.0, 1), (1e9, 2**60), (1e9, 2**60)][:steps]:
            self.act(leader.store.rotate(leader.epoch, age_s, size))

    @rule()
    def prune(self) -> None:
        self.act(self.room.leader.prune(wait_ms=1))

    # --- What always holds, and the end ---

    @invariant()
    def the_view_shows_each_job_once_and_as_it_is(self) -> None:
        if self.jobs:
            self.act(self._view_is_right())

    async def _view_is_right(self) -> None:
        sql = "select id, state from awa.jobs where id = any($1::bigint[])"
        rows = await self.room.rig.conn.fetch(sql, list(self.jobs))
        shown = {row["id"]: row["state"] for row in rows}
        assert len(shown) == len(rows), "a job is shown twice"
        for number, job in self.jobs.items():
            state = job.state.split()[0]
            expected: set[Any] = {None if state in ("pending", "gone") else state}
            if state == "completed":
                expected.add(None)
            assert shown.get(number) in expected, f"{job} is shown as {shown.get(number)}"

    async def come_to_rest(self) -> None:
        """End every transaction, and look until nothing is found any more."""
        for p, tx in enumerate(self.tx):
            if tx.is_open:
                await self.room.producers[p].execute("commit")
                self._settle(tx.jobs(), "commit")
                tx.frames = []
        for gid, jobs in self.prepared.items():
            await self.room.rig.conn.execute(f"commit prepared '{gid}'")
            self._settle(jobs, "commit")
        self.prepared = {}
        for room in (1, 2, 20, 20, 20, 20, 20, 20):
            await self._step(1, room, settles=True, ends=True)
        for w in (0, 1):
            while await self._step(w, 20, settles=True, ends=True):
                pass
        left = [job for job in self.jobs.values() if job.state == "available"]
        assert not left, f"never given out: {left}"
        await self._view_is_right()
        await self._is_at_rest()

    async def _is_at_rest(self) -> None:
        assert await self.room.rig.pages(self.queue) == []
        status = await self.room.rig.operator.storage_status()
        lanes = [lane for lane in status["lanes"] if lane["queue"] == self.queue]
        assert [lane for lane in lanes if lane["cursor"] != lane["last"]] == []
        await self.room.leader.rotate()
        await self.room.leader.prune_all()
        sql = "select count(*) from awa.entry where id = any($1::bigint[])"
        assert await self.room.rig.conn.fetchval(sql, list(self.jobs)) == 0
        assert await self._step(1, 20, settles=True, ends=True) == []

    async def leave(self) -> None:
        """Clear the arena for the next example."""
        await self.room.clear(*self.workers)


def test_what_was_committed_is_given_out_once(server: postgres.Server) -> None:
    with arena(server) as room:
        try_out(lambda: Holes(room), profile(examples=40, steps=40))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("nth", range(25))
def test_what_was_committed_is_given_out_once_for_long(server: postgres.Server, nth: int) -> None:
    """In many rooms: one that has seen hundreds of queues and segments is slow."""
    with arena(server) as room:
        try_out(lambda: Holes(room), profile(examples=40, steps=80))


SOWN = {
    "nobody is known to fill a hole": (
        "fillers",
        "l.mode = 'RowExclusiveLock'",
        "false",
    ),
    "late ones without room are forgotten": (
        "examine",
        "if not isempty(r.beyond) then",
        "if false then",
    ),
    "an end is not settled": ("settle", "turns[i].hi := turns[i].upto;", ""),
}


@pytest.mark.parametrize("bug", SOWN)
def test_a_sown_bug_is_found(server: postgres.Server, bug: str) -> None:
    with arena(server, is_sown=True) as room:
        room.run(room.rig.sow(*SOWN[bug]))
        with pytest.raises(FOUND):
            try_out(lambda: Holes(room), profile(examples=60, steps=40, is_sure=True))
