"""Gates between the statements of a verb: a connection stops at each until it is let through.

Owns: how gates are built into a test's copy of the verbs, and how a call is taken through them.
Keeps: a verb with gates is its own text, with a call put between two of its statements and nothing
    else; a connection without a key passes. That a gate is reached is a notice, which the server
    sends at once, so nobody asks again and again.
Above: the replays. Below: awa; tests.rig.
"""

import asyncio
import itertools
from collections.abc import Coroutine, Mapping
from typing import Any

import asyncpg

from awa.errors import AwaError
from tests.rig import Rig

CLASS = 77
"""The first half of the keys; the second is told apart by connection and gate."""
GATES_MAX = 1000

GATE = """
create function awa.gate(at text) returns void language plpgsql as $$
declare
  key int := nullif(current_setting('gate.key', true), '')::int;
  n int := coalesce(nullif(current_setting('gate.n', true), ''), '0')::int + 1;
  patience text := current_setting('lock_timeout');
begin
if key is not null then
  perform set_config('gate.n', n::text, true);
  raise notice 'gate %', at;
  -- A verb that has bounded its own waits is stopped for as long as any other.
  perform set_config('lock_timeout', '0', true);
  perform pg_advisory_lock_shared(77, key + n), pg_advisory_unlock_shared(77, key + n);
  perform set_config('lock_timeout', patience, true);
end if;
end;
$$;
"""

Gates = Mapping[str, Mapping[str, str]]
"""By verb, and by the text after which it stops: the gate's name, which is that of the action."""

Bug = tuple[str, str, str]
"""A verb, a piece of its text, and what is put in its place."""

_key = itertools.count(1)


async def build(rig: Rig, gates: Gates, bug: Bug | None = None) -> None:
    """Make the verbs anew with gates in them, and with a bug if one is sown."""
    await rig.watcher.execute(GATE)
    for verb in {*gates, *(bug[:1] if bug else ())}:
        pieces = [bug[1:]] if bug and bug[0] == verb else []
        for after, name in gates.get(verb, {}).items():
            pieces.append((after, f"{after}\nperform gate('{name}');"))
        await rig.put(verb, *pieces)


class Gated:
    """A connection that stops at gates, and who keeps them."""

    def __init__(self, conn: asyncpg.Connection, keeper: asyncpg.Connection) -> None:
        self.conn, self.keeper = conn, keeper
        self.key = next(_key) * GATES_MAX
        self.call: asyncio.Task[Any] | None = None
        self._reached: asyncio.Queue[str] = asyncio.Queue()
        self._passed = 0
        conn.add_log_listener(self._hear)

    @classmethod
    async def open(cls, rig: Rig) -> "Gated":
        """Connect."""
        made = cls(await rig.connect(), await rig.connect())
        await made.conn.execute(f"set gate.key = {made.key}")
        return made

    def _hear(self, _conn: object, message: asyncpg.PostgresLogMessage) -> None:
        word, _, name = (message.message or "").partition(" ")
        if word == "gate":
            self._reached.put_nowait(name)

    def begin_transaction(self) -> None:
        """Count anew: gates are numbered within a transaction."""
        self._passed = 0

    async def begin(self, call: Coroutine[Any, Any, Any]) -> str | None:
        """Begin a call; return the gate that it comes to, or None if it is answered."""
        sql = "select pg_advisory_lock($1, $2)"
        await self.keeper.execute(sql, CLASS, self.key + self._passed + 1)
        self.call = asyncio.ensure_future(call)
        return await self.stop()

    async def go_on(self) -> str | None:
        """Let the call through; return the next gate, or None if it is answered."""
        await self.let_through()
        return await self.stop()

    async def let_through(self) -> None:
        """Close the next gate, and open the one that the call stands at."""
        sql = "select pg_advisory_lock($1, $2 + 1), pg_advisory_unlock($1, $2)"
        await self.keeper.execute(sql, CLASS, self.key + self._passed)

    async def stop(self) -> str | None:
        """Return the gate that a call comes to; None if it is answered."""
        assert self.call is not None
        reached = asyncio.ensure_future(self._reached.get())
        await asyncio.wait({self.call, reached}, return_when=asyncio.FIRST_COMPLETED)
        if reached.done():
            self._passed += 1
            return reached.result()
        reached.cancel()
        await self._open()
        return None

    async def _open(self) -> None:
        await self.keeper.execute("select pg_advisory_unlock_all()")

    async def break_off(self) -> None:
        """Have the call end where it stands, with an error."""
        assert self.call is not None
        await self.keeper.execute("select pg_cancel_backend($1)", self.conn.get_server_pid())
        try:
            await self.call
        except (AwaError, asyncpg.PostgresError) as error:
            assert isinstance(error.__cause__ or error, asyncpg.QueryCanceledError)
        else:
            raise AssertionError("it was answered")
        await self._open()

    async def answer(self) -> Any:
        """Return what the call was answered."""
        assert self.call is not None
        return await self.call
