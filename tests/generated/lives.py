"""What the database shows of some jobs and workers, in the words of Queue.tla.

Owns: how tables read as the variables of Queue.
Keeps: what is shown is read from the logs, and from no view; a row too many is an error, never
    overlooked. What no table says (which entries a worker believes it runs, the counts of a job
    that is discarded) is handed in.
Above: queue_deeds. Below: awa.lab.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import asyncpg

from awa.lab import tla, tlc
from awa.lab.tla.values import function

JOBS = [f"j{n}" for n in range(1, 9)]
WORKERS = [f"w{n}" for n in range(1, 17)]
ENTRIES_MAX = 60
DEATHS_MAX = 5
"""As rescue_entry has it."""

NONE = "none"
COUNTS = ("attempt", "lease", "deaths")


@cache
def model(attempts_max: int) -> tla.Model:
    """Return Queue for jobs that may be tried so often, with bounds that no example comes near."""
    constants: dict[str, tla.Value] = {
        "Jobs": frozenset(JOBS),
        "Workers": frozenset(WORKERS),
        "MaxAttempts": attempts_max,
        "MaxDeaths": DEATHS_MAX,
        "MaxEntries": ENTRIES_MAX,
        "MaxLost": len(WORKERS),
        "Places": frozenset({"intake", "main", "deferred"}),
    }
    return tla.load(tlc.spec_folder() / "Queue.tla", constants)


@dataclass(slots=True)
class Shown:
    """What one look at the tables found; of a worker that is lost the row may be gone, too."""

    entries: dict[int, dict[str, Any]]
    deferred: dict[int, dict[str, Any]]
    held: dict[int, dict[str, Any]]
    lost: set[int]

    @classmethod
    async def read(cls, conn: asyncpg.Connection, ids: list[int], workers: list[int]) -> "Shown":
        """Look."""
        row = await conn.fetchrow(_LOOK, ids, workers)
        deferred, held = json.loads(row["deferred"]), json.loads(row["held"])
        found = {one["id"]: one for one in deferred}
        assert len(found) == len(deferred), "a job is deferred twice"
        entries = {one["seq"]: one for one in json.loads(row["entries"])}
        by_id = {one["id"]: one for one in held}
        return cls(entries, found, by_id, set(row["lost"]))

    def variables(
        self,
        seqs: list[int],
        job_by_id: Mapping[int, str],
        worker_by_id: Mapping[int, str],
        believes: Mapping[str, set[int]],
        before: Mapping[str, Any],
    ) -> dict[str, tla.Value]:
        """Return the variables of Queue; entry n is the nth of seqs."""
        assert set(self.entries) == set(seqs), "an entry is there that nobody appended, or is gone"
        entries = [self.entries[seq] for seq in seqs]
        held: dict[str, Any] = dict.fromkeys(JOBS, NONE)
        counts: dict[str, dict[str, int]] = {name: dict.fromkeys(JOBS, 0) for name in COUNTS}
        for number, job in job_by_id.items():
            held[job], past = self._held(number)
            for name in COUNTS:
                counts[name][job] = before[name][job] if past is None else past.get(name) or 0
        numbers = range(ENTRIES_MAX)
        return {
            "enqueued": frozenset(job_by_id.values()),
            "entries": tuple(_entry(one, job_by_id, worker_by_id) for one in entries),
            "deferred": frozenset(job_by_id[number] for number in self.deferred),
            "held": function(held),
            **{name: function(counts[name]) for name in COUNTS},
            "lost": frozenset(worker_by_id[number] for number in self.lost),
            "believes": function({name: frozenset(believes.get(name, ())) for name in WORKERS}),
            "claimCount": _counts([one["claims"] for one in entries], numbers),
            "endCount": _counts([_ends(one) for one in entries], numbers),
        }

    def _held(self, number: int) -> tuple[str, dict[str, Any] | None]:
        """Return why a job is held, and what its newest place says of its past."""
        if number in self.held:
            one = self.held[number]
            past = one["past"] or {}
            is_poison = "(quarantined: " in json.dumps((past.get("errors") or [""])[-1])
            return "quarantined" if is_poison else one["state"], past
        if number in self.deferred:
            return NONE, self.deferred[number]["past"] or {}
        for one in self.entries.values():
            if one["id"] == number and _outcome(one) in (NONE, "completed"):
                past = one["past"] or {}
                if one["claims"]:
                    past = {**past, **{n: (past.get(n) or 0) + 1 for n in ("attempt", "lease")}}
                return NONE, past
        return "discarded", None


def _outcome(one: Mapping[str, Any]) -> str:
    """Return how an entry ended, as its rows say."""
    if one["moves"]:
        assert not one["outcome"], f"it was moved, and {one['outcome']}"
        return "moved"
    if one["claims"]:
        assert one["ends"] or not one["outcome"], f"{one['outcome']}, and no part of its claim"
        return (one["outcome"] or "completed") if one["ends"] else NONE
    return one["outcome"] or NONE


def _ends(one: Mapping[str, Any]) -> int:
    """Return how often an entry ended."""
    alone = 1 if one["outcome"] and not one["claims"] else 0
    return int(one["ends"] + one["moves"] + alone)


def _entry(
    one: Mapping[str, Any], job_by_id: Mapping[int, str], worker_by_id: Mapping[int, str]
) -> tla.Value:
    lane = "intake" if one["in_intake"] else "aside" if one["is_aside"] else "main"
    return function(
        {
            "job": job_by_id[one["id"]],
            "lane": lane,
            "worker": worker_by_id[one["worker"]] if one["claims"] else NONE,
            "outcome": _outcome(one),
        }
    )


def _counts(found: list[int], numbers: range) -> tla.Value:
    return tuple(found[n] if n < len(found) else 0 for n in numbers)


_LOOK = """
select
(select coalesce(json_agg(t), '[]') from (
  select e.seq, e.id, e.past, l.queue = 0 as in_intake, l.kind is not null as is_aside, x.outcome,
    c.worker, coalesce(c.claims, 0) as claims, coalesce(c.ends, 0) as ends, m.moves
  from awa.entry e join awa.lane l on l.lane = e.seq >> 40
  left join awa.ending x on x.seq = e.seq
  cross join lateral (
    select min(k.worker) as worker, count(*) as claims, sum((
      select count(*) from awa.part p where p.claim = k.claim and p.seqs @> e.seq)) as ends
    from awa.claim k where k.seqs @> e.seq) c
  cross join lateral (
    select count(*) as moves from awa.claim k
    where k.claim between l.queue::bigint << 40 and (l.queue + 1)::bigint << 40
    and k.moved @> e.seq) m
  where e.id = any($1::bigint[])) t) as entries,
(select coalesce(json_agg(t), '[]') from (
  select d.id, d.past from awa.deferred d
  where d.id = any($1::bigint[])
  and not exists (select from awa.ending x where x.seq = d.seq)) t) as deferred,
(select coalesce(json_agg(t), '[]') from (
  select h.id, h.state, h.past from awa.held h where h.id = any($1::bigint[])) t) as held,
array(select u.id from unnest($2::int[]) u (id)
  where not exists (
    select from awa.worker w where w.worker = u.id and w.lost_at is null)) as lost
"""
