"""Finish.tla on the engine: who ends entries of one claim, each on a connection of its own.

Owns: how each portion of Finish's steps is done, and what the database shows of a claim.
Keeps: after each portion the committed parts are those of the model, each failed entry has one
    ending and its job one place to go on from; each call is answered with what the model says.
Above: finish_walks. Below: finish_paths, gates, stage, walks; awa.lab, awa.store; tests.rig.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from awa.store.worker import Ask, WorkerStore
from tests.generated import stage
from tests.generated.finish_paths import Batch, Engine, Node
from tests.generated.gates import Bug, Gated, Gates, build
from tests.generated.walks import Step
from tests.rig import Rig

GATES: Gates = {"append_part": {"before := coalesce(before, '{}');": "Ask"}}
"""After the newest part was read, and before the next is written. From there to the commit a call
only writes; it waits where a number is another's."""

STRANGER = "somebody else"
"""Who holds the entries that are not of the claim."""


class Stage(stage.Stage[Node]):
    """A database with a gate in its finish, and everybody who acts in it."""

    def __init__(self, rig: Rig, engine: Engine) -> None:
        super().__init__(rig, engine)
        self.engine = engine
        self.conns: dict[str, Gated] = {}
        self.workers: dict[str, int] = {}
        self.asked: dict[str, tuple[str, Batch]] = {}
        self.walked = 0
        self.queue = self.claim = 0
        self.seqs: list[int] = []
        self.holder = "none"

    async def open(self, bug: Bug | None = None) -> None:
        """Build the gate, and connect everybody."""
        await build(self.rig, GATES, bug)
        for c in self.engine.bounds.conns:
            self.conns[c] = await Gated.open(self.rig)
        for w in (*self.engine.bounds.workers, STRANGER):
            store = WorkerStore(self.rig.conn)
            self.workers[w] = (await store.register(w, ["finish"], ["k"])).worker

    async def fresh(self) -> None:
        self.walked += 1
        name = f"finish{self.walked}"
        await self.rig.conn.execute("select awa.open($1, 2)", name)
        n = len(self.engine.bounds.seqs)
        self.seqs = await self.rig.seqs(await self.rig.enqueue(n, queue=name))
        sql = "select q.queue, (newest(q.queue)).claim + 1 as claim from queue q where q.name = $1"
        row = await self.rig.watcher.fetchrow(sql, name)
        self.queue, self.claim, self.holder = row["queue"], row["claim"], "none"

    async def leave(self) -> None:
        for c in self.conns:
            await self._end(c, "rollback")

    # --- Deeds ----------------------------------------------------------------------------------

    async def do(self, step: Step[Node]) -> None:
        action, who, *args = step.deed
        deeds: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
            "Claim": self._claim,
            "Ask": self._ask,
            "Wait": self._wait,
        }
        if action in deeds:
            await deeds[action](who, *args)
        elif action in ("Commit", "Rollback"):
            await self._end(who, action.lower())
            # Whoever waited for it is woken.
            for woken, taken in step.taken[1:]:
                conn = taken[0] if woken in ("Refuse", "Lose") else taken[1]
                await self._answered(conn, woken, taken, await self.conns[conn].stop())
        else:
            gated = self.conns[who]
            gate = None if gated.call is None or gated.call.done() else await gated.go_on()
            await self._answered(who, action, step.taken[0][1], gate)

    async def _claim(self, w: str) -> None:
        for worker, room in ((w, 2), (STRANGER, 1)):
            ask = Ask(
                queue=self.queue,
                room=room,
                ageing_ms=60_000,
                deadline_s=0,
                asleep=False,
                settles=False,
            )
            await WorkerStore(self.rig.conn).step(self.workers[worker], [], [ask], ["k"])
        claim, *_ = (await self.rig.watcher.fetchrow(_LOOK, self.claim, self.seqs))["claims"]
        assert self._told(claim["seqs"]) == {1, 2}
        self.holder = w

    async def _ask(self, c: str, by: str, asks: Batch, failed: Batch) -> None:
        gated = self.conns[c]
        if not gated.conn.is_in_transaction():
            await gated.conn.execute("begin")
            gated.begin_transaction()
        self.asked[c] = (by, asks)
        may_end = self.holder != "none" and by in (*self.engine.bounds.outside, self.holder)
        gate = await gated.begin(self._call(gated, by, asks, failed))
        assert gate == ("Ask" if may_end else None), f"{gate} for {by}"

    async def _call(self, gated: Gated, by: str, asks: Batch, failed: Batch) -> Any:
        """Call: a worker with what it ran, or the leader with what it found open."""
        seqs = [self.seqs[s - 1] for s in sorted(asks)]
        ranges = "{" + ",".join(f"[{seq},{seq}]" for seq in seqs) + "}"
        if by == "leader":
            await gated.conn.execute("set local lock_timeout to '20ms'")
            sql = "select awa.rescue_claim($1, $2::text::int8multirange, $3, 'too late', false)"
            holder = self.workers.get(self.holder, 0)
            await gated.conn.execute("set local search_path to awa")
            await gated.conn.execute("set local awa.trace_epoch to '1'")
            return await gated.conn.fetchval(sql, self.claim, ranges, holder)
        told = [
            {"seq": self.seqs[s - 1], "verdict": "retry", "delay_s": 100, "error": "e"}
            for s in sorted(failed)
        ]
        sql = "select awa.finish($1, $2, array[$3::text::int8multirange], $4, $5)"
        verdicts = json.dumps(told) if told else None
        times = [1] * len(seqs)
        return await gated.conn.fetchval(
            sql, self.workers[by], [self.claim], ranges, times, verdicts
        )

    async def _wait(self, c: str) -> None:
        gated = self.conns[c]
        assert gated.call is not None
        await gated.let_through()
        await self.rig.until_blocked(gated.conn, gated.call)

    async def _answered(self, c: str, action: str, args: tuple[Any, ...], gate: str | None) -> None:
        """Require that a call that went on is answered with what the model says."""
        assert gate == ("Ask" if action == "Lose" else None), f"{action}, and it is at {gate}"
        if action == "Lose":
            return
        by, asks = self.asked[c]
        ended = args[3] if action in ("Complete", "EndOpen") else frozenset()
        answer = await self.conns[c].answer()
        if by == "leader":
            assert answer == len(ended), f"{answer} were rescued, and not {ended}"
        else:
            assert self._told(answer) == asks - ended, f"{answer} are stale"
        if action == "GiveUp":
            await self._end(c, "rollback")

    async def _end(self, c: str, how: str) -> None:
        gated = self.conns[c]
        if gated.call is not None and not gated.call.done():
            await gated.break_off()
        if gated.conn.is_in_transaction():
            await gated.conn.execute(how)

    # --- Looks ----------------------------------------------------------------------------------

    def _told(self, multirange: Any) -> Batch:
        """Return what a set of seqs is called."""
        found = (n for one in multirange for n in range(one.lower, one.upper))
        return frozenset(self.seqs.index(seq) + 1 for seq in found)

    async def judge(self, node: Node) -> None:
        """Require that the claim is as the model has it."""
        state, _ = node
        row = await self.rig.watcher.fetchrow(_LOOK, self.claim, self.seqs)
        found = [
            (part["part"], self._told(part["seqs"]), self._told(part["ended"]))
            for part in row["parts"]
        ]
        parts = self.engine.var(state, "parts")
        assert found == [(one["part"], one["seqs"], one["ended"]) for one in parts]
        failed = [s for one in parts for s in sorted(one["failed"])]
        endings = [self.seqs.index(seq) + 1 for seq in row["endings"]]
        assert sorted(endings) == sorted(failed)
        assert row["deferred"] == len(failed), "a job goes on elsewhere twice, or nowhere"


_LOOK = """
select array(select c from claim c where c.claim = $1) as claims,
  array(select p from part p where p.claim = $1 order by p.part) as parts,
  array(select x.seq from ending x where x.seq = any($2::bigint[])) as endings,
  (select count(*) from deferred d join entry e on e.id = d.id
    where e.seq = any($2::bigint[])) as deferred
"""
