"""Queue.tla as deeds: how each of its actions is asked of the engine, and judged.

Owns: what is asked of the verbs for an action, and how what came of it is named in the model.
Keeps: what the model allows happens, and the tables show one of the states that it leads to; what
    it does not allow is refused, and changes nothing. Where the engine chooses (which entry a claim
    takes, which job comes due) what it chose must be allowed, and it must choose as long as it
    has room.
Above: test_queue. Below: lives; awa.lab, awa.store; tests.rig, tests.store.arena.
"""

from dataclasses import dataclass, field
from typing import Any

from awa.lab import tla
from awa.store.worker import Finish, WorkerStore
from tests.generated.lives import JOBS, NONE, WORKERS, Shown
from tests.rig import STALE_S, Worker
from tests.store.arena import Arena, Machine

KNOWN, ODD = "k", "odd"
KINDS = [(KNOWN,), (KNOWN, ODD)]
"""What the two workers that live know; who is lost is followed by another with the same."""

ACTION_BY_VERDICT = {
    None: "Complete",
    "retry": "Retry",
    "snooze": "Snooze",
    "fail": "Fail",
    "release": "Release",
    "cancel": "Cancel",
}


@dataclass(slots=True)
class Actor:
    """A worker that lives, or the ghost of one that was declared lost."""

    name: str
    hands: Worker
    kinds: tuple[str, ...]
    believes: set[int] = field(default_factory=set)


