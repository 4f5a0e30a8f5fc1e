"""Arena: where a state machine of Hypothesis acts on a real database, one queue an example.

Owns: the loop, the connections and the leader that all examples of a test share.
Keeps: an example has a queue and workers of its own, and leaves neither locks nor backlog behind.
Above: the property tests. Below: tests.judged, tests.rig,
    tests.postgres.
"""

import asyncio
import itertools
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import asyncpg
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from awa.errors import AwaError
from awa.store.migrate import migrate
from tests import judged, postgres
from tests.rig import Leader, Rig, Worker

T = TypeVar("T")
FOUND = (AssertionError, AwaError, asyncpg.PostgresError)
"""How a machine says that something is wrong; a test that runs out of time has found nothing."""

PRODUCERS = 3
_number = itertools.count(1)


class Arena:
    """One database, its leader, and some producers' connections."""

    def __init__(self, runner: asyncio.Runner, url: str) -> None:
        self._runner = runner
        self.rig = Rig(url)
        self.producers: list[asyncpg.Connection] = []
        self.leader: Leader
        self._examples = itertools.count(1)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end."""
        return self._runner.run(coroutine)

    async def open(self) -> None:
        """Connect whoever stays."""
        await self.rig.__aenter__()
        await self.rig.have_movable_clock()
        self.producers = [await self.rig.connect() for _ in range(PRODUCERS)]
        self.leader = await self.rig.lead(await self.rig.worker("leader"))

    async def close(self) -> None:
        """Disconnect everybody."""
        await self.rig.__aexit__(None, None, None)

    async def fresh_queue(self) -> str:
        """Make a queue with lanes of two priorities, for one example."""
        queue = f"q{next(self._examples)}"
        for priority in (1, 2):
            await self.rig.conn.execute("select awa.open($1, $2)", queue, priority)
        return queue

    async def clear(self, *workers: Worker) -> None:
        """End what an example has left: transactions, prepared ones, and workers."""
        for conn in (*self.producers, self.leader.conn, *(worker.conn for worker in workers)):
            if conn.is_in_transaction():
                await conn.execute("rollback")
        gids = await self.rig.conn.fetch(
            "select gid from pg_prepared_xacts where database = current_database()"
        )
        for row in gids:
            await self.rig.conn.execute(f"rollback prepared '{row['gid']}'")
        for worker in workers:
            await worker.conn.close()


@contextmanager
def arena(server: postgres.Server, *, is_sown: bool = False) -> Iterator[Arena]:
    """Make a database for one test, and a loop that its examples run in; judge the trace of it all.

    Where a bug is sown the examples must find it, and nothing else is judged.
    """
    name = f"m{os.getpid()}_{next(_number)}"
    with asyncio.Runner() as runner:
        address = runner.run(postgres.make_database(server, name, migrate))
        runner.run(judged.record(address))
        made = Arena(runner, address)
        runner.run(made.open())
        try:
            yield made
            if not is_sown:
                assert not (illegal := runner.run(judged.illegal(address, name))), illegal
        finally:
            runner.run(made.close())
            runner.run(postgres.drop_database(server, name))


class Machine(RuleBasedStateMachine):
    """A machine whose rules are coroutines, and whose end is judged unless a rule failed."""

    def __init__(self, room: Arena) -> None:
        super().__init__()
        self.room = room
        self.is_broken = False

    def act(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a rule; what it finds is the verdict on the example."""
        try:
            return self.room.run(coroutine)
        except BaseException:
            self.is_broken = True
            raise

    async def come_to_rest(self) -> None:
        """Let everybody end what they began, and judge what is left."""
        raise NotImplementedError

    async def leave(self) -> None:
        """Clear the arena for the next example."""
        raise NotImplementedError

    def teardown(self) -> None:
        """Judge the end, and clear up in any case."""
        try:
            if not self.is_broken:
                self.room.run(self.come_to_rest())
        finally:
            self.room.run(self.leave())


def profile(*, examples: int, steps: int, is_sure: bool = False) -> settings:
    """Return how long to try, by dice or, for what must be found, by the same dice every time.

    What is found is not shrunk: that takes many minutes, and a story of forty steps can be read.
    """
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=is_sure,
        database=None,
        phases=(Phase.generate,),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )


def try_out(make: Callable[[], Machine], how: settings) -> None:
    """Run a machine's examples."""
    # Any maker will do, though a class is asked for.
    run_state_machine_as_test(cast(Any, make), settings=how)
