"""Verbs by hand: what a test needs to be a producer, a worker or the leader on the real database.

Owns: short ways to call verbs on connections of their own.
Keeps: nothing is imitated: each call is the verb, in a transaction of its own or an open one.
Above: the tests. Below: awa.store.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import asyncpg

from awa.store.leader import LeaderStore
from awa.store.operator import OperatorStore
from awa.store.sql import template, verb_files
from awa.store.worker import Ask, Finish, Stepped, WorkerStore

KIND = "k"
STALE_S = 30.0
BLOCKED_S_MAX = 20.0
"""How long `until_blocked` looks, at most: a slow machine is slower than a lock."""


class Worker:
    """A worker process, by hand: it has an id and a connection, and remembers what it was given."""

    def __init__(self, conn: asyncpg.Connection, worker: int, queues: Sequence[int]) -> None:
        self.conn = conn
        self.store = WorkerStore(conn)
        self.worker = worker
        self.queues = list(queues)
        self.claim_by_seq: dict[int, int] = {}
        self.connection = 0

    async def step(
        self,
        batch: Iterable[Finish] = (),
        *,
        room: int = 10,
        kinds: Sequence[str] = (KIND,),
        asleep: bool = False,
        settles: bool = False,
        deadline_s: float = 0,
        ageing_ms: int = 60_000,
    ) -> Stepped:
        """Take one step, asking all queues alike; no room asks none."""
        asks = [
            Ask(
                queue=queue,
                room=room,
                ageing_ms=ageing_ms,
                deadline_s=deadline_s,
                asleep=asleep,
                settles=settles,
            )
            for queue in sorted(self.queues)
            if room
        ]
        answer = await self.store.step(self.worker, list(batch), asks, list(kinds), self.connection)
        for row in answer.rows:
            self.claim_by_seq[row["seq"]] = row["claim"]
        return answer

    async def claim(self, room: int = 10, **how: Any) -> list[int]:
        """Claim; return the ids of the jobs."""
        return [row["id"] for row in (await self.step(room=room, **how)).rows]

    async def take(self, room: int = 10, **how: Any) -> list[int]:
        """Claim; return the seqs of the entries."""
        return [row["seq"] for row in (await self.step(room=room, **how)).rows]

    def finish(self, seq: int, verdict: str | None = None, **said: Any) -> Finish:
        """Return the finish of an entry that this worker was given."""
        told = None if verdict is None else {"verdict": verdict, **said}
        return Finish(self.claim_by_seq[seq], seq, 1, told)

    async def end(self, *seqs: int, verdict: str | None = None, **said: Any) -> set[int]:
        """Finish entries; return the stale ones."""
        batch = [self.finish(seq, verdict, **said) for seq in seqs]
        return (await self.step(batch, room=0)).stale


class Leader:
    """The leader, by hand: its epoch, and the sweeps that tests ask for."""

    def __init__(self, conn: asyncpg.Connection, epoch: int) -> None:
        self.conn = conn
        self.store = LeaderStore(conn)
        self.epoch = epoch

    async def open_segment(self) -> None:
        """Open one more segment, which nobody writes into yet."""
        while (done := await self.store.rotate(self.epoch, 0, 1)) == "closed":
            pass
        assert done == "opened", done

    async def switch_segment(self) -> None:
        """Have writers go on in the segment that was opened."""
        assert await self.store.rotate(self.epoch, 1e9, 2**60) == "switched"

    async def close_segment(self) -> bool:
        """Close a sealed segment; False while somebody may still write into each."""
        return await self.store.rotate(self.epoch, 1e9, 2**60) == "closed"

    async def rotate(self, times: int = 1) -> None:
        """Take all three steps to a fresh segment, so many times, and what was left of others."""
        while await self.store.rotate(self.epoch, 1e9, 2**60) is not None:
            pass
        for _ in range(times):
            await self.open_segment()
            await self.switch_segment()
            assert await self.close_segment(), "somebody may still write into the sealed segment"

    async def prune(self, retention_s: float = 0, wait_ms: int = 100) -> int | None:
        """Truncate one segment; return its number, or None."""
        return await self.store.prune(self.epoch, retention_s, wait_ms)

    async def prune_all(self) -> list[int]:
        """Truncate every segment that can be; return their numbers."""
        gone = []
        while (number := await self.prune()) is not None:
            gone.append(number)
        return gone

    async def sort(self, n: int = 100, *, settles: bool = False) -> set[str]:
        """Sort the intake."""
        return await self.store.sort(self.epoch, n, settles=settles)

    async def promote(self) -> int:
        """Promote what is due, after a look at all that is deferred."""
        return (await self.store.promote(self.epoch, None, 1000)).count


class Rig:
    """Connections to one database, and who acts on them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._conns: list[asyncpg.Connection] = []
        self.conn: asyncpg.Connection
        # It looks at what others do, with the names of inner functions in its path.
        self.watcher: asyncpg.Connection

    async def __aenter__(self) -> Self:
        self.conn = await self.connect()
        self.watcher = await self.connect()
        await self.watcher.execute("set search_path to awa")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for conn in self._conns:
            conn.terminate()

    async def connect(self) -> asyncpg.Connection:
        """Open one more connection."""
        conn = await asyncpg.connect(self.url)
        self._conns.append(conn)
        return conn

    async def worker(self, *queues: str, kinds: Sequence[str] = (KIND,)) -> Worker:
        """Register a worker on a connection of its own."""
        conn = await self.connect()
        names = queues or ("q",)
        told = await WorkerStore(conn).register("test", names, kinds)
        return Worker(conn, told.worker, told.queues)

    async def leader(self, worker: Worker | None = None) -> tuple[LeaderStore, int]:
        """Have a worker elected; return the leader's door and the epoch."""
        worker = worker or await self.worker()
        store = LeaderStore(self.conn)
        epoch = await store.elect(worker.worker, 30)
        assert epoch is not None
        return store, epoch

    async def lead(self, worker: Worker | None = None) -> Leader:
        """Have a worker elected, and lead on a connection of its own."""
        worker = worker or await self.worker()
        conn = await self.connect()
        epoch = await LeaderStore(conn).elect(worker.worker, 30)
        assert epoch is not None
        return Leader(conn, epoch)

    async def begin(self, isolation: str = "read committed") -> asyncpg.Connection:
        """Open a transaction on a connection of its own, with its snapshot taken if it has one."""
        conn = await self.connect()
        await conn.execute(f"begin isolation level {isolation}")
        await conn.execute("select 1")
        # Whoever is not to wait says so after a second instead of hanging.
        await conn.execute("set local lock_timeout to '1s'")
        return conn

    # --- Waits and clocks ----------------------------------------------------------------------

    async def until_blocked(self, conn: asyncpg.Connection, task: "asyncio.Task[Any]") -> None:
        """Wait until the statement that a task runs on a connection waits for another's lock."""
        assert await self.blocks(conn, task), f"it did not wait for anybody: {task}"

    async def blocks(self, conn: asyncpg.Connection, task: "asyncio.Task[Any]") -> bool:
        """Wait until a task's statement waits for another's lock, or is done; return which."""
        loop = asyncio.get_running_loop()
        until = loop.time() + BLOCKED_S_MAX
        sql = "select cardinality(pg_blocking_pids($1)) > 0"
        while not await self.watcher.fetchval(sql, conn.get_server_pid()):
            if task.done():
                return False
            assert loop.time() < until, "it waits for nobody, and does not end"
            await asyncio.sleep(0.002)
        return True

    @asynccontextmanager
    async def gate(
        self, conn: asyncpg.Connection, function: str, when: str = "true"
    ) -> AsyncIterator[None]:
        """Stop a connection after the next return of an inner function, until the block is left.

        `when` is a condition in SQL on the function's parameters; other calls do not stop.

        A backend can be stopped between any two statements, for an hour; this is how a test says
        where.
        """
        row = await self.conn.fetchrow(_SIGNATURE, function)
        await self.conn.execute(
            _GATE.format(function=function, pid=conn.get_server_pid(), when=when, **dict(row))
        )
        keeper = await self.connect()
        await keeper.execute("select pg_advisory_lock(1, 1)")
        try:
            yield
        finally:
            await keeper.execute("select pg_advisory_unlock(1, 1)")

    async def sow(self, verb: str, good: str, bad: str) -> None:
        """Sow a bug: make a verb or inner function anew, with a piece of its text put differently.

        A check that does not notice it checks nothing.
        """
        await self.put(verb, (good, bad))

    async def put(self, verb: str, *pieces: tuple[str, str]) -> None:
        """Make a verb or inner function anew: each piece, which stands in it once, as another."""
        (path,) = [path for path in verb_files(*_FOLDERS) if path.stem == verb]
        text = template(path, "awa")
        for good, bad in pieces:
            assert text.count(good) == 1, f"{verb} has no such text, or more than one: {good}"
            text = text.replace(good, bad)
        await self.watcher.execute(text)

    async def have_movable_clock(self) -> None:
        """Put a clock in place that `pass_time` moves."""
        await self.conn.execute(_CLOCK)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, for everybody in this database."""
        sql = "update awa.test_clock set ahead = ahead + $1 * interval '1 second'"
        await self.conn.execute(sql, seconds)

    async def let_die(self, leader: Leader, *alive: Worker) -> dict[int, int]:
        """Let time pass until who does not speak is lost; return what was rescued, by worker."""
        rescued: dict[int, int] = {}
        for _ in range(5):
            await self.pass_time(STALE_S / 3)
            for worker in alive:
                assert (await worker.store.heartbeat(worker.worker, [], {})).is_alive
            rescued |= await leader.store.rescue(leader.epoch, STALE_S, 1000)
        return rescued

    # --- Looks ---------------------------------------------------------------------------------

    @property
    def operator(self) -> OperatorStore:
        """The operator's door."""
        return OperatorStore(self.conn)

    async def enqueue(
        self, n: int = 1, *, conn: asyncpg.Connection | None = None, **how: Any
    ) -> list[int]:
        """Enqueue jobs one by one, on a given connection (with its transaction); return the ids."""
        given = {"kind": KIND, "args": "{}", "queue": "q", **how}
        marks = ", ".join(f"{name} => ${i}" for i, name in enumerate(given, 1))
        sql = "".join(["select id from awa.enqueue(", marks, ")"])
        return [await (conn or self.conn).fetchval(sql, *given.values()) for _ in range(n)]

    async def states(self) -> dict[int, str]:
        """Return the state of each job, by id, as the view has it."""
        rows = await self.conn.fetch("select id, state from awa.jobs order by id")
        assert len({row["id"] for row in rows}) == len(rows), "a job is shown twice"
        return {row["id"]: row["state"] for row in rows}

    async def job(self, number: int) -> dict[str, Any]:
        """Return one job's row of the view."""
        row = dict(await self.conn.fetchrow("select * from awa.jobs where id = $1", number))
        return {
            name: json.loads(value) if name in _JSON and value is not None else value
            for name, value in row.items()
        }

    async def acts(self) -> list[str]:
        """Return the trace so far, as the names of its actions."""
        rows = await self.conn.fetch("select act from awa.trace_event order by n")
        return [row["act"] for row in rows]

    async def pages(self, queue: str = "q") -> list[dict[str, Any]]:
        """Return the hole pages of a queue's newest claim."""
        rows = await self.watcher.fetch(
            "select h.* from awa.queue q cross join lateral awa.newest(q.queue) c "
            "join awa.hole h on h.segment = c.segment and h.page = any(c.pages) where q.name = $1",
            queue,
        )
        return [dict(row) for row in rows]

    async def newest(self, queue: str = "q") -> dict[str, Any]:
        """Return the newest claim of a queue: its cursor."""
        sql = (
            "select c.* from awa.queue q cross join lateral awa.newest(q.queue) c where q.name = $1"
        )
        return dict(await self.watcher.fetchrow(sql, queue))

    async def seqs(self, ids: Iterable[int]) -> list[int]:
        """Return the name of each job's newest entry."""
        sql = "select seq from awa.entry where id = $1 order by seq desc limit 1"
        return [await self.conn.fetchval(sql, number) for number in ids]

    async def count(self, table: str) -> int:
        """Return how many rows a table holds."""
        count: int = await self.conn.fetchval("".join(["select count(*) from awa.", table]))
        return count


