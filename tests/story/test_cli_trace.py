"""The program about traces: record them, write them to a file, and hold them against the models.

Owns: `awa trace ...`, and every file that is no trace.
Keeps: exit code 0 of a check means that every trace was read to its end and is legal.
Above: nobody. Below: tests.story.stage, tests.rig, awa.cli.
"""

from pathlib import Path
from typing import Any

import orjson
import pytest

from awa.lab.tlc import spec_folder
from tests.rig import Rig
from tests.story.stage import Said, awa, lead_to_all


@pytest.fixture
async def file(rig: Rig, tmp_path: Path) -> Path:
    """The exported trace of a job in every state."""
    await lead_to_all(rig)
    path = tmp_path / "run.jsonl"
    said = await awa("trace", "export", str(path), url=rig.url)
    count = await rig.count("trace_event")
    assert said.out == f"Exported {count} events to {path}.\n"
    return path


def rows(file: Path) -> list[dict[str, Any]]:
    """Return what each line of a file says."""
    return [orjson.loads(line) for line in file.read_bytes().splitlines()]


def put(file: Path, told: list[dict[str, Any]], *, but: int = 0) -> None:
    """Write lines into a file, without so many bytes at the end."""
    content = b"".join(orjson.dumps(row) + b"\n" for row in told)
    file.write_bytes(content[: len(content) - but])


async def test_an_exported_trace_is_legal_by_both_judges(file: Path) -> None:
    said = await awa("trace", "check", str(file))
    assert said.code == 0, said.err
    count = len(rows(file)) - 2
    assert said.out.startswith(f"{file}: {count} events, all legal\n  Queue: 7 lives of ")
    data = await awa("--json", "trace", "check", "--monitor", str(file))
    assert data.data[str(file)]["legal"] is True
    assert data.data[str(file)]["lives"]["Queue"] == 7


async def test_a_lie_is_refused_with_its_event_and_its_reason(file: Path) -> None:
    told = rows(file)
    (row,) = [one for one in told if one.get("act") == "Fail"]
    row["post"]["attempt"] += 1
    put(file, told)
    said = await awa("trace", "check", str(file))
    assert said.code == 1
    assert (
        f"event {row['n']} (Fail, {row['actor']}, {row['lock']}) is illegal by Queue.tla"
        in said.out
    )
    assert 'no step that leaves attempt["j"] = 2' in said.out
    assert "the state before it:" in said.out and "the least that leads to it:" in said.out


async def test_recording_is_for_sessions_that_begin_later(rig: Rig) -> None:
    off = await awa("trace", "record", "--off", url=rig.url)
    assert off.out == "Tracing is off.\n"
    conn = await rig.connect()
    assert not await conn.fetchval("select awa.tracing()")
    on = await awa("trace", "record", url=rig.url)
    assert on.out == "Tracing is on for every session that begins now.\n"
    assert not await conn.fetchval("select awa.tracing()")
    assert await (await rig.connect()).fetchval("select awa.tracing()")


# --- No trace ------------------------------------------------------------------------------------


async def refused(file: Path) -> Said:
    """Check a file that is no trace: one line on stderr, and exit code 1."""
    said = await awa("trace", "check", str(file))
    assert said.code == 1 and said.out == "", said.out
    assert said.err.startswith("error: ") and len(said.err.splitlines()) == 1, said.err
    return said


async def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert "No such file" in (await refused(tmp_path / "none.jsonl")).err


async def test_a_torn_file_is_told(file: Path) -> None:
    put(file, rows(file), but=40)
    assert "is torn" in (await refused(file)).err


async def test_another_version_is_told(file: Path) -> None:
    header, *rest = rows(file)
    put(file, [{**header, "v": 9}, *rest])
    assert "is of version 9 of the format" in (await refused(file)).err


async def test_other_models_are_told(file: Path) -> None:
    header, *rest = rows(file)
    put(file, [{**header, "spec": {**header["spec"], "Queue": "0" * 64}}, *rest])
    assert "was written for other models than these (Queue)" in (await refused(file)).err


async def test_a_clock_that_ran_backwards_is_told_and_does_not_matter(file: Path) -> None:
    *told, last, end = rows(file)
    put(file, [*told, {**last, "t": "2001-01-01T00:00:00.000000000+00:00"}, end])
    said = await awa("trace", "check", "--monitor", str(file))
    assert said.code == 0
    assert "its clock ran backwards by" in said.err


@pytest.mark.tlc
async def test_a_missing_java_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("awa.lab.tlc.package_file", lambda *_: None)
    said = await awa("trace", "check", str(file))
    assert said.code == 1 and "no Java" in said.err


async def test_a_jar_that_is_no_file_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWA_TLA2TOOLS", str(spec_folder()))
    said = await awa("trace", "check", str(file))
    assert said.code == 1 and "AWA_TLA2TOOLS" in said.err
