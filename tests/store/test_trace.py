"""Trace: each verb writes what it did, in its own transaction, with what orders it.

Owns: which events a verb leaves, and their xid, number, lock and snapshot.
Keeps: a transaction that was rolled back leaves none; with tracing off nothing is written.
Above: nobody. Below: tests.rig, awa.store.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.rig import STALE_S, Rig, Worker

Event = dict[str, Any]


class Tape:
    """The events since it was last read."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._n = 0

    async def read(self) -> list[Event]:
        """Return the events since the last read, in their order."""
        rows = await self._rig.conn.fetch(
            "select * from awa.trace_event where n > $1 order by n", self._n
        )
        self._n = max([self._n, *(row["n"] for row in rows)])
        parsed = ("input", "output", "post")
        return [
            {k: json.loads(v) if k in parsed and v else v for k, v in row.items()} for row in rows
        ]

    async def acts(self) -> list[str]:
        """Return what was done since the last read."""
        return [event["act"] for event in await self.read()]


def numbers(text: str) -> list[int]:
    """Return the numbers of a set as the trace writes it."""
    inner = text.strip("{}")
    pairs = [one.strip("[)").split(",") for one in inner.split("),") if one]
    return [n for low, high in pairs for n in range(int(low), int(high))]


@pytest.fixture
async def tape(rig: Rig) -> Tape:
    """A tape of the rig's database."""
    return Tape(rig)


async def test_an_enqueue_is_told_with_its_names_and_no_lock(rig: Rig, tape: Tape) -> None:
    await rig.worker()
    await tape.read()
    (job,) = await rig.enqueue(priority=2)
    (event,) = await tape.read()
    assert (event["act"], event["lock"], event["snap"], event["k"]) == ("Enqueue", None, None, 1)
    assert event["output"] == {"ids": [job], "seqs": await rig.seqs([job])}
    xid = await rig.conn.fetchval("select xmin::text from awa.entry where id = $1", job)
    assert str(event["xid"]) == xid


@pytest.mark.parametrize("how", ["enqueue_many", "deferred", "intake"])
async def test_every_way_in_is_told_once(rig: Rig, tape: Tape, how: str) -> None:
    await rig.worker()
    await tape.read()
    if how == "enqueue_many":
        await rig.conn.execute("select from awa.enqueue_many('{k,k,k}', '{1,2,3}', 'q')")
    elif how == "deferred":
        await rig.conn.execute("select from awa.enqueue('k', '1', 'q', run_at => now() + '1 h')")
    else:
        await rig.enqueue(queue="unheard")
    (event,) = await tape.read()
    assert event["act"] == "Enqueue"
    seqs = event["output"]["seqs"]
    assert len(event["output"]["ids"]) == len(seqs) == (3 if how == "enqueue_many" else 1)
    # The lane says where it waits: none is the deferred jobs', the first is the intake's.
    lane = {seq >> 40 for seq in seqs}
    assert lane == {"deferred": {0}, "intake": {1}}.get(how, lane - {0, 1})


async def test_a_claim_is_told_with_the_snapshot_of_each_read(rig: Rig, tape: Tape) -> None:
    worker = await rig.worker()
    writer = await rig.begin()
    await rig.enqueue(conn=writer)
    seen = await rig.seqs(await rig.enqueue(2))
    await tape.read()
    await worker.claim()
    (event,) = await tape.read()
    assert (event["act"], event["lock"]) == ("Claim", f"queue:{worker.queues[0]}")
    assert event["actor"] == f"worker:{worker.worker}"
    assert numbers(event["output"]["seqs"]) == seen
    # The second is the look at what was passed over, once the locks have been read.
    read, again = event["post"]["reads"]
    assert numbers(read["found"]) == seen
    assert (numbers(again["asked"]), numbers(again["found"])) == ([seen[0] - 1], [])
    # The snapshot says that the writer was at work: nothing else orders the two.
    xid = await writer.fetchval("select pg_current_xact_id()::text")
    assert xid in read["snap"].split(":")[2].split(",") or int(xid) >= int(
        read["snap"].split(":")[1]
    )
    await writer.execute("commit")
    await worker.claim()
    # The enqueue's number is older than the first claim's: its transaction was under way.
    (claim,) = await tape.read()
    (look,) = claim["post"]["reads"]
    assert numbers(look["found"]) == [seen[0] - 1]
    assert xid not in look["snap"].split(":")[2].split(",")