_FOLDERS = ("inner", "producer", "worker", "leader", "operator")
_SIGNATURE = """
select pg_get_function_identity_arguments(p.oid) as takes, pg_get_function_result(p.oid) as gives,
  array_to_string(array(select '$' || i from generate_series(1, p.pronargs) i), ', ') as marks
from pg_proc p where p.pronamespace = 'awa'::regnamespace and p.proname = $1
"""
# The original keeps its name, by which its body calls its parameters, in a schema of its own.
_GATE = """
create schema if not exists behind;
alter function awa.{function}({takes}) set schema behind;
create function awa.{function}({takes}) returns {gives} language plpgsql as $gate$
declare
  answer {gives} := behind.{function}({marks});
begin
if pg_backend_pid() = {pid} and {when} then
  -- A verb that has bounded its own waits is stopped for as long as any other.
  perform set_config('lock_timeout', '0', true);
  perform pg_advisory_lock_shared(1, 1), pg_advisory_unlock_shared(1, 1);
end if;
return answer;
end;
$gate$;
"""
_CLOCK = """
create table awa.test_clock (ahead interval not null);
insert into awa.test_clock values ('0');
create or replace function awa.clock() returns timestamptz language sql volatile as $$
select clock_timestamp() + (select c.ahead from awa.test_clock c);
$$;
"""
_JSON = frozenset({"args", "tags", "metadata", "errors", "progress"})
