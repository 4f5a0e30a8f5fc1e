"""Rescue: who does not speak is lost, and what it ran comes back; who is only slow loses nothing.

Owns: heartbeats, staleness after an outage, quarantine, deadlines, and what a stop gives back.
Keeps: a rescue and a claim of the same worker exclude each other; a zombie's word changes nothing.
Above: nobody. Below: tests.rig, awa.store.
"""

import asyncio
from typing import Any

import pytest

from tests.rig import STALE_S, Leader, Rig, Worker


async def dying(rig: Rig, n: int = 1, **how: Any) -> tuple[Leader, Worker, Worker, list[int]]:
    """Return a leader, its worker, another worker that will not speak, and what that runs."""
    await rig.have_movable_clock()
    alive, dead = await rig.worker(), await rig.worker()
    leader = await rig.lead(alive)
    await rig.enqueue(n, **how)
    return leader, alive, dead, await dead.take(n)


async def almost_lose(rig: Rig, leader: Leader, *alive: Worker) -> None:
    """Let two thirds of the time pass after which who does not speak is lost."""
    for _ in range(2):
        await rig.pass_time(STALE_S / 3)
        for worker in alive:
            await worker.store.heartbeat(worker.worker, [], {})
        assert await leader.store.rescue(leader.epoch, STALE_S, 10) == {}


# --- Workers ------------------------------------------------------------------------------------


@pytest.mark.story("a-lost-workers-entries-come-back")
async def test_what_a_lost_worker_ran_comes_back(rig: Rig) -> None:
    leader, alive, dead, seqs = await dying(rig, 3)
    await dead.end(seqs[0])
    assert await rig.let_die(leader, alive) == {dead.worker: 2}
    states = await rig.states()
    assert sorted(states.values()) == ["completed", "retryable", "retryable"]
    shown = await rig.job(max(states))
    (error,) = shown["errors"]
    assert error["error"] == "heartbeat stale: worker presumed dead"
    assert (shown["attempt"], shown["run_lease"]) == (1, 1)
    await rig.pass_time(10)
    assert await leader.promote() == 2
    assert len(await alive.claim()) == 2
    assert (await rig.job(max(states)))["run_lease"] == 2


@pytest.mark.story("a-zombie-is-refused")
async def test_the_finish_of_a_zombie_is_refused(rig: Rig) -> None:
    leader, alive, zombie, seqs = await dying(rig, 2)
    assert await rig.let_die(leader, alive) == {zombie.worker: 2}
    before = await rig.states()
    assert await zombie.end(*seqs) == set(seqs)
    assert await zombie.end(seqs[0], verdict="fail") == {seqs[0]}
    assert await rig.states() == before


@pytest.mark.story("the-lost-are-given-nothing")
async def test_who_was_declared_lost_is_given_nothing(rig: Rig) -> None:
    leader, alive, zombie, _ = await dying(rig)
    await rig.let_die(leader, alive)
    newer = await rig.enqueue()
    answer = await zombie.step()
    assert answer.is_lost and answer.rows == []
    assert not (await zombie.store.heartbeat(zombie.worker, [], {})).is_alive
    again = await rig.worker()
    assert again.worker > zombie.worker
    assert await again.claim() == newer


async def test_who_retired_is_given_nothing(rig: Rig) -> None:
    worker = await rig.worker()
    await rig.enqueue(2)
    (seq,) = await worker.take(1)
    assert not await worker.store.retire(worker.worker)
    await worker.end(seq)
    assert await worker.store.retire(worker.worker)
    assert (await worker.step()).is_lost


async def test_a_stranger_is_given_nothing(rig: Rig) -> None:
    worker = await rig.worker()
    jobs = await rig.enqueue()
    stranger = Worker(await rig.connect(), worker.worker + 1000, worker.queues)
    assert (await stranger.step()).is_lost
    assert not (await stranger.store.heartbeat(stranger.worker, [], {})).is_alive
    assert await worker.claim() == jobs


async def test_the_heartbeat_of_one_does_not_speak_for_another(rig: Rig) -> None:
    leader, alive, dead, _ = await dying(rig)
    third = await rig.worker()
    assert await rig.let_die(leader, alive, third) == {dead.worker: 1}
    assert not (await third.step()).is_lost


async def test_a_rescue_passes_over_a_worker_whose_claim_is_at_work(rig: Rig) -> None:
    leader, alive, slow, _ = await dying(rig)
    await slow.conn.execute("begin")
    newer = await rig.enqueue()
    assert await slow.claim() == newer
    assert await rig.let_die(leader, alive) == {}
    await slow.conn.execute("commit")
    # Next time it is met; what it claimed in between comes back as well.
    assert await rig.let_die(leader, alive) == {slow.worker: 2}


