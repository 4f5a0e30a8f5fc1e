"""Segments.tla on the engine: writers stop between their looks, and a rotation in its middle.

Owns: how each portion of Segments' steps is done, and what the database shows of segments.
Keeps: after each portion the segments are as the model has them, the sequence names the same one,
    and each entry that shows lies where it says and is as far as it says.
Above: segments_walks. Below: gates, segments_paths, stage, walks; awa.lab, awa.store; tests.rig.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from awa.lab import tla
from awa.store.leader import LeaderStore
from awa.store.worker import Ask, Finish, WorkerStore
from tests.generated import stage
from tests.generated.gates import Bug, Gated, Gates, build
from tests.generated.segments_paths import Engine, Node
from tests.generated.walks import Step
from tests.rig import Leader, Rig

GATES: Gates = {
    "writable_segment": {
        "present := pg_sequence_last_value('open_segment'::regclass);": "LookAtOpen",
        "perform pg_advisory_xact_lock_shared('segment'::regclass::oid::int, "
        "(present % 1000)::int);": "LockSegment",
        "end loop;": "LookAgain",
    },
    "rotate": {"perform setval('open_segment', g.number * 1000 + g.segment);": "Switch"},
}

WRITES = ("LookAtOpen", "LockSegment", "LookAgain", "Enqueue")


class Stage(stage.Stage[Node]):
    """A database with gates where a segment is chosen, and everybody who acts in it."""

    def __init__(self, rig: Rig, engine: Engine) -> None:
        super().__init__(rig, engine)
        self.engine = engine
        self.writers: dict[str, Gated] = {}
        self.rotator: Gated
        self.leader: Leader
        self.worker = 0
        self.queues: dict[str, int] = {}
        self.ids: dict[str, int] = {}
        self.claims: dict[str, tuple[int, int]] = {}
        self.slots: list[int] = []
        self.base = 0

    async def open(self, bug: Bug | None = None) -> None:
        """Build the gates, connect everybody, and leave as many slots as the model has."""
        hands = await self.rig.worker(*self.engine.bounds.writers)
        self.worker = hands.worker
        self.queues = dict(zip(self.engine.bounds.writers, hands.queues, strict=True))
        self.leader = await self.rig.lead(hands)
        sql = "delete from awa.segment where number is null and segment >= $1"
        await self.rig.conn.execute(sql, self.engine.bounds.slots)
        await build(self.rig, GATES, bug)
        for w in self.engine.bounds.writers:
            self.writers[w] = await Gated.open(self.rig)
        self.rotator = await Gated.open(self.rig)
        rows = await self.rig.conn.fetch("select segment from awa.segment order by segment")
        self.slots = [row["segment"] for row in rows]
        assert len(self.slots) == self.engine.bounds.slots

    async def fresh(self) -> None:
        """Empty all segments but the first, and have that open."""
        # Twice: what the first seals after a switch that was broken off, the second closes.
        await self.leader.rotate(0)
        await self.leader.rotate(0)
        await self.leader.prune_all()
        sql = "select pg_sequence_last_value('awa.open_segment'::regclass)"
        while (now := await self.rig.conn.fetchval(sql)) % 1000 != self.slots[0]:
            await self.leader.rotate()
            await self.leader.prune_all()
        self.base = now // 1000 - 1
        self.ids, self.claims = {}, {}

    async def leave(self) -> None:
        for gated in (*self.writers.values(), self.rotator):
            if gated.call is not None and not gated.call.done():
                await gated.break_off()
            if gated.conn.is_in_transaction():
                await gated.conn.execute("rollback")
        # To its end, and not by a cancel: what was cancelled beyond the cursor goes with its
        # segment, which Log does not know of.
        await WorkerStore(self.rig.conn).step(self.worker, [], self._asks(), ["k"])
        held = await WorkerStore(self.rig.conn).open_entries(self.worker)
        batch = [Finish(claim, seq, 1) for seq, claim in held.items()]
        await WorkerStore(self.rig.conn).step(self.worker, batch, [], ["k"])

    # --- Deeds ----------------------------------------------------------------------------------

    async def do(self, step: Step[Node]) -> None:
        action, *who = step.deed
        deeds: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
            "Begin": self._begin,
            "Commit": self._commit,
            "Rollback": self._rollback,
            "Claim": self._claim,
            "Complete": self._complete,
            "Switch": self._switch,
            "Seal": self._seal,
            "Break": self._break,
            "Rest": self._rest,
            "Prune": self._prune,
            "PruneNothing": self._prune_nothing,
        }
        if action in deeds:
            await deeds[action](*who)
        elif action in WRITES:
            await self._write(action, who[0], step.target[0])
        else:
            assert await self.rotator.begin(self._rotate()) is None
            told = {"Open": "opened", "Close": "closed"}[action]
            assert await self.rotator.answer() == told

    async def _begin(self, w: str) -> None:
        await self.writers[w].conn.execute("begin")
        self.writers[w].begin_transaction()

    async def _write(self, action: str, w: str, state: tla.State) -> None:
        gated = self.writers[w]
        if action == "LookAtOpen":
            gate = await gated.begin(self._enqueue(w))
        else:
            gate = await gated.go_on()
        expected: str | None = None if action == "Enqueue" else action
        if action == "LookAgain" and self.engine.var(state, "write")[w]["at"] == "looked":
            expected = "LookAtOpen"
        assert gate == expected, f"{w} is at {gate}, not {expected}"

    async def _enqueue(self, w: str) -> None:
        (self.ids[w],) = await self.rig.enqueue(conn=self.writers[w].conn, queue=w)

    async def _commit(self, w: str) -> None:
        await self.writers[w].conn.execute("commit")

    async def _rollback(self, w: str) -> None:
        gated = self.writers[w]
        if gated.call is not None and not gated.call.done():
            await gated.break_off()
        await gated.conn.execute("rollback")

    async def _claim(self, w: str) -> None:
        answer = await WorkerStore(self.rig.conn).step(self.worker, [], self._asks(w), ["k"])
        assert [row["id"] for row in answer.rows] == [self.ids[w]]
        self.claims[w] = (answer.rows[0]["claim"], answer.rows[0]["seq"])

    def _asks(self, *some: str) -> list[Ask]:
        """Return what is asked of some queues, or of all."""
        queues = sorted(self.queues[w] for w in some or self.queues)
        how: dict[str, Any] = {"room": 9, "ageing_ms": 60_000, "deadline_s": 0}
        return [Ask(queue=queue, asleep=False, settles=False, **how) for queue in queues]

    async def _complete(self, w: str) -> None:
        batch = [Finish(*self.claims[w], 1)]
        answer = await WorkerStore(self.rig.conn).step(self.worker, batch, [], ["k"])
        assert answer.stale == set()

    async def _rotate(self) -> str | None:
        self.rotator.begin_transaction()
        return await LeaderStore(self.rotator.conn).rotate(self.leader.epoch, 0, 1)

    async def _switch(self) -> None:
        assert await self.rotator.begin(self._rotate()) == "Switch"

    async def _seal(self) -> None:
        assert await self.rotator.go_on() is None
        assert await self.rotator.answer() == "switched"

    async def _break(self) -> None:
        await self.rotator.break_off()

    async def _rest(self) -> None:
        assert await self.leader.store.rotate(self.leader.epoch, 1e9, 2**60) is None

    async def _prune_nothing(self) -> None:
        assert await self.leader.prune() is None

    async def _prune(self) -> None:
        assert await self.leader.prune() is not None

    # --- Looks ----------------------------------------------------------------------------------

    async def judge(self, node: Node) -> None:
        """Require that the segments, and what lies in them, are as the model has it."""
        state, _ = node
        row = await self.rig.watcher.fetchrow(_LOOK, list(self.ids.values()))
        found = {
            self.slots.index(one["segment"]) + 1: (
                0 if one["number"] is None else one["number"] - self.base,
                _is(one),
            )
            for one in row["segments"]
        }
        segments = self.engine.var(state, "segment")
        told = {s: (segments[s - 1]["number"], segments[s - 1]["is"]) for s in self.engine.slots}
        assert found == told, f"segments are {found}, not {told}"
        name = self.engine.var(state, "open")
        now = (row["open"] // 1000 - self.base, self.slots.index(row["open"] % 1000) + 1)
        assert now == (name["number"], name["slot"])
        await self._judge_rows(state)

    async def _judge_rows(self, state: tla.State) -> None:
        rows = await self.rig.watcher.fetch(_ROWS, list(self.ids.values()))
        names = {number: w for w, number in self.ids.items()}
        assert len({row["id"] for row in rows}) == len(rows), "an entry lies in two segments"
        found = {
            names[row["id"]]: (
                self.slots.index(row["segment"]) + 1,
                "ended" if row["ended"] else "running" if row["running"] else "ready",
            )
            for row in rows
        }
        model = self.engine.var(state, "row")
        told = {
            w: (model[w]["slot"], model[w]["is"])
            for w in self.engine.bounds.writers
            if model[w]["slot"] and model[w]["is"] in ("ready", "running", "ended")
        }
        assert found == told, f"entries lie as {found}, not {told}"


def _is(one: Any) -> str:
    """Return how far a segment is in its life."""
    if one["number"] is None:
        return "free"
    return "closed" if one["closed_at"] else "sealed" if one["sealed_at"] else "open"


_LOOK = """
select array(select s from segment s) as segments,
  pg_sequence_last_value('open_segment'::regclass) as open
where $1::bigint[] is not null
"""
_ROWS = """
select e.id, e.segment,
  exists (select from claim c where c.seqs @> e.seq) as running,
  exists (select from claim c join part p on p.claim = c.claim
    where c.seqs @> e.seq and p.seqs @> e.seq) as ended
from entry e where e.id = any($1::bigint[])
"""
