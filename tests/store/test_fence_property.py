"""The fence, at random: whoever ends an entry, in whatever order and overlap, it ends once.

Owns: a state machine of workers, zombies, an operator and a leader on one queue, and its model.
Keeps: what is refused changes nothing; parts are disjoint and cumulative; a job has one place.
Above: nobody. Below: tests.store.arena.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from awa.store.worker import Finish, WorkerStore
from tests import postgres
from tests.rig import Worker
from tests.store.arena import FOUND, Arena, Machine, arena, profile, try_out

WORKERS = 2
STATE_BY_VERDICT = {
    None: "completed",
    "retry": "retryable",
    "snooze": "scheduled",
    "fail": "failed",
    "cancel": "cancelled",
    "release": "available",
}
# Which entry (any that was ever claimed), how it ended, and under which claim it is said to be.
BATCHES = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from([None, None, *STATE_BY_VERDICT]),
        st.sampled_from(["right", "right", "right", "another", "unknown"]),
    ),
    min_size=1,
    max_size=6,
)


@dataclass(slots=True)
class Job:
    """A job as the model has it."""

    number: int
    state: str = "available"
    lease: int = 0
    deaths: int = 0


@dataclass(slots=True)
class Entry:
    """An entry that was given out."""

    seq: int
    claim: int
    job: Job
    worker: int
    has_deadline: bool
    is_open: bool = True


class Fence(Machine):
    """Two workers and their ghosts, an operator and a leader."""

    def __init__(self, room: Arena) -> None:
        super().__init__(room)
        self.jobs: dict[int, Job] = {}
        self.entries: list[Entry] = []
        self.workers: list[Worker] = []
        self.ghosts: list[int] = []
        self.other: asyncpg.Connection
        self.queue = ""

    @initialize()
    def begin_example(self) -> None:
        self.act(self._begin_example())

    async def _begin_example(self) -> None:
        self.queue = await self.room.fresh_queue()
        self.workers = [await self.room.rig.worker(self.queue) for _ in range(WORKERS)]
        self.other = self.room.producers[0]

    # --- Births ---

    @rule(n=st.integers(1, 4))
    def enqueue(self, n: int) -> None:
        for number in self.act(self.room.rig.enqueue(n, queue=self.queue)):
            self.jobs[number] = Job(number)

    @rule(w=st.integers(0, WORKERS - 1), room=st.integers(1, 6), has_deadline=st.booleans())
    def claim(self, w: int, room: int, has_deadline: bool) -> None:
        worker = self.workers[w]
        answer = self.act(worker.step(room=room, deadline_s=10 if has_deadline else 0))
        for row in answer.rows:
            job = self.jobs[row["id"]]
            assert job.state == "available", f"{job} was given out"
            job.state, job.lease = "running", job.lease + 1
            entry = Entry(row["seq"], row["claim"], job, worker.worker, has_deadline)
            self.entries.append(entry)

    # --- Ends ---

    def _batch(self, drawn: list[tuple[int, str | None, str]]) -> list[Finish]:
        """Return finishes of entries that were given out; one entry has one verdict in a batch."""
        verdict_by_seq: dict[int, str | None] = {}
        batch = []
        for n, verdict, under in drawn:
            entry = self.entries[n % len(self.entries)]
            said = verdict_by_seq.setdefault(entry.seq, verdict)
            claim = entry.claim + (2**30 if under == "unknown" else 0)
            if under == "another":
                claim = self.entries[(n + 1) % len(self.entries)].claim
            told = {"verdict": said, "delay_s": 0, "error": "e"} if said else None
            batch.append(Finish(claim, entry.seq, entry.seq % 1000, told))
        return batch

    def _ends(self, worker: int, batch: list[Finish]) -> set[int]:
        """Carry a batch out in the model; return which of its seqs are to be refused."""
        stale = set()
        for claim, seq in sorted({(finish.claim, finish.seq) for finish in batch}):
            (entry,) = [one for one in self.entries if one.seq == seq]
            verdicts = [finish.verdict for finish in batch if finish.seq == seq]
            if entry.is_open and entry.claim == claim and entry.worker == worker:
                entry.is_open = False
                told = verdicts[0]
                entry.job.state = STATE_BY_VERDICT[told["verdict"] if told else None]
            else:
                stale.add(seq)
        return stale

    @rule(w=st.integers(0, WORKERS - 1), drawn=BATCHES, as_ghost=st.booleans())
    def finish(self, w: int, drawn: list[tuple[int, str | None, str]], as_ghost: bool) -> None:
        if self.entries:
            worker = self.workers[w].worker
            if as_ghost and self.ghosts:
                worker = self.ghosts[-1]
            batch = self._batch(drawn)
            answer = self.act(WorkerStore(self.workers[w].conn).step(worker, batch, [], ["k"]))
            assert answer.stale == self._ends(worker, batch)

    @rule(
        w=st.integers(0, WORKERS - 1),
        first=BATCHES,
        second=BATCHES,
        end=st.sampled_from(["commit", "commit", "rollback"]),
        rival=st.sampled_from(["finish", "cancel", "expire"]),
    )
    def race(self, w: int, first: Any, second: Any, end: str, rival: str) -> None:
        """One has appended its parts and not committed yet when somebody else comes."""
        if self.entries:
            self.act(self._race(w, self._batch(first), self._batch(second), end, rival))

    async def _race(
        self, w: int, first: list[Finish], second: list[Finish], end: str, rival: str
    ) -> None:
        worker = self.workers[w]
        await self.other.execute("begin")
        ahead = await WorkerStore(self.other).step(worker.worker, first, [], ["k"])
        conn, act = self._rival(w, second, rival)
        task = asyncio.create_task(act)
        await self.room.rig.blocks(conn, task)
        await self.other.execute(end)
        answer = await task
        if end == "commit":
            assert ahead.stale == self._ends(worker.worker, first)
        if rival == "finish":
            assert answer.stale == self._ends(worker.worker, second)
        elif rival == "cancel":
            job = self._job_of(second)
            assert answer == (job.state not in ("completed", "failed", "cancelled"))
            self._is_cancelled(job)
        else:
            self._are_expired()

    def _rival(self, w: int, batch: list[Finish], rival: str) -> tuple[asyncpg.Connection, Any]:
        """Return whose connection somebody acts on, and what is done."""
        rig, leader = self.room.rig, self.room.leader
        if rival == "finish":
            worker = self.workers[w]
            return worker.conn, worker.store.step(worker.worker, batch, [], ["k"])
        if rival == "cancel":
            return rig.conn, rig.operator.cancel(self._job_of(batch).number)
        return leader.conn, self._expire()

    def _job_of(self, batch: list[Finish]) -> Job:
        (entry,) = [one for one in self.entries if one.seq == batch[0].seq]
        return entry.job

    def _is_cancelled(self, job: Job) -> None:
        if job.state in ("completed", "failed", "cancelled"):
            return
        job.state = "cancelled"
        for entry in self.entries:
            if entry.job is job:
                entry.is_open = False

    @rule(n=st.integers(0, 40))
    def cancel(self, n: int) -> None:
        if self.jobs:
            job = self.jobs[sorted(self.jobs)[n % len(self.jobs)]]
            answer = self.act(self.room.rig.operator.cancel(job.number))
            assert answer == (job.state not in ("completed", "failed", "cancelled"))
            self._is_cancelled(job)

    @rule()
    def expire(self) -> None:
        self.act(self._expire())
        self._are_expired()

    async def _expire(self) -> None:
        await self.room.rig.pass_time(20)
        await self.room.leader.store.expire(self.room.leader.epoch, 1, 1000)

    def _are_expired(self) -> None:
        for entry in self.entries:
            if entry.is_open and entry.has_deadline:
                entry.is_open, entry.job.state = False, "retryable"

    @rule(w=st.integers(0, WORKERS - 1))
    def die(self, w: int) -> None:
        """A worker falls silent, is declared lost, and goes on under its old id as a ghost."""
        self.act(self._die(w))

    async def _die(self, w: int) -> None:
        dead = self.workers[w]
        alive = [one for one in self.workers if one is not dead]
        rescued = await self.room.rig.let_die(self.room.leader, *alive)
        mine = [one for one in self.entries if one.is_open and one.worker == dead.worker]
        assert rescued[dead.worker] == len(mine)
        for entry in mine:
            entry.is_open = False
            entry.job.deaths += 1
            entry.job.state = "failed" if entry.job.deaths >= 5 else "retryable"
        self.ghosts.append(dead.worker)
        told = await dead.store.register("again", [self.queue], ["k"])
        dead.worker = told.worker

    # --- Returns, and the leader ---

    @rule()
    def promote(self) -> None:
        self.act(self._promote())

    async def _promote(self) -> None:
        await self.room.rig.pass_time(90_000)
        while await self.room.leader.promote():
            pass
        for job in self.jobs.values():
            if job.state in ("retryable", "scheduled"):
                job.state = "available"

    @rule(n=st.integers(0, 40))
    def redrive(self, n: int) -> None:
        if self.jobs:
            job = self.jobs[sorted(self.jobs)[n % len(self.jobs)]]
            was_held = job.state in ("failed", "cancelled")
            assert self.act(self.room.rig.operator.redrive(job.number)) == was_held
            if was_held:
                job.state, job.deaths = "available", 0

    @rule(prunes=st.booleans())
    def rotate(self, prunes: bool) -> None:
        self.act(self.room.leader.rotate())
        if prunes:
            self.act(self.room.leader.prune_all())

    # --- What always holds, and the end ---

    @invariant()
    def what_is_stored_is_what_the_model_says(self) -> None:
        if self.jobs:
            self.act(self._is_right())

    async def _is_right(self) -> None:
        conn = self.room.rig.conn
        sql = "select id, state, run_lease from awa.jobs where id = any($1::bigint[])"
        rows = await conn.fetch(sql, list(self.jobs))
        shown = {row["id"]: row for row in rows}
        assert len(shown) == len(rows), "a job is shown twice"
        for number, job in self.jobs.items():
            if number not in shown:
                assert job.state == "completed", f"{job} is not shown"
            else:
                found = (shown[number]["state"], shown[number]["run_lease"])
                assert found == (job.state, job.lease), f"{job} is shown as {found}"
        for one in (*(worker.worker for worker in self.workers), *self.ghosts):
            held = await WorkerStore(conn).open_entries(one)
            mine = [entry for entry in self.entries if entry.is_open and entry.worker == one]
            assert held == {entry.seq: entry.claim for entry in mine}
        await judge_parts(conn, sorted({entry.claim for entry in self.entries}))

    async def come_to_rest(self) -> None:
        """End all that is open, and find every job where it belongs."""
        for worker in self.workers:
            held = await worker.store.open_entries(worker.worker)
            batch = [Finish(claim, seq, 1) for seq, claim in held.items()]
            await worker.step(batch, room=0)
            assert self._ends(worker.worker, batch) == set()
        await self._is_right()
        assert all(not entry.is_open for entry in self.entries)

    async def leave(self) -> None:
        """Clear the arena for the next example."""
        await self.room.clear(*self.workers)


async def judge_parts(conn: asyncpg.Connection, claims: list[int]) -> None:
    """Assert of the parts of some claims that they are disjoint, cumulative and complete."""
    rows = await conn.fetch(
        "select c.claim, c.seqs as given, p.part, p.seqs, p.ended, p.ran_us, p.closes "
        "from awa.claim c left join awa.part p on p.claim = c.claim "
        "where c.claim = any($1::bigint[]) order by c.claim, p.part",
        claims,
    )
    keys = [(row["claim"], row["part"]) for row in rows]
    assert len(set(keys)) == len(keys), "a part twice"
    before: dict[int, set[int]] = {}
    for row in rows:
        if row["part"] is None:
            continue
        given, seqs, ended = numbers(row["given"]), numbers(row["seqs"]), numbers(row["ended"])
        assert seqs and seqs <= given and row["closes"] == (ended == given)
        # Of a claim that was carried, the newest part alone is left.
        earlier = before.get(row["claim"], ended - seqs)
        assert not seqs & earlier and ended == seqs | earlier, "an entry ended twice"
        assert (
            row["ran_us"] in (None, [])
            or row["ran_us"] == [n % 1000 for n in sorted(seqs)]
            or (len(row["ran_us"]) == len(seqs) and set(row["ran_us"]) == {1})
        )
        before[row["claim"]] = ended
    twice = "select seq from awa.ending group by seq having count(*) > 1"
    assert await conn.fetch(twice) == [], "two endings of one entry"


def numbers(multirange: Any) -> set[int]:
    """Return the numbers of a set."""
    return {n for one in multirange for n in range(one.lower, one.upper)}


def test_an_entry_ends_once(server: postgres.Server) -> None:
    with arena(server) as room:
        try_out(lambda: Fence(room), profile(examples=25, steps=30))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("nth", range(20))
def test_an_entry_ends_once_for_long(server: postgres.Server, nth: int) -> None:
    """In many rooms: one that has seen hundreds of queues and segments is slow."""
    with arena(server) as room:
        try_out(lambda: Fence(room), profile(examples=25, steps=60))


SOWN = {
    "a stranger ends it": ("append_part", "worker <> c.worker or ", ""),
    "a stale verdict is carried out": ("finish", "where ended @> (e ->> 'seq')::bigint", ""),
}


@pytest.mark.parametrize("bug", SOWN)
def test_a_sown_bug_is_found(server: postgres.Server, bug: str) -> None:
    with arena(server, is_sown=True) as room:
        room.run(room.rig.sow(*SOWN[bug]))
        with pytest.raises(FOUND):
            try_out(lambda: Fence(room), profile(examples=60, steps=30, is_sure=True))
