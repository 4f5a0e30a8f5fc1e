"""The states and the verdicts: their names, their numbers, and that nothing can change them."""

import copy
import pickle
from dataclasses import FrozenInstanceError
from decimal import Decimal
from typing import Any

import pytest

from awa.encode import FOREVER_S
from awa.job import Cancel, JobState, RetryAfter, Snooze, parse_state

TEXTS = [
    "scheduled",
    "available",
    "running",
    "completed",
    "retryable",
    "failed",
    "cancelled",
    "waiting_external",
]


def test_the_states_are_numbered_in_their_order() -> None:
    assert [int(state) for state in JobState] == list(range(8))
    assert [str(state) for state in JobState] == TEXTS


def test_a_state_prints_its_name_wherever_it_is_printed() -> None:
    state = JobState.WaitingExternal
    assert repr(state) == "JobState.WaitingExternal"
    assert f"{state}" == "waiting_external"
    assert f"{JobState.Failed:>8}" == "  failed"
    assert f"{JobState.Failed:02d}" == "05"


def test_a_state_survives_a_copy() -> None:
    assert copy.deepcopy(JobState.Failed) is JobState.Failed
    assert pickle.loads(pickle.dumps(JobState.Failed)) is JobState.Failed


def test_only_the_states_that_end_a_job_are_terminal() -> None:
    assert [str(s) for s in JobState if s.is_terminal] == ["completed", "failed", "cancelled"]


@pytest.mark.parametrize("state", list(JobState))
def test_a_state_is_read_back_from_its_name(state: JobState) -> None:
    assert parse_state(str(state)) is state


def test_a_state_is_read_from_nothing_but_its_name() -> None:
    with pytest.raises(ValueError, match="unknown job state: zz"):
        parse_state("zz")
    with pytest.raises(ValueError, match="unknown job state: Failed"):
        parse_state("Failed")
    bad: Any = JobState.Failed
    with pytest.raises(TypeError, match="not JobState"):
        parse_state(bad)


@pytest.mark.parametrize("cls", [RetryAfter, Snooze])
def test_a_wait_has_seconds(cls: type[RetryAfter] | type[Snooze]) -> None:
    verdict = cls(5)
    assert (verdict.seconds, verdict.wait_s) == (5.0, 5.0)
    assert isinstance(verdict.seconds, float)
    assert cls(seconds=1.5) == cls(1.5)
    with pytest.raises(FrozenInstanceError):
        verdict.seconds = 6.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        cls()  # type: ignore[call-arg]


def test_the_two_waits_are_never_equal() -> None:
    verdicts: list[object] = [RetryAfter(5), Snooze(5)]
    assert verdicts[0] != verdicts[1]


def test_a_wait_is_bounded_and_never_negative() -> None:
    assert RetryAfter(-3).seconds == -3.0
    assert RetryAfter(-3).wait_s == 0.0
    assert Snooze(1e300).wait_s == FOREVER_S


@pytest.mark.parametrize("seconds", ["5", None, [], 1j])
def test_a_wait_that_is_no_number_is_a_type_error(seconds: Any) -> None:
    with pytest.raises(TypeError):
        RetryAfter(seconds)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), Decimal("-Infinity")])
def test_a_wait_that_never_ends_is_a_value_error(seconds: Any) -> None:
    with pytest.raises(ValueError, match="finite"):
        Snooze(seconds)


def test_a_cancel_has_a_reason() -> None:
    assert Cancel().reason == "cancelled by handler"
    assert Cancel("withdrawn") == Cancel(reason="withdrawn")
    bad: Any = 7
    with pytest.raises(TypeError, match="reason must be a str"):
        Cancel(bad)
    with pytest.raises(FrozenInstanceError):
        Cancel().reason = "x"  # type: ignore[misc]