async def test_in_one_step_the_finish_comes_before_the_claim(rig: Rig, tape: Tape) -> None:
    worker = await rig.worker()
    await rig.enqueue(4)
    one, two, three = await worker.take(3)
    await tape.read()
    batch = [
        worker.finish(one),
        worker.finish(two, "retry", delay_s=9),
        worker.finish(three, "fail"),
    ]
    await worker.step(batch)
    events = await tape.read()
    assert [event["act"] for event in events] == ["Complete", "Retry", "Fail", "Claim"]
    assert [event["k"] for event in events] == [1, 2, 3, 4]
    assert len({event["xid"] for event in events}) == 1
    complete = events[0]
    assert numbers(complete["input"]["failed"]) == [two, three]
    (part,) = complete["output"]["parts"]
    assert (part["part"], numbers(part["seqs"]), numbers(part["stale"])) == (
        1,
        [one, two, three],
        [],
    )


async def test_a_stale_finish_is_told_as_stale(rig: Rig, tape: Tape) -> None:
    worker = await rig.worker()
    await rig.enqueue()
    (seq,) = await worker.take()
    await worker.end(seq)
    await tape.read()
    await worker.end(seq, verdict="fail")
    (event,) = await tape.read()
    (part,) = event["output"]["parts"]
    assert (part["part"], numbers(part["seqs"]), numbers(part["stale"])) == (None, [], [seq])


@pytest.mark.parametrize(
    ("verdict", "act"),
    [
        ("retry", "Retry"),
        ("snooze", "Snooze"),
        ("fail", "Fail"),
        ("cancel", "Cancel"),
        ("release", "Release"),
    ],
)
async def test_each_verdict_is_told_by_its_name(
    rig: Rig, tape: Tape, verdict: str, act: str
) -> None:
    worker = await rig.worker()
    await rig.enqueue()
    (seq,) = await worker.take()
    await tape.read()
    await worker.end(seq, verdict=verdict, delay_s=60)
    first, second = await tape.read()
    assert (first["act"], second["act"], second["k"]) == ("Complete", act, 2)
    assert second["input"]["seq"] == seq and second["actor"] == f"worker:{worker.worker}"


async def test_a_divert_is_told_with_both_names(rig: Rig, tape: Tape) -> None:
    worker = await rig.worker()
    seqs = await rig.seqs(await rig.enqueue(2, kind="strange"))
    await tape.read()
    await worker.claim()
    claim, *diverts = await tape.read()
    assert [claim["act"], *(event["act"] for event in diverts)] == ["Claim", "Divert", "Divert"]
    assert numbers(claim["output"]["moved"]) == seqs
    assert [event["input"]["seq"] for event in diverts] == seqs
    assert {event["lock"] for event in diverts} == {claim["lock"]}


Deed = Callable[["Story"], Awaitable[object]]


