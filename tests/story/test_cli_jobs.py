"""The program about jobs and queues: what it prints, as text and as JSON, and what it changes.

Owns: `awa job ...`, `awa queue ...`, `awa storage status`.
Keeps: one line of an answer, or one JSON document, on stdout; a mistake changes nothing.
Above: nobody. Below: tests.story.stage, tests.rig, awa.cli.
"""

import asyncio
import re
import subprocess
import sys

from tests.rig import Rig
from tests.story.stage import awa, lead_to, lead_to_all, program

JOB_KEYS = {
    *("id", "kind", "queue", "state", "priority", "attempt", "max_attempts", "args", "tags"),
    *("metadata", "errors", "progress", "run_at", "created_at", "deadline", "finalized_at"),
}


async def test_jobs_are_listed_as_a_table_and_as_json(rig: Rig) -> None:
    await rig.enqueue(kind="resize_image", queue="images", max_attempts=3)
    await rig.enqueue(kind="k")
    table, filtered, data, none = await asyncio.gather(
        awa("job", "list", url=rig.url),
        awa("job", "list", "--kind", "k", "--state", "available", "--queue", "q", url=rig.url),
        awa("--json", "job", "list", "--limit", "1", url=rig.url),
        awa("job", "list", "--state", "failed", url=rig.url),
    )
    assert table.out == (
        "ID  KIND          QUEUE   STATE      ATT  MAX\n"
        "2   k             q       available  0    25\n"
        "1   resize_image  images  available  0    3\n"
        "2 jobs listed.\n"
    )
    assert filtered.out == (
        "ID  KIND  QUEUE  STATE      ATT  MAX\n"
        "2   k     q      available  0    25\n"
        "1 jobs listed.\n"
    )
    assert none.out == "No jobs found.\n"
    (job,) = data.data
    assert set(job) == JOB_KEYS
    assert (job["id"], job["state"]) == (2, "available")


async def test_a_job_is_shown_whole_in_each_state(rig: Rig) -> None:
    jobs = await lead_to_all(rig)
    said = await asyncio.gather(*(awa("job", "dump", str(n), url=rig.url) for n in jobs.values()))
    for state, one in zip(jobs, said, strict=True):
        assert one.code == 0
        assert set(one.data) == {"job", "summary", "timeline"}
        assert (one.data["job"]["state"], one.data["job"]["id"]) == (state, jobs[state])
        summary = one.data["summary"]
        assert summary["can_cancel"] == (state not in ("completed", "failed", "cancelled"))
        assert summary["can_retry"] == (state in ("failed", "cancelled"))
        assert summary["original_priority"] == 2
        assert set(one.data["timeline"][0]) == {
            *("timestamp", "label", "state", "detail", "is_error"),
        }


async def test_an_attempt_is_shown_as_it_is_recorded(rig: Rig) -> None:
    job = str(await lead_to(rig, "failed"))
    now, first, none, below = await asyncio.gather(
        awa("job", "dump-run", job, url=rig.url),
        awa("job", "dump-run", job, "--attempt", "1", url=rig.url),
        awa("job", "dump-run", job, "--attempt", "7", url=rig.url),
        awa("job", "dump-run", job, "--attempt", "-1", url=rig.url),
    )
    assert now.data == first.data
    assert (now.data["selected_attempt"], now.data["source"]) == (1, "current_job_row")
    assert (now.data["error"], now.data["terminal"]) == ("ValueError: no", True)
    assert none.error == (
        f"error: attempt 7 is not present in the recorded error history for job {job}"
    )
    assert below.error == "error: attempt must be >= 0"
    assert [one.code for one in (none, below)] == [1, 1]


async def test_a_job_is_cancelled_and_retried(rig: Rig) -> None:
    (job,) = await rig.enqueue()
    for verb, text, state in (
        ("cancel", f"Cancelled job {job}\n", "cancelled"),
        ("retry", f"Retried job {job}\n", "available"),
    ):
        said = await program("job", verb, str(job), url=rig.url)
        assert (said.code, said.out) == (0, text)
        assert await rig.states() == {job: state}
        again = await awa("job", verb, str(job), url=rig.url)
        assert (again.code, again.out, again.error) == (1, "", f"error: job not found: {job}")
    data = await awa("job", "cancel", str(job), "--json", url=rig.url)
    assert (set(data.data), data.data["state"]) == (JOB_KEYS, "cancelled")


