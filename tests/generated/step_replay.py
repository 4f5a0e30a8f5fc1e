"""Step.tla on the engine: a step whose answer may be lost, and what its worker asks then.

Owns: how each step of the server is done, and what the database shows of a worker's entries.
Keeps: after each step it is as the model has it who holds each entry, which are over, and which
    workers are lost or have left; each question is answered with what the model says.
Above: step_walks. Below: gates, stage, step_paths, walks; awa.lab, awa.errors, awa.store;
    tests.rig.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from awa.errors import DatabaseError
from awa.lab import tla
from awa.store.worker import Ask, Finish, Stepped, WorkerStore
from tests.generated import stage
from tests.generated.gates import Bug, Gated, Gates, build
from tests.generated.step_paths import Engine
from tests.generated.walks import Step
from tests.rig import STALE_S, Leader, Rig

GATES: Gates = {
    "step": {
        "select w.lost_at is null and w.stopped_at is null, w.connection into alive, asked "
        "from worker w where w.worker = step.worker;": "Begin"
    }
}
"""After the step knows whether its worker lives, under the lock that keeps a rescue away."""

PROCESS = frozenset(
    ("Send", "Answer", "Break", "Mend", "HandlerEnd", "EndEarly", "Learn", "Drain", "Crash")
)
"""What happens in the process alone: the database is to show nothing of it."""


class Stage(stage.Stage[tla.State]):
    """A database with a gate in its step, a worker's connections, and a leader."""

    def __init__(self, rig: Rig, engine: Engine) -> None:
        super().__init__(rig, engine)
        self.engine = engine
        self.conns: list[Gated] = []
        self.leader: Leader
        self.leading = self.walked = self.queue = 0
        self.name = ""
        self.before = engine.first
        self.ids: list[int] = []
        self.jobs: list[int] = []
        self.seqs: list[int] = []

    async def open(self, bug: Bug | None = None) -> None:
        """Build the gate, and connect everybody."""
        await self.rig.have_movable_clock()
        await build(self.rig, GATES, bug)
        hands = await self.rig.worker("step")
        self.leading = hands.worker
        self.leader = await self.rig.lead(hands)
        self.conns = [await Gated.open(self.rig) for _ in range(self.engine.bounds.conns)]

    async def fresh(self) -> None:
        self.walked += 1
        self.name = f"step{self.walked}"
        self.ids = []
        self.before = self.engine.first
        await self._register()
        self.jobs = await self.rig.enqueue(self.engine.bounds.seqs, queue=self.name)
        self.seqs = await self.rig.seqs(self.jobs)

    async def leave(self) -> None:
        for gated in self.conns:
            if gated.call is not None and not gated.call.done():
                await gated.break_off()
        for job in self.jobs:
            await self.rig.operator.cancel(job)
        for worker in self.ids:
            await self.store.retire(worker)
        await self.leader.store.rescue(self.leader.epoch, STALE_S, 1000)

    @property
    def store(self) -> WorkerStore:
        """The worker's door, on a connection without gates."""
        return WorkerStore(self.rig.conn)

    # --- Deeds ----------------------------------------------------------------------------------

    async def do(self, step: Step[tla.State]) -> None:
        action, *args = step.deed
        deeds: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
            "Begin": self._begin,
            "BeginLate": self._begin_late,
            "Step": self._step,
            "Abort": self._abort,
            "Ask": self._ask,
            "Register": self._register,
            "Retire": self._retire,
            "EndOpen": self._end_open,
            "Lose": self._lose,
        }
        if action in deeds:
            await deeds[action](self.before, step.target, *args)
        else:
            assert action in PROCESS, action

    async def _begin(self, before: tla.State, _after: tla.State, k: int) -> None:
        one = self.engine.var(before, "steps")[k - 1]
        gated = self.conns[k - 1]
        gated.begin_transaction()
        assert await gated.begin(self._call(gated, one, k)) == "Begin"

    async def _begin_late(self, before: tla.State, after: tla.State, k: int) -> None:
        await self._begin(before, after, k)
        assert await self.conns[k - 1].go_on() is None
        with pytest.raises(DatabaseError, match="has asked on connection"):
            await self.conns[k - 1].answer()

    async def _call(self, gated: Gated, one: Any, k: int) -> Stepped:
        """Send what the process has sent."""
        sql = "select (select c.claim from awa.claim c where c.seqs @> $1::bigint limit 1)"
        seqs = [self.seqs[s - 1] for s in sorted(one["batch"])]
        batch = [Finish(await self.rig.conn.fetchval(sql, seq), seq, 1) for seq in seqs]
        how: dict[str, Any] = {"ageing_ms": 60_000, "deadline_s": 0, "settles": False}
        asks = [Ask(queue=self.queue, room=one["room"], asleep=False, **how)]
        worker = self.ids[one["worker"] - 1]
        return await WorkerStore(gated.conn).step(
            worker, batch, asks if one["room"] else [], ["k"], k
        )

    async def _step(self, _before: tla.State, after: tla.State, k: int, *_: Any) -> None:
        assert await self.conns[k - 1].go_on() is None
        await self._answered(k, after)

    async def _abort(self, before: tla.State, _after: tla.State, k: int) -> None:
        if self.engine.var(before, "steps")[k - 1]["at"] == "begun":
            await self.conns[k - 1].break_off()

    async def _ask(self, before: tla.State, after: tla.State, asked: frozenset[int]) -> None:
        me = self.ids[self.engine.var(before, "me") - 1]
        found = await self.store.open_entries(me, self.engine.var(after, "conn"))
        assert self._told(found) == asked, f"{found} is open"

    async def _register(self, *_: Any) -> None:
        told = await self.store.register("w", [self.name], ["k"])
        self.ids.append(told.worker)
        (self.queue,) = told.queues

    async def _retire(self, before: tla.State, _after: tla.State) -> None:
        assert await self.store.retire(self.ids[self.engine.var(before, "me") - 1])

    async def _end_open(self, _before: tla.State, _after: tla.State, s: int) -> None:
        assert await self.rig.operator.cancel(self.jobs[s - 1])

    async def _answered(self, k: int, state: tla.State) -> None:
        """Require that a step is answered with what the model says."""
        answer: Stepped = await self.conns[k - 1].answer()
        one = self.engine.var(state, "steps")[k - 1]
        assert self._told([row["seq"] for row in answer.rows]) == one["took"]
        assert self._told(answer.stale) == one["stale"]
        assert answer.is_lost != one["alive"]

    async def _lose(self, _before: tla.State, _after: tla.State, w: int) -> None:
        """Let a worker be silent for long enough; nothing of it is rescued yet."""
        worker = self.ids[w - 1]
        for _ in range(4):
            await self.rig.pass_time(STALE_S / 2.5)
            for other in (self.leading, *self.ids):
                if other != worker:
                    await self.store.heartbeat(other, [], {})
            await self.leader.store.rescue(self.leader.epoch, STALE_S, 0)

    # --- Looks ----------------------------------------------------------------------------------

    def _told(self, seqs: Any) -> frozenset[int]:
        """Return what entries are called."""
        return frozenset(self.seqs.index(seq) + 1 for seq in seqs)

    async def judge(self, state: tla.State) -> None:
        """Require that entries and workers are as the model has it."""
        rows = await self.rig.watcher.fetch(_ENTRIES, self.seqs)
        owner = tuple(
            self.ids.index(row["worker"]) + 1 if row["worker"] is not None else 0 for row in rows
        )
        over = self._told([row["seq"] for row in rows if row["is_over"]])
        workers = await self.rig.watcher.fetch(_WORKERS, self.ids)
        lost = {self.ids.index(row["worker"]) + 1 for row in workers if row["lost_at"]}
        left = {
            self.ids.index(row["worker"]) + 1
            for row in workers
            if row["stopped_at"] and not row["lost_at"]
        }
        found = {"owner": owner, "over": over, "lost": lost, "left": left}
        told = {name: self.engine.var(state, name) for name in found}
        told["left"] -= told["lost"]
        assert found == told, f"{found}, not {told}"
        self.before = state


_ENTRIES = """
select e.seq, c.worker, exists (select from part p where p.claim = c.claim and p.seqs @> e.seq)
  or exists (select from ending x where x.seq = e.seq) as is_over
from entry e left join claim c on c.seqs @> e.seq where e.seq = any($1::bigint[]) order by e.seq
"""
_WORKERS = "select w.worker, w.lost_at, w.stopped_at from worker w where w.worker = any($1::int[])"