class Story:
    """A worker, a leader and jobs in each place, for one deed to be told."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.jobs: dict[str, int] = {}

    async def begin(self) -> None:
        """Bring it all about."""
        rig = self.rig
        await rig.have_movable_clock()
        self.worker, self.dead = await rig.worker(), await rig.worker()
        self.leader = await rig.lead(self.worker)
        self.jobs["held"], self.jobs["running"], self.jobs["dying"] = await rig.enqueue(3)
        (seq,) = await self.worker.take(1)
        await self.worker.end(seq, verdict="fail")
        await self.worker.take(1, deadline_s=1)
        await self.dead.take(1)
        (self.jobs["waiting"],) = await rig.enqueue()
        at = await rig.conn.fetchval("select awa.clock()")
        (self.jobs["deferred"],) = await rig.enqueue(run_at=at)
        (self.jobs["intake"],) = await rig.enqueue(queue="unheard")

    async def rescue(self) -> None:
        """Have the dead one found."""
        await self.rig.let_die(self.leader, self.worker)

    async def expire(self) -> None:
        """Have the late one ended."""
        await self.rig.pass_time(STALE_S / 2)
        await self.leader.store.expire(self.leader.epoch, 1, 10)

    async def prune(self) -> None:
        """Have what is over truncated, and what lives carried."""
        await self.leader.sort()
        await self.leader.promote()
        third = await self.rig.worker("q", "unheard")
        await third.end(*await third.take())
        await self.leader.rotate()
        assert await self.leader.prune() == 1


DEEDS: dict[str, tuple[Deed, list[str]]] = {
    "register": (lambda s: s.rig.worker(), ["Register"]),
    "retire": (lambda s: s.leader.store.resign(s.leader.epoch), []),
    "cancel waiting": (lambda s: s.rig.operator.cancel(s.jobs["waiting"]), ["Cancel"]),
    "cancel running": (lambda s: s.rig.operator.cancel(s.jobs["running"]), ["EndOpen", "Cancel"]),
    "cancel deferred": (lambda s: s.rig.operator.cancel(s.jobs["deferred"]), ["Cancel"]),
    "cancel intake": (lambda s: s.rig.operator.cancel(s.jobs["intake"]), ["Cancel"]),
    "cancel held": (lambda s: s.rig.operator.cancel(s.jobs["held"]), []),
    "redrive": (lambda s: s.rig.operator.redrive(s.jobs["held"]), ["Redrive"]),
    "drain": (lambda s: s.rig.operator.drain("q"), ["Cancel", "Cancel"]),
    "promote": (lambda s: s.leader.promote(), ["Promote"]),
    "sort": (lambda s: s.leader.sort(), ["Claim", "Divert"]),
    "rescue": (Story.rescue, ["Lose", "EndOpen", "Rescue", "Done"]),
    "expire": (Story.expire, ["EndOpen", "Rescue"]),
    "rotate": (lambda s: s.leader.rotate(), ["Open", "Switch", "Seal", "Close"]),
    "heartbeat": (lambda s: s.worker.store.heartbeat(s.worker.worker, [], {}), []),
    "elect": (lambda s: s.rig.lead(s.worker), []),
    "tally": (lambda s: s.leader.store.tally(s.leader.epoch), []),
}


@pytest.mark.parametrize("deed", DEEDS)
async def test_each_verb_leaves_just_its_events(rig: Rig, tape: Tape, deed: str) -> None:
    story = Story(rig)
    await story.begin()
    await tape.read()
    act, told = DEEDS[deed]
    await act(story)
    events = await tape.read()
    assert [event["act"] for event in events] == told
    assert all(event["actor"] for event in events), "somebody did it"


async def test_an_election_and_a_retirement_are_told(rig: Rig, tape: Tape) -> None:
    one, two = await rig.worker(), await rig.worker()
    await tape.read()
    leader = await rig.lead(one)
    (event,) = await tape.read()
    assert (event["act"], event["output"]["epoch"]) == ("Elect", leader.epoch)
    await two.store.retire(two.worker)
    (event,) = await tape.read()
    assert (event["act"], event["input"]["worker"]) == ("Retire", two.worker)


async def test_a_prune_tells_what_it_carried(rig: Rig, tape: Tape) -> None:
    story = Story(rig)
    await story.begin()
    await story.prune()
    events = {event["act"]: event for event in await tape.read()}
    assert events["Prune"]["output"] == {"number": 1, "slot": 0}
    running = await rig.seqs([story.jobs["running"], story.jobs["dying"]])
    assert events["Carry"]["input"]["entries"] == running
    assert events["Carry"]["xid"] == events["Prune"]["xid"]


async def told_claims(rig: Rig) -> tuple[set[int], set[int]]:
    """Return the claims that follow the first of a queue, and those that an event tells of."""
    claims = await rig.conn.fetch("select claim from awa.claim where claim % (1::bigint << 40) > 0")
    events = await rig.conn.fetch("select output from awa.trace_event where act <> 'Complete'")
    outputs = [json.loads(row["output"]) for row in events]
    return {row["claim"] for row in claims}, {one["claim"] for one in outputs if "claim" in one}


async def test_a_claim_that_forgets_a_sleeper_is_told(rig: Rig) -> None:
    """Who checks a trace sees the numbers of a queue's claims without a gap."""
    story = Story(rig)
    await story.begin()
    await story.dead.step(asleep=True, room=1)
    await story.rescue()
    assert (await rig.newest())["sleepers"] == []
    stored, told = await told_claims(rig)
    assert stored <= told


