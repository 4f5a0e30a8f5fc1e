"""A trace's file: what was written is read, and what is no trace is refused with its place.

Owns: every way in which a file can be no trace.
Keeps: a file that is not whole, of another version or for other models is never taken for one.
Above: nobody. Below: awa.lab, tests.lab.told.
"""

from pathlib import Path

import orjson
import pytest

from awa.lab.trace import Trace, TraceError, read, write
from tests.lab.told import LANE, Tale

SPEC = {"Queue": "a" * 64, "Log": "b" * 64}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A good trace of three events."""
    tale = Tale()
    tale.enqueue(1, t="2026-11-25T10:00:00.000000+00:00")
    tale.claim(1, 7, LANE + 1, snap="1003:1003:", t="2026-11-25T10:00:02.000000+00:00")
    tale.complete(1, 7, LANE + 1, t="2026-11-25T10:00:01.500000+00:00")
    path = tmp_path / "run.jsonl"
    write(path, {"spec": SPEC, "origin": "a test"}, tale.events)
    return path


def test_what_was_written_is_read(file: Path, tmp_path: Path) -> None:
    trace = read(file, SPEC)
    assert [event.act for event in trace.events] == ["Enqueue", "Claim", "Complete"]
    assert trace.events[1].worker == 7 and trace.header["origin"] == "a test"
    again = tmp_path / "again.jsonl"
    write(again, {"spec": SPEC, "origin": "a test"}, trace.events)
    assert again.read_bytes() == file.read_bytes()


def test_a_clock_that_ran_backwards_is_told_and_orders_nothing(file: Path) -> None:
    trace = read(file, SPEC)
    assert trace.backwards_s() == 0.5
    assert Trace({}, trace.events[:2]).backwards_s() == 0


def changed(file: Path, number: int, **said: object) -> None:
    """Put something else into one line of a file; None takes it out."""
    lines = file.read_bytes().splitlines(keepends=True)
    row = orjson.loads(lines[number]) | said
    kept = {name: value for name, value in row.items() if value is not None}
    lines[number] = orjson.dumps(kept) + b"\n"
    file.write_bytes(b"".join(lines))


LIES: dict[str, tuple[int, dict[str, object], str]] = {
    "version": (0, {"v": 2}, r"is of version 2 of the format; this Awa reads 1"),
    "no version": (0, {"v": None}, r"does not begin with a trace's header"),
    "no models": (0, {"spec": None}, r"does not say for which models"),
    "other models": (0, {"spec": {"Log": "c" * 64}}, r"other models than these \(Log\)"),
    "an unknown model": (0, {"spec": {"Lane": "c" * 64}}, r"other models than these \(Lane\)"),
    "unknown act": (1, {"act": "Teleport"}, r"line 2: no verb writes an event named Teleport"),
    "no number": (1, {"n": None}, r"line 2: n is missing, or no int"),
    "number is text": (1, {"xid": "9"}, r"line 2: xid is missing, or no int"),
    "true is no number": (1, {"k": True}, r"line 2: k is missing"),
    "bad snapshot": (2, {"snap": "now"}, r"line 3 is no event: 'now' is no snapshot"),
    "bad actor": (2, {"actor": "worker:x"}, r"line 3 is no event"),
    "unknown field": (2, {"when": 3}, r"line 3 is no event"),
    "twice the same number": (2, {"n": 1}, r"two events with the number 1"),
    "wrong count": (4, {"events": 4}, r"says that it has 4 events, and has 3"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_is_no_trace_is_refused(file: Path, lie: str) -> None:
    number, said, text = LIES[lie]
    changed(file, number, **said)
    with pytest.raises(TraceError, match=text):
        read(file, SPEC)


def test_a_torn_last_line_is_refused(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(TraceError, match="line 4 is torn"):
        read(file, SPEC)


def test_a_file_that_was_cut_between_lines_is_refused(file: Path) -> None:
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(TraceError, match="cut off after 3 events"):
        read(file, SPEC)


def test_a_line_that_is_no_object_is_refused(file: Path) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([lines[0], b"[1]\n", *lines[1:]]))
    with pytest.raises(TraceError, match="line 2 is no event"):
        read(file, SPEC)


def test_a_trace_that_goes_on_after_its_end_is_refused(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b'{"events":3}\n')
    with pytest.raises(TraceError, match="line 5 says that the trace ends, and it goes on"):
        read(file, SPEC)


@pytest.mark.parametrize("content", [b"", b"\n", b"[]\n", b"\xff\xfe"])
def test_what_has_no_header_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(TraceError):
        read(file, SPEC)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="cannot be read: No such file"):
        read(tmp_path / "none.jsonl", SPEC)
