"""What one worker of the fleet does for all: promote, sort, rescue, expire, rotate, prune, tally.

Owns: the leader's epoch, and the pace of each sweep.
Keeps: a sweep without an epoch does nothing. Long sweeps never delay short ones: each has a loop
    of its own, and takes a connection of the pool for as long as its verb runs.
Above: engine. Below: service, config, errors, store.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from awa.config import RuntimeConfig
from awa.errors import AwaError
from awa.runtime.service import Service
from awa.store import Store
from awa.store.leader import LeaderStore, is_deposed

__all__ = ["Maintenance"]

logger = logging.getLogger(__name__)

LEASE_TIMES = 3
"""The lease lasts so many elections: two may be missed before another worker leads."""

PROMOTE_MAX, PROMOTE_ROUNDS = 4096, 32
SORT_MAX = 1000
RESCUE_MAX = 500
RESCUES_A_STALENESS = 4
"""At least: sweeps half of it apart leave a gap each time, and then nobody is lost, ever."""

GRACE_S = 5.0
"""How long past its deadline an attempt is left to its own worker."""

TALLY_S, ROTATE_S, CLEANUP_S = 10.0, 5.0, 60.0
SEGMENTS_A_RETENTION = 6
"""Few, for each statement locks all partitions; more would give storage back in finer portions."""

SEGMENT_BYTES_MAX = 2**30
SEGMENT_S_MIN = 60.0
"""Never by the second: each truncation leaves dead rows in the catalog."""

PRUNE_WAIT_MS = 50
"""While it waits for its lock, who comes after it waits too."""


class Sweep(Service):
    """One duty, done while this worker leads."""

    def __init__(
        self,
        name: str,
        pace_s: float,
        leads: "Maintenance",
        duty: "Callable[[LeaderStore, int], Awaitable[bool]]",
    ) -> None:
        super().__init__(pace_s)
        self.name = name
        self._leads = leads
        self._duty = duty

    async def run_once(self) -> bool:
        """Do the duty once, if this worker leads."""
        epoch = self._leads.epoch
        if epoch is None:
            return False
        try:
            return await self._duty(await self._leads.store.leader(), epoch)
        except AwaError as error:
            if not is_deposed(error):
                raise
            self._leads.depose(epoch)
            return False


class Maintenance(Service):
    """The election, and the sweeps that depend on it."""

    name = "election"

    def __init__(self, store: Store, config: RuntimeConfig, worker: Callable[[], int]) -> None:
        super().__init__(config.leader_election_interval_ms / 1000)
        self.store = store
        self.epoch: int | None = None
        self._config = config
        self._worker = worker
        self._promoted_to: datetime | None = None
        self._intake_young = 0
        # An election that is under way ends before this worker resigns, and no other follows.
        self._voting = asyncio.Lock()
        self._has_resigned = False
        self.sweeps = [
            Sweep("promote", config.promote_interval_ms / 1000, self, self._promote),
            Sweep("rescue", self._rescue_pace_s, self, self._rescue),
            Sweep("expire", config.deadline_rescue_interval_ms / 1000, self, self._expire),
            Sweep("rotate", ROTATE_S, self, self._rotate),
            Sweep("tally", TALLY_S, self, self._tally),
            Sweep("prune", CLEANUP_S, self, self._prune),
            Sweep("purge", CLEANUP_S, self, self._purge),
        ]

    async def run_once(self) -> bool:
        """Become the leader, or stay it."""
        async with self._voting:
            if self._has_resigned:
                return False
            leader = await self.store.leader()
            epoch = await leader.elect(self._worker(), LEASE_TIMES * self.pace_s)
        if epoch != self.epoch:
            logger.info(
                "worker %d %s", self._worker(), f"leads in epoch {epoch}" if epoch else "follows"
            )
            self.epoch = epoch
            self._promoted_to = None
        return False

    def depose(self, epoch: int) -> None:
        """Another worker leads by now."""
        if self.epoch == epoch:
            self.epoch = None

    async def run(self) -> None:
        """Take part in elections, and sweep while leading."""
        async with asyncio.TaskGroup() as group:
            group.create_task(super().run())
            for sweep in self.sweeps:
                group.create_task(sweep.run())

    async def resign(self) -> None:
        """Let another worker lead at once, and do not lead again."""
        async with self._voting:
            self._has_resigned = True
        epoch, self.epoch = self.epoch, None
        if epoch is not None:
            try:
                await (await self.store.leader()).resign(epoch)
            except AwaError as error:
                logger.info("could not resign, the lease runs out by itself: %s", error)

    # --- The sweeps ----------------------------------------------------------------------------

    async def _promote(self, leader: LeaderStore, epoch: int) -> bool:
        for _ in range(PROMOTE_ROUNDS):
            done = await leader.promote(epoch, self._promoted_to, PROMOTE_MAX)
            self._promoted_to = done.clean_to
            is_sorted = not done.has_intake or await self._sort(leader, epoch)
            if done.queues:
                await (await self.store.producer()).wake(done.queues)
            if done.count < PROMOTE_MAX and is_sorted:
                return False
        return True

    async def _sort(self, leader: LeaderStore, epoch: int) -> bool:
        """Sort some of the intake; return whether that was all."""
        # Settled when a look after this one still sees nothing: the producer had its time.
        notes = await leader.sort(epoch, SORT_MAX, settles=self._intake_young > 1)
        self._intake_young = self._intake_young + 1 if "young" in notes else 0
        return "more" not in notes

    async def _rescue(self, leader: LeaderStore, epoch: int) -> bool:
        stale_s = self._config.heartbeat_staleness_ms / 1000
        rescued = await leader.rescue(epoch, stale_s, RESCUE_MAX)
        for worker, count in rescued.items():
            logger.warning("worker %d is lost; %d entries rescued", worker, count)
        return sum(rescued.values()) >= RESCUE_MAX

    async def _expire(self, leader: LeaderStore, epoch: int) -> bool:
        expired = await leader.expire(epoch, GRACE_S, RESCUE_MAX)
        return any(count >= RESCUE_MAX for count in expired.values())

    async def _rotate(self, leader: LeaderStore, epoch: int) -> bool:
        age_s = max(self._retention_s / SEGMENTS_A_RETENTION, SEGMENT_S_MIN)
        done = await leader.rotate(epoch, age_s, SEGMENT_BYTES_MAX)
        # A full look, now and then, for what a clock that was put back may have hidden.
        if done == "switched":
            self._promoted_to = None
        return done is not None

    async def _tally(self, leader: LeaderStore, epoch: int) -> bool:
        await leader.tally(epoch)
        return False

    async def _prune(self, leader: LeaderStore, epoch: int) -> bool:
        return await leader.prune(epoch, self._retention_s, PRUNE_WAIT_MS) is not None

    async def _purge(self, leader: LeaderStore, epoch: int) -> bool:
        count_max = self._config.cleanup_batch_size
        failed_s = self._config.failed_retention_hours * 3600
        return await leader.purge(epoch, self._retention_s, failed_s, count_max) >= count_max

    @property
    def _rescue_pace_s(self) -> float:
        longest_ms = self._config.heartbeat_staleness_ms / RESCUES_A_STALENESS
        return min(self._config.heartbeat_rescue_interval_ms, longest_ms) / 1000

    @property
    def _retention_s(self) -> float:
        return self._config.completed_retention_hours * 3600