async def test_a_claim_that_carries_a_cursor_is_told(rig: Rig) -> None:
    worker, leader = await rig.worker(), await rig.lead(await rig.worker("other"))
    await rig.enqueue(queue="other")
    await rig.enqueue()
    await leader.open_segment()
    await leader.switch_segment()
    # It lies in the first segment, which is held back, and says that the next lies in the second.
    await worker.end(*await worker.take())
    newest = await rig.newest()
    assert await leader.close_segment()
    await leader.rotate()
    assert await leader.prune_all() == [2]
    assert (await rig.newest())["claim"] == newest["claim"] + 1
    stored, told = await told_claims(rig)
    assert stored <= told


# --- What leaves nothing ------------------------------------------------------------------------


async def test_a_transaction_that_was_rolled_back_leaves_no_event(rig: Rig, tape: Tape) -> None:
    worker = await rig.worker()
    await rig.enqueue(2)
    (seq,) = await worker.take(1)
    await tape.read()
    for conn, deed in (
        (rig.conn, lambda: rig.enqueue()),
        (worker.conn, lambda: worker.step([worker.finish(seq)])),
    ):
        await conn.execute("begin")
        await deed()
        await conn.execute("rollback")
    assert await tape.read() == []


async def test_a_savepoint_takes_its_events_back_and_their_numbers(rig: Rig, tape: Tape) -> None:
    producer = await rig.begin()
    await tape.read()
    await rig.enqueue(conn=producer)
    await producer.execute("savepoint s")
    await rig.enqueue(2, conn=producer)
    await producer.execute("rollback to s")
    await rig.enqueue(conn=producer)
    await producer.execute("commit")
    assert [event["k"] for event in await tape.read()] == [1, 2]


async def test_events_are_numbered_anew_in_each_transaction(rig: Rig, tape: Tape) -> None:
    await tape.read()
    await rig.enqueue(3)
    events = await tape.read()
    assert [event["k"] for event in events] == [1, 1, 1]
    assert len({event["xid"] for event in events}) == 3


async def quiet(worker: Worker) -> None:
    """Turn tracing off for a worker's session."""
    await worker.conn.execute("set awa.trace to 'off'")


async def test_with_tracing_off_nothing_is_written(rig: Rig, tape: Tape) -> None:
    worker = await rig.worker()
    await quiet(worker)
    await rig.conn.execute("set awa.trace to 'off'")
    await tape.read()
    jobs = await rig.enqueue(4)
    await rig.enqueue(kind="strange")
    seqs = await worker.take(3)
    await worker.end(*seqs[:2])
    await worker.end(seqs[2], verdict="retry")
    await worker.claim()
    await rig.operator.cancel(jobs[3])
    assert await tape.read() == []