async def test_a_claim_waits_for_a_rescue_of_its_worker_and_is_refused(rig: Rig) -> None:
    leader, alive, zombie, _ = await dying(rig)
    newer = await rig.enqueue()
    await almost_lose(rig, leader, alive)
    await rig.pass_time(STALE_S / 3)
    await leader.conn.execute("begin")
    assert zombie.worker in await leader.store.rescue(leader.epoch, STALE_S, 10)
    claim = asyncio.create_task(zombie.step())
    await rig.until_blocked(zombie.conn, claim)
    await leader.conn.execute("commit")
    assert (await claim).is_lost
    assert await alive.claim() == newer


@pytest.mark.story("a-rescue-in-portions")
async def test_a_rescue_in_portions_ends_what_it_began(rig: Rig) -> None:
    leader, alive, dead, _ = await dying(rig, 5)
    for _ in range(3):
        await rig.pass_time(STALE_S / 3 + 1)
        await alive.store.heartbeat(alive.worker, [], {})
        await leader.store.rescue(leader.epoch, STALE_S, 0)
    found = [await leader.store.rescue(leader.epoch, STALE_S, 2) for _ in range(4)]
    assert found == [{dead.worker: 2}, {dead.worker: 2}, {dead.worker: 1}, {}]
    assert set((await rig.states()).values()) == {"retryable"}


@pytest.mark.story("lost-and-in-time")
async def test_a_lost_worker_may_be_in_time(rig: Rig) -> None:
    leader, alive, slow, seqs = await dying(rig, 3)
    for _ in range(3):
        await rig.pass_time(STALE_S / 3 + 1)
        await alive.store.heartbeat(alive.worker, [], {})
        await leader.store.rescue(leader.epoch, STALE_S, 0)
    assert await leader.store.rescue(leader.epoch, STALE_S, 1) == {slow.worker: 1}
    # What no sweep has ended yet is its own still, though it is given nothing more.
    assert await slow.end(seqs[1]) == set()
    assert await leader.store.rescue(leader.epoch, STALE_S, 10) == {slow.worker: 1}
    assert await slow.end(seqs[2]) == {seqs[2]}
    assert sorted((await rig.states()).values()) == ["completed", "retryable", "retryable"]


async def test_a_finish_that_stays_open_stops_no_other_rescue(rig: Rig) -> None:
    """A handler finishes in its own transaction and hangs; its worker and another one die."""
    leader, alive, stuck, (seq,) = await dying(rig)
    dead = await rig.worker()
    await rig.enqueue(2)
    await dead.take(2)
    handler = await rig.begin()
    await handler.execute(
        "select awa.finish($1, array[$2::bigint], array[$3::text::int8multirange], '{1}')",
        stuck.worker,
        stuck.claim_by_seq[seq],
        f"{{[{seq},{seq}]}}",
    )
    await leader.conn.execute("set statement_timeout to '3s'")
    assert (await rig.let_die(leader, alive)).get(dead.worker) == 2
    await handler.execute("commit")
    assert sorted((await rig.states()).values()) == ["completed", "retryable", "retryable"]


async def test_a_lost_sleeper_is_forgotten(rig: Rig) -> None:
    leader, alive, dead, _ = await dying(rig)
    await dead.step(asleep=True)
    await rig.let_die(leader, alive)
    assert (await rig.newest())["sleepers"] == []


async def test_a_sleeper_that_was_missed_when_it_left_is_forgotten_later(rig: Rig) -> None:
    leader, alive, gone, _ = await dying(rig)
    await gone.end(*gone.claim_by_seq)
    await gone.step(asleep=True)
    await alive.conn.execute("begin")
    await alive.step()
    assert await gone.store.retire(gone.worker)
    await alive.conn.execute("commit")
    assert (await rig.newest())["sleepers"] == [gone.worker]
    await leader.store.purge(leader.epoch, 60, 60, 10)
    assert (await rig.newest())["sleepers"] == []


async def test_one_bad_row_stops_no_rescue(rig: Rig) -> None:
    leader, alive, dead, _ = await dying(rig)
    (bad,) = await rig.enqueue(kind="k", args='"bad"')
    await dead.take()
    (good,) = await rig.enqueue()
    await dead.take()
    ends = "perform mark_ending(rescue_entry.seq, 'rescued', rescue_entry.worker);"
    refuses = "if b.args::text = '\"bad\"' then raise exception using errcode = '22003'; end if;"
    await rig.sow("rescue_entry", ends, f"{refuses} {ends}")
    await rig.let_die(leader, alive)
    states = await rig.states()
    assert (states[bad], states[good]) == ("running", "retryable")