class Deeds(Machine):
    """Jobs, two workers and their ghosts, a leader and an operator."""

    def __init__(self, room: Arena) -> None:
        super().__init__(room)
        self.attempts_max = 0
        self.model: tla.Model
        self.state: tla.State
        self.ids: dict[str, int] = {}
        self.kinds: dict[str, str] = {}
        self.seqs: list[int] = []
        self.claims: dict[int, int] = {}
        self.late: set[int] = set()
        self.actors: list[Actor] = []
        self.alive: list[Actor] = []
        self.lanes = {1, 2}
        self.told: list[str] = []

    async def _begin_example(self) -> None:
        self.queue = await self.room.fresh_queue()
        for n in range(len(KINDS)):
            await self._register(n)

    async def _register(self, n: int) -> None:
        conn = self.room.producers[n]
        told = await WorkerStore(conn).register("g", [self.queue], KINDS[n])
        hands = Worker(conn, told.worker, told.queues)
        actor = Actor(WORKERS[len(self.actors)], hands, KINDS[n])
        self.actors.append(actor)
        self.alive[n : n + 1] = [actor]

    # --- The model, and what is shown -----------------------------------------------------------

    def var(self, name: str) -> Any:
        """Return what a variable of the model is now."""
        return self.state[self.model.variables.index(name)]

    def may(self, action: str, *args: tla.Value) -> bool:
        """Tell if the model allows an action now."""
        return bool(self.model.step(action, args, self.state))

    def take(self, action: str, *args: tla.Value) -> None:
        """Take a step of the model that the engine has taken."""
        self.told.append(f"{action}{args}")
        after = self.model.step(action, args, self.state)
        if not after:
            guards = [guard.text for guard in self.model.why_not(action, args, self.state)]
            raise AssertionError(f"this happened, against {guards}: {self.told}")
        assert len(after) == 1
        self.state = after[0]

    def born(self, shown: Shown, job: str) -> None:
        """Name the entry that a job has come to have."""
        fresh = [
            seq
            for seq, one in shown.entries.items()
            if seq not in self.seqs and one["id"] == self.ids[job]
        ]
        assert len(fresh) <= 1, f"{job} has come to have {len(fresh)} entries: {self.told}"
        self.seqs += fresh

    async def look(self) -> Shown:
        """Look at the tables."""
        workers = [actor.hands.worker for actor in self.actors]
        return await Shown.read(self.room.rig.conn, list(self.ids.values()), workers)

    def judge(self, shown: Shown) -> None:
        """Require that the tables show the state that the model is in."""
        names = {number: job for job, number in self.ids.items()}
        workers = {actor.hands.worker: actor.name for actor in self.actors}
        believes = {actor.name: actor.believes for actor in self.actors}
        now: dict[str, Any] = dict(zip(self.model.variables, self.state, strict=True))
        found = shown.variables(self.seqs, names, workers, believes, now)
        odd = {name: value for name, value in found.items() if value != now[name]}
        told = [f"{name} is {tla.render(odd[name])}, not {tla.render(now[name])}" for name in odd]
        assert not told, "\n".join(["after", *self.told, *told])

    async def agree(self, *jobs: str) -> None:
        """Look and judge; these jobs may have come to have an entry."""
        shown = await self.look()
        for job in jobs:
            self.born(shown, job)
        self.judge(shown)

    def job_of(self, entry: int) -> str:
        """Return whose entry it is."""
        return str(self.var("entries")[entry - 1]["job"])

    def entry(self, n: int) -> int:
        """Return an entry by any number."""
        return n % len(self.seqs) + 1

    def entries(self) -> list[int]:
        """Return all entries."""
        return list(range(1, len(self.seqs) + 1))

    # --- Births ---------------------------------------------------------------------------------

    async def _enqueue(self, place: str, kind: str) -> None:
        if len(self.ids) == len(JOBS):
            return
        fresh = sorted({3, 4} - self.lanes)
        place = place if fresh or place != "intake" else "main"
        how: dict[str, Any] = {"queue": self.queue, "kind": kind}
        how |= {"priority": fresh[0]} if place == "intake" else {}
        if place == "deferred":
            sql = "select awa.clock() + interval '1 hour'"
            how["run_at"] = await self.room.rig.conn.fetchval(sql)
        (number,) = await self.room.rig.enqueue(max_attempts=self.attempts_max, **how)
        job = JOBS[len(self.ids)]
        self.ids[job], self.kinds[job] = number, kind
        self.take("Enqueue", job, place)
        await self.agree(job)

    async def _sort(self, n: int) -> None:
        waiting = [e for e in self._movable() if self._lane(e) == "intake"]
        await self.room.leader.sort(n)
        # Whatever it was that was moved, there is a lane for it by now.
        rows = await self.room.rig.conn.fetch(
            "select l.priority from awa.lane l join awa.queue q on q.queue = l.queue "
            "where q.name = $1 and not l.returning_jobs and l.kind is null",
            self.queue,
        )
        self.lanes = {row["priority"] for row in rows}
        moved = await self._diverted(waiting)
        assert self._is_all(len(moved), n, waiting), f"the sort moved {moved}: {self.told}"

    def _is_all(self, count: int, room: int, candidates: list[int]) -> bool:
        """Tell if a claim dealt with as many as it could; what was cancelled takes room as well."""
        entries = self.var("entries")
        passed = sum(one["outcome"] == "cancelled" and one["worker"] == NONE for one in entries)
        most = min(room, len(candidates))
        return bool(most - passed <= count <= most)

    def _movable(self) -> list[int]:
        return [e for e in self.entries() if self.may("Divert", e)]

    def _lane(self, entry: int) -> str:
        return str(self.var("entries")[entry - 1]["lane"])

    async def _diverted(self, candidates: list[int]) -> list[int]:
        """Take the steps of what was moved; return it."""
        shown = await self.look()
        moved = [e for e in candidates if shown.entries[self.seqs[e - 1]]["moves"]]
        for e in moved:
            self.take("Divert", e)
            self.born(shown, self.job_of(e))
        self.judge(shown)
        return moved

    # --- Claims and finishes --------------------------------------------------------------------

    def _actor(self, w: int, is_ghost: bool) -> Actor:
        some = self.actors if is_ghost else self.alive
        return some[w % len(some)]

    async def _claim(self, actor: Actor, room: int, has_deadline: bool = False) -> None:
        may_take = [e for e in self.entries() if self.may("Claim", actor.name, e)]
        takes = [e for e in may_take if self.kinds[self.job_of(e)] in actor.kinds]
        is_lost = actor.name in self.var("lost")
        moves = [] if is_lost else [e for e in self._movable() if self._lane(e) == "main"]
        moves = [e for e in moves if self.kinds[self.job_of(e)] not in actor.kinds]
        deadline_s = 10 if has_deadline else 0
        answer = await actor.hands.step(room=room, kinds=actor.kinds, deadline_s=deadline_s)
        assert answer.is_lost == is_lost
        taken = [self.seqs.index(row["seq"]) + 1 for row in answer.rows]
        for e in taken:
            self.take("Claim", actor.name, e)
            actor.believes.add(e)
        self.claims |= {row["seq"]: row["claim"] for row in answer.rows}
        if has_deadline:
            self.late |= set(taken)
        moved = await self._diverted(moves)
        assert set(taken) <= set(takes), f"{taken} of a kind that it does not know: {self.told}"
        count = len(taken) + len(moved)
        assert self._is_all(count, room, takes + moves), f"{taken}, {moved}: {self.told}"

    def runs(self) -> list[tuple[Actor, int]]:
        """Return who thinks it runs what."""
        return [(actor, e) for actor in self.actors for e in sorted(actor.believes)]

    async def _finish(self, actor: Actor, entry: int, verdict: str | None) -> None:
        job, seq = self.job_of(entry), self.seqs[entry - 1]
        is_live = self.may("Complete", actor.name, entry)
        told = {"verdict": verdict, "delay_s": 100, "error": "e"} if verdict else None
        batch = [Finish(self.claims.get(seq, 2**30), seq, 1, told)]
        answer = await actor.hands.store.step(actor.hands.worker, batch, [], actor.kinds)
        assert answer.stale == (set() if is_live else {seq}), f"{entry} by {actor}: {self.told}"
        if not is_live:
            self.take("Refuse", actor.name, entry)
        elif verdict == "cancel":
            self.take("Cancel", actor.name, job)
        else:
            self.take(ACTION_BY_VERDICT[verdict], actor.name, entry)
        actor.believes.discard(entry)
        await self.agree(job)

    async def _cancel(self, job: str) -> None:
        is_allowed = self.may("Cancel", NONE, job)
        assert await self.room.rig.operator.cancel(self.ids[job]) == is_allowed, (job, self.told)
        if is_allowed:
            self.take("Cancel", NONE, job)
        await self.agree()

    # --- The leader, and the operator -----------------------------------------------------------

    async def _sweep(self, w: int, n: int) -> None:
        """Let a worker fall silent; rescue up to n entries of it, and of those before it."""
        silent = self.alive[w] if w >= 0 and len(self.actors) < len(WORKERS) else None
        ghosts = [actor for actor in self.actors if actor not in self.alive]
        # Four looks, so that heartbeats have been read for long enough.
        for nth in range(4):
            await self.room.rig.pass_time(STALE_S / 2.5)
            for actor in (*self.alive, *(ghosts if nth == 0 else ())):
                if actor is not silent:
                    beat = await actor.hands.store.heartbeat(actor.hands.worker, [], {})
                    assert beat.is_alive == (actor.name not in self.var("lost"))
            leader = self.room.leader
            await leader.store.rescue(leader.epoch, STALE_S, n)
        shown = await self.look()
        if silent is not None and silent.hands.worker in shown.lost:
            self.take("Lose", silent.name)
            await self._register(w)
        lost = [actor for actor in self.actors if actor.name in self.var("lost")]
        for actor in lost:
            self._rescued(shown, actor)
        self.judge(shown)
        left = [(a.name, e) for a in lost for e in self.entries() if self.may("Rescue", a.name, e)]
        assert n < 1000 or (not left and silent in (None, *lost)), f"{left} are left: {self.told}"

    def _rescued(self, shown: Shown, actor: Actor) -> None:
        """Take the steps of what was rescued under a worker."""
        for e, seq in enumerate(self.seqs, 1):
            is_over = self.var("entries")[e - 1]["outcome"] != NONE
            one = shown.entries[seq]
            holds = one["worker"] == actor.hands.worker
            if holds and not is_over and one["outcome"] == "rescued":
                self.take("Rescue", actor.name, e)

    async def _expire(self) -> None:
        await self.room.rig.pass_time(20)
        await self.room.leader.store.expire(self.room.leader.epoch, 1, 1000)
        lost = self.var("lost")
        # What a lost worker holds is rescued as that, and not for being late.
        for actor in self.actors:
            for e in sorted(self.late) if actor.name not in lost else ():
                if self.may("Rescue", actor.name, e):
                    self.take("Rescue", actor.name, e)
        await self.agree()

    async def _promote(self, n: int) -> None:
        # The model has no clock, so all that is deferred is due.
        await self.room.rig.pass_time(90_000)
        due = sorted(self.var("deferred"))
        leader = self.room.leader
        told = await leader.store.promote(leader.epoch, None, n)
        shown = await self.look()
        gone = [job for job in due if self.ids[job] not in shown.deferred]
        for job in gone:
            self.take("Promote", job)
            self.born(shown, job)
        self.judge(shown)
        assert told.count == len(gone) == min(n, len(due)), f"{gone} of {due}: {self.told}"

    async def _die(self, times: int) -> None:
        for _ in range(times):
            await self._claim(self.alive[1], 3)
            await self._sweep(1, 1000)
            await self._promote(1000)

    def held(self) -> list[str]:
        """Return the jobs that wait for a person."""
        return [job for job in self.ids if self.may("Redrive", job)]

    async def _redrive(self, job: str) -> None:
        is_allowed = self.may("Redrive", job)
        assert await self.room.rig.operator.redrive(self.ids[job]) == is_allowed, (job, self.told)
        if is_allowed:
            self.take("Redrive", job)
        await self.agree(job)

    async def _discard(self, n: int) -> None:
        held = self.held()
        leader = self.room.leader
        count = await leader.store.purge(leader.epoch, 0, 0, n)
        shown = await self.look()
        gone = [job for job in held if self.ids[job] not in shown.held]
        for job in gone:
            self.take("Discard", job)
        self.judge(shown)
        assert count == len(gone) == min(n, len(held)), f"{gone} of {held}: {self.told}"

    # --- The end --------------------------------------------------------------------------------

    async def come_to_rest(self) -> None:
        """Every step was judged; there is nothing more to say."""

    async def leave(self) -> None:
        """Clear the arena for the next example: no job waits, no worker is silent."""
        leader = self.room.leader
        for number in self.ids.values():
            await self.room.rig.operator.cancel(number)
        for actor in self.alive:
            await actor.hands.store.retire(actor.hands.worker)
        await leader.store.rescue(leader.epoch, STALE_S, 1000)
        await leader.store.purge(leader.epoch, 0, 0, 1000)
        while "more" in await leader.sort(1000, settles=True):
            pass