async def test_failed_jobs_are_retried_and_discarded(rig: Rig) -> None:
    for queue in ("q1", "q2", "q3"):
        await lead_to(rig, "failed", queue)
    said = await awa("job", "retry-failed", "--queue", "q1", url=rig.url)
    assert (said.code, said.out) == (0, "Retried 1 failed jobs\n")
    data = await awa("job", "retry-failed", "--queue", "q2", "--json", url=rig.url)
    assert data.data == {"retried": 1, "matched": 1}
    said = await awa("job", "discard", "--kind", "k", url=rig.url)
    assert (said.code, said.out) == (0, "Discarded 1 failed jobs of kind 'k'\n")
    data = await awa("--json", "job", "discard", "--kind", "k", url=rig.url)
    assert data.data == {"discarded": 0}
    assert sorted((await rig.states()).values()) == ["available", "available"]


async def test_a_queue_is_paused_resumed_and_drained(rig: Rig) -> None:
    await rig.worker()
    await rig.enqueue(3)
    for verb, text in (
        ("pause", "Paused queue 'q'\n"),
        ("resume", "Resumed queue 'q'\n"),
        ("drain", "Drained 3 jobs from queue 'q'\n"),
    ):
        said = await awa("queue", verb, "q", url=rig.url)
        assert (said.code, said.out) == (0, text)
        row = await rig.conn.fetchrow("select paused_by from awa.queue where name = 'q'")
        assert row["paused_by"] == ("cli" if verb == "pause" else None)
    assert set((await rig.states()).values()) == {"cancelled"}
    data = await awa("queue", "drain", "q", "--json", url=rig.url)
    assert data.data == {"drained": 0}


async def test_queues_are_counted_as_a_table_and_as_json(rig: Rig) -> None:
    await lead_to_all(rig)
    await rig.operator.pause("quiet", "me")
    table, data = await asyncio.gather(
        awa("queue", "stats", url=rig.url), awa("queue", "stats", "--json", url=rig.url)
    )
    heads, busy, quiet = table.out.splitlines()
    assert heads == "QUEUE  AVAIL  RUNNING  FAILED  COMPLETED/1H  LAG(s)  PAUSED"
    assert re.fullmatch(r"q {6}1 {6}1 {8}1 {7}1 {13}\d+\.\d +no", busy), busy
    assert quiet == "quiet  0      0        0       0             -       yes"
    assert [(one["queue"], one["paused"]) for one in data.data] == [("q", False), ("quiet", True)]
    assert data.data[0]["total_queued"] == 4


async def test_the_storage_is_shown_as_json(rig: Rig) -> None:
    await lead_to(rig, "running")
    said = await awa("storage", "status", url=rig.url)
    assert said.code == 0
    assert said.data["schema_version"] == 1
    assert {"segments", "lanes", "holes", "workers", "oldest_open_claim_s"} <= set(said.data)
    assert said.data["oldest_open_claim_s"] >= 0
    (lane,) = [lane for lane in said.data["lanes"] if lane["queue"] == "q" and lane["last"]]
    assert (lane["cursor"], lane["priority"]) == (1, 2)
    assert {"state", "age_s", "rows", "bytes"} <= set(said.data["segments"][0])


async def test_a_mistake_is_one_line_and_exit_code_1(url: str) -> None:
    for line, text in {
        "job list --state zz": "unknown job state: zz",
        "job dump 77": "job not found: 77",
        "job dump-run 77": "job not found: 77",
        "job retry 99999999999999999999": "does not fit a bigint",
    }.items():
        said = await awa(*line.split(), url=url)
        assert (said.code, said.out) == (1, "")
        assert said.error.startswith("error: ") and text in said.error


def test_a_reader_that_has_enough_is_no_error() -> None:
    program = f"{sys.executable} -m awa migrate --sql | head -1; exit ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "-- Migration V1: three logs\n"