# --- Outages ------------------------------------------------------------------------------------


async def test_after_an_outage_everybody_has_time_to_speak_again(rig: Rig) -> None:
    leader, alive, dead, _ = await dying(rig)
    assert await leader.store.rescue(leader.epoch, STALE_S, 10) == {}
    await rig.pass_time(10 * STALE_S)
    # All heartbeats are old, for the leader did not watch either.
    for _ in range(4):
        assert await leader.store.rescue(leader.epoch, STALE_S, 10) == {}
        await rig.pass_time(STALE_S / 4)
    await alive.store.heartbeat(alive.worker, [], {})
    await rig.pass_time(1)
    assert await leader.store.rescue(leader.epoch, STALE_S, 10) == {dead.worker: 1}


async def test_what_passes_while_a_sweep_is_at_work_makes_nobody_stale(rig: Rig) -> None:
    """The server stands still after the leader has read the clock, and nobody can speak."""
    leader, alive, other, _ = await dying(rig)
    for _ in range(2):
        await almost_lose(rig, leader, alive, other)
    async with rig.gate(leader.conn, "watch"):
        sweep = asyncio.create_task(leader.store.rescue(leader.epoch, STALE_S, 10))
        await rig.until_blocked(leader.conn, sweep)
        await rig.pass_time(10 * STALE_S)
    assert await sweep == {}
    for worker in (alive, other):
        assert (await worker.store.heartbeat(worker.worker, [], {})).is_alive


