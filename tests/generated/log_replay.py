"""Log.tla on the engine: producers and claimers on connections of their own, step by step.

Owns: how each portion of Log's steps is done, and what the database shows of a lane.
Keeps: after each portion the lane is as the model has it: numbers drawn, entries there, who holds
    the lock, the newest claim's cursor and pages with their fillers, who took what, what was
    cancelled. Numbers of claims are not compared: the SQL goes on for the sake of other lanes.
Above: log_walks. Below: gates, log_paths, stage, walks; awa.lab, awa.store; tests.rig.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from awa.lab import tla
from awa.lab.tla.values import function
from awa.store.worker import Ask, Stepped, WorkerStore
from tests.generated import stage
from tests.generated.gates import Bug, Gated, Gates, build
from tests.generated.log_paths import Engine, Node
from tests.generated.walks import Step
from tests.rig import KIND, Rig

GATES: Gates = {
    "claim": {"t := turns(c, claim.kinds);": "TakeLock"},
    "look": {
        "begin\ntaken := '{}';": "ReadLocks",
        "r := examine(p, present, room, look.kinds);": "LookAtPage",
    },
    "choose": {"r := read_lane(turns[1], room, null, kinds);": "ReadEntries"},
    "look_again": {
        "holders := fillers(array(select t.sequence from unnest(turns) t "
        "where not isempty(t.fresh)));": "ReadFillers",
        "r := examine(p, holders, room, look_again.kinds);": "LookAgain",
    },
}
"""Between any two statements of a claim that read. What is between its writes and its commit
nobody else sees: the queue's lock is held."""

UNREAD = ("unread", 0)
SHOWN = ("last", "seqs", "locks", "queueLock", "over", "taken")


@dataclass(slots=True)
class Lane:
    """The lane of one walk, and who has drawn what."""

    name: str
    queue: int
    sequence: str
    base: int
    drawn: dict[int, set[int]] = field(default_factory=dict)
    holder: dict[int, str] = field(default_factory=dict)
    prepared: dict[int, str] = field(default_factory=dict)
    cancelled: set[int] = field(default_factory=set)