async def test_who_was_just_elected_declares_nobody_lost(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker = await rig.worker()
    await rig.enqueue()
    await worker.take()
    await rig.pass_time(10 * STALE_S)
    leader = await rig.lead()
    assert await leader.store.rescue(leader.epoch, STALE_S, 10) == {}
    assert (await worker.store.heartbeat(worker.worker, [], {})).is_alive


async def test_who_speaks_while_it_is_judged_stays(rig: Rig) -> None:
    leader, alive, slow, _ = await dying(rig)
    await almost_lose(rig, leader, alive)
    await rig.pass_time(STALE_S / 3)
    await slow.conn.execute("begin")
    assert (await slow.store.heartbeat(slow.worker, [], {})).is_alive
    sweep = asyncio.create_task(leader.store.rescue(leader.epoch, STALE_S, 10))
    await rig.until_blocked(leader.conn, sweep)
    await slow.conn.execute("commit")
    assert await sweep == {}
    assert not (await slow.step()).is_lost
    assert (await alive.store.heartbeat(alive.worker, [], {})).is_alive


# --- Attempts -----------------------------------------------------------------------------------


async def killing(rig: Rig, times: int, **how: Any) -> tuple[int, Worker]:
    """Have a job's worker die so many times; return the job, and the last that died."""
    leader, alive, dead, _ = await dying(rig, **how)
    (job,) = await rig.states()
    for n in range(times):
        if n:
            dead = await rig.worker()
            await rig.pass_time(100)
            assert await leader.promote() == 1
            assert await dead.claim() == [job]
        assert await rig.let_die(leader, alive) == {dead.worker: 1}
    return job, dead


async def rescued_times(rig: Rig, times: int, **how: Any) -> dict[str, Any]:
    """Have a job's worker die so many times; return the job as it is shown then."""
    return await rig.job((await killing(rig, times, **how))[0])


@pytest.mark.story("a-job-that-kills-is-quarantined")
async def test_a_job_that_kills_five_workers_is_quarantined(rig: Rig) -> None:
    shown = await rescued_times(rig, 5)
    assert (shown["state"], shown["attempt"]) == ("failed", 5)
    assert len(shown["errors"]) == 5 and "quarantined: 5 workers" in shown["errors"][-1]["error"]


async def test_the_last_zombie_of_a_quarantined_job_is_refused_and_the_job_may_go(rig: Rig) -> None:
    job, dead = await killing(rig, 5)
    (seq,) = dead.claim_by_seq
    assert await dead.end(seq) == {seq}
    await rig.conn.execute("select awa.discard_failed('k')")
    assert job not in await rig.states()
    assert await dead.end(seq) == {seq}


async def test_four_deaths_are_no_quarantine(rig: Rig) -> None:
    shown = await rescued_times(rig, 4)
    assert (shown["state"], shown["attempt"]) == ("retryable", 4)


async def test_a_death_costs_an_attempt(rig: Rig) -> None:
    shown = await rescued_times(rig, 2, max_attempts=2)
    assert shown["state"] == "failed" and shown["errors"][-1]["terminal"]


async def test_failures_are_no_deaths(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    (job,) = await rig.enqueue()
    for _ in range(6):
        await worker.end(*await worker.take(), verdict="retry", delay_s=0, error="e")
        assert await leader.promote() == 1
    assert (await rig.job(job))["attempt"] == 6
    dead = await rig.worker()
    await dead.take()
    await rig.let_die(leader, worker)
    assert (await rig.job(job))["state"] == "retryable"


@pytest.mark.story("redriven-from-quarantine")
async def test_a_job_that_was_redriven_from_quarantine_may_die_again(rig: Rig) -> None:
    shown = await rescued_times(rig, 5)
    assert await rig.operator.redrive(shown["id"])
    leader, alive, dead = await rig.lead(await rig.worker()), await rig.worker(), await rig.worker()
    assert await dead.claim() == [shown["id"]]
    await rig.let_die(leader, alive)
    assert (await rig.job(shown["id"]))["state"] == "retryable"


@pytest.mark.story("given-back-at-no-cost")
async def test_what_a_stop_gives_back_costs_no_attempt(rig: Rig) -> None:
    worker = await rig.worker()
    (job,) = await rig.enqueue(max_attempts=1)
    for times in range(3):
        (seq,) = await worker.take()
        shown = await rig.job(job)
        assert (shown["attempt"], shown["run_lease"]) == (1, times + 1)
        await worker.end(seq, verdict="release")
        assert (await rig.job(job))["state"] == "available"
    assert (await rig.job(job))["attempt"] == 0


# --- Deadlines ----------------------------------------------------------------------------------


@pytest.mark.story("past-its-deadline")
async def test_an_attempt_past_its_deadline_ends_from_outside(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    heard: list[str] = []
    listener = await rig.connect()
    await listener.add_listener("awa_over", lambda *told: heard.append(told[3]))
    late, other = await rig.enqueue(2)
    seqs = await worker.take(1, deadline_s=10)
    seqs += await worker.take(1, deadline_s=100)
    await rig.pass_time(12)
    assert await leader.store.expire(leader.epoch, 5, 10) == {}
    await rig.pass_time(5)
    assert await leader.store.expire(leader.epoch, 5, 10) == {worker.worker: 1}
    await listener.execute("select 1")
    assert heard == [str(worker.worker)]
    assert await rig.states() == {late: "retryable", other: "running"}
    assert (await rig.job(late))["errors"][0]["error"] == "hard deadline exceeded"
    assert await worker.end(*seqs) == {seqs[0]}


async def test_who_is_lost_and_who_is_past_its_deadline_is_never_one(rig: Rig) -> None:
    """A rescue comes while deadlines are enforced: an end is a death, or it is none."""
    leader, alive, first, _ = await dying(rig, 0)
    second, sweeper = await rig.worker(), Leader(await rig.connect(), leader.epoch)
    jobs = await rig.enqueue(2)
    for worker in (first, second):
        await worker.take(1, deadline_s=1)
    await almost_lose(rig, leader, alive)
    await rig.pass_time(STALE_S / 3)
    async with rig.gate(leader.conn, "first_of"):
        expire = asyncio.create_task(leader.store.expire(leader.epoch, 1, 10))
        await rig.until_blocked(leader.conn, expire)
        # The first has just been found past its deadline. One at a time: nothing is rescued yet.
        assert await sweeper.store.rescue(leader.epoch, STALE_S, 0) == {second.worker: 0}
    assert await expire == {first.worker: 1}
    rescued = await sweeper.store.rescue(leader.epoch, STALE_S, 10)
    assert rescued == {first.worker: 0, second.worker: 1}
    errors = [(await rig.job(job))["errors"][0]["error"] for job in jobs]
    assert errors == ["hard deadline exceeded", "heartbeat stale: worker presumed dead"]


async def test_deadlines_come_in_portions(rig: Rig) -> None:
    await rig.have_movable_clock()
    worker, leader = await rig.worker(), await rig.lead()
    await rig.enqueue(5)
    await worker.take(5, deadline_s=1)
    await rig.pass_time(10)
    found = [await leader.store.expire(leader.epoch, 1, 2) for _ in range(4)]
    assert found == [{worker.worker: 2}, {worker.worker: 2}, {worker.worker: 1}, {}]