class Stage(stage.Stage[Node]):
    """A database with gates in its verbs, and everybody who acts in it."""

    def __init__(self, rig: Rig, engine: Engine) -> None:
        super().__init__(rig, engine)
        self.engine = engine
        self.producers: dict[int, asyncpg.Connection] = {}
        self.claimers: dict[str, Gated] = {}
        self.workers: dict[str, int] = {}
        self.lane: Lane
        self.walked = 0

    async def open(self, bug: Bug | None = None) -> None:
        """Build the gates, and connect everybody."""
        await build(self.rig, GATES, bug)
        for t in self.engine.txs:
            self.producers[t] = await self.rig.connect()
        for c in self.engine.bounds.claimers:
            self.claimers[c] = await Gated.open(self.rig)
            store = WorkerStore(self.rig.conn)
            self.workers[c] = (await store.register(c, ["log"], [KIND])).worker

    async def fresh(self) -> None:
        self.walked += 1
        name = f"log{self.walked}"
        await self.rig.conn.execute("select awa.open($1, 2)", name)
        row = await self.rig.conn.fetchrow(
            "select q.queue, l.lane::bigint << 40 as base, l.sequence::text from awa.queue q "
            "join awa.lane l on l.queue = q.queue where q.name = $1 and not l.returning_jobs",
            name,
        )
        self.lane = Lane(name, row["queue"], row["sequence"], row["base"])

    async def leave(self) -> None:
        for gated in self.claimers.values():
            if gated.call is not None and not gated.call.done():
                await gated.break_off()
        for conn in self.producers.values():
            if conn.is_in_transaction():
                await conn.execute("rollback")
        for gid in self.lane.prepared.values():
            await self.rig.conn.execute(f"rollback prepared '{gid}'")

    # --- Deeds ----------------------------------------------------------------------------------

    async def do(self, step: Step[Node]) -> None:
        action, *args = step.deed
        deeds: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
            "Draw": self._draw,
            "Skip": self._skip,
            "Prepare": self._prepare,
            "Commit": self._commit,
            "Rollback": self._rollback,
            "Cancel": self._cancel,
            "TakeLock": self._take_lock,
            "Abort": self._abort,
        }
        if action in deeds:
            await deeds[action](*args)
        elif action in ("CommitClaim", "GoAway"):
            assert await self.claimers[args[0]].go_on() is None
            await self._is_given(args[0], step)
        else:
            assert await self.claimers[args[0]].go_on() == action

    async def _draw(self, t: int, n: int, kept: bool) -> None:
        conn, lane = self.producers[t], self.lane
        if not conn.is_in_transaction():
            await conn.execute("begin")
            sql = "select virtualtransaction from pg_locks where pid = pg_backend_pid() limit 1"
            lane.holder[t] = await conn.fetchval(sql)
        first = 1 + sum(map(len, lane.drawn.values()))
        if not kept:
            await conn.execute("savepoint s")
        await self.rig.enqueue(n, conn=conn, queue=lane.name)
        if not kept:
            await conn.execute("rollback to savepoint s")
        own = lane.drawn.setdefault(t if kept else 0, set())
        own.update(range(first, first + n))

    async def _skip(self, n: int) -> None:
        lane = self.lane
        first = 1 + sum(map(len, lane.drawn.values()))
        sql = "select nextval($1::text::regclass) from generate_series(1, $2)"
        await self.rig.conn.execute(sql, lane.sequence, n)
        lane.drawn.setdefault(0, set()).update(range(first, first + n))

    async def _prepare(self, t: int) -> None:
        gid = f"{self.lane.name}_{t}"
        await self.producers[t].execute(f"prepare transaction '{gid}'")
        self.lane.prepared[t] = gid

    async def _commit(self, t: int) -> None:
        await self._end(t, "commit")

    async def _rollback(self, t: int) -> None:
        await self._end(t, "rollback")

    async def _end(self, t: int, how: str) -> None:
        gid = self.lane.prepared.pop(t, None)
        if gid is None:
            await self.producers[t].execute(how)
        else:
            await self.rig.conn.execute(f"{how} prepared '{gid}'")

    async def _cancel(self, seq: int) -> None:
        sql = "select e.id from awa.entry e where e.seq = $1"
        number = await self.rig.conn.fetchval(sql, self.lane.base + seq)
        assert await self.rig.operator.cancel(number)

    async def _take_lock(self, c: str, mode: str, room: int) -> None:
        ask = Ask(
            queue=self.lane.queue,
            room=room,
            ageing_ms=60_000,
            deadline_s=0,
            asleep=False,
            settles=mode == "s",
        )
        gated = self.claimers[c]
        call = WorkerStore(gated.conn).step(self.workers[c], [], [ask], [KIND])
        gated.begin_transaction()
        assert await gated.begin(call) == "TakeLock"

    async def _abort(self, c: str) -> None:
        await self.claimers[c].break_off()

    async def _is_given(self, c: str, step: Step[Node]) -> None:
        """Require that a claim gives what it took."""
        answer: Stepped = await self.claimers[c].answer()
        given = {row["seq"] - self.lane.base for row in answer.rows}
        chain = self.engine.var(step.target[0], "taken")
        is_new = step.deed[0] == "CommitClaim"
        assert given <= {s for s in self.engine.seqs if chain[s - 1]}
        assert is_new or not given, f"{given} were given by a claim that went away"

    # --- Looks ----------------------------------------------------------------------------------

    async def judge(self, node: Node) -> None:
        """Require that the lane is as the model has it."""
        state, _ = node
        found = await self._shown(state)
        told = {name: self.engine.var(state, name) for name in SHOWN}
        # What is drawn by an open transaction is there, and shows to nobody.
        told["seqs"] = self.engine.model.value("Committed", state)
        claim = self.engine.var(state, "claim")
        told |= {"hi": claim["hi"], "pages": claim["pages"]}
        odd = [
            f"{name} is {tla.render(found[name])}, not {tla.render(told[name])}"
            for name in found
            if found[name] != told[name]
        ]
        assert not odd, "; ".join(odd)

    async def _shown(self, state: tla.State) -> dict[str, Any]:
        lane = self.lane
        row = await self.rig.watcher.fetchrow(_LOOK, lane.queue, lane.base, lane.sequence)
        names = {holder: t for t, holder in lane.holder.items()}
        claimers = {gated.conn.get_server_pid(): c for c, gated in self.claimers.items()}
        workers = {worker: c for c, worker in self.workers.items()}
        holders = {names[name] for name in row["holders"] if name in names}
        locked = [claimers[pid] for pid in row["locked"]]
        taken: dict[int, tuple[Any, ...]] = dict.fromkeys(self.engine.seqs, ())
        for claim in row["claims"]:
            for seq in _numbers(claim["seqs"], lane.base):
                taken[seq] += (workers[claim["worker"]],)
        pages = [self._page(page["seqs"], page["fillers"], names) for page in row["pages"]]
        assert len(set(pages)) == len(pages), "two pages alike"
        return {
            "last": row["last"],
            "seqs": frozenset(seq - lane.base for seq in row["entries"]),
            "locks": frozenset(("virtual", t) for t in holders),
            "queueLock": locked[0] if locked else "none",
            "over": frozenset(seq - lane.base for seq in row["endings"]),
            "taken": function(taken),
            "hi": row["hi"],
            "pages": frozenset(pages),
        }

    def _page(self, seqs: Any, fillers: list[str], names: dict[str, int]) -> tla.Value:
        """Return a page; whoever made it stood on it, and is nobody by now."""
        known = {name.partition("@")[0] for name in fillers}
        some = {("virtual", names[name]) for name in known if name in names}
        strangers = {UNREAD} if len(some) < len(known) else set()
        return function(
            {
                "seqs": frozenset(_numbers(seqs, self.lane.base)),
                "fillers": frozenset(some | strangers),
            }
        )


def _numbers(multirange: Any, base: int) -> set[int]:
    return {n - base for one in multirange for n in range(one.lower, one.upper)}


_LOOK = """
select coalesce(pg_sequence_last_value($3::text::regclass), $2) - $2 as last,
  array(select e.seq from entry e where e.seq > $2 and e.seq < $2 + 1000) as entries,
  array(select x.seq from ending x where x.seq > $2 and x.seq < $2 + 1000) as endings,
  array(select l.virtualtransaction from pg_locks l
    where l.relation = $3::text::regclass and l.mode = 'RowExclusiveLock'
    and l.pid is distinct from pg_backend_pid()) as holders,
  array(select l.pid from pg_locks l where l.locktype = 'advisory' and l.granted
    and l.classid = 'queue'::regclass::oid and l.objid = $1::int::oid) as locked,
  array(select c from claim c
    where c.claim between $1::bigint << 40 and ($1::bigint + 1) << 40) as claims,
  array(select h from hole h
    where h.segment = n.segment and h.page = any(n.pages)) as pages,
  coalesce(n.hi[1], $2) - $2 as hi
from newest($1::int) n
"""
