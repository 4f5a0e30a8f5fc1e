"""What is told of a job and of its attempts, of one life and of the next."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from awa.attempt import Job
from awa.dump import dump_job, dump_run
from awa.errors import ValidationError

BORN = datetime(2031, 5, 6, tzinfo=UTC)
ERRORS = [
    {"error": "first", "attempt": 1, "at": "2031-05-06T00:00:01Z"},
    {"error": "last", "attempt": 2, "at": "2031-05-06T00:00:02Z", "terminal": True},
]
AGAIN = {"error": "again", "attempt": 1, "at": "2031-05-06T01:00:00Z"}


def job(state: str, attempt: int, **more: Any) -> Job[Any]:
    """Return a job that has failed twice, was redriven, and is where it is now."""
    row: dict[str, Any] = dict.fromkeys(("progress", "attempted_at", "deadline_at", "finalized_at"))
    row |= {"id": 7, "kind": "k", "queue": "q", "args": "{}", "priority": 2, "max_attempts": 25}
    row |= {"tags": [], "metadata": {}, "created_at": BORN, "run_at": BORN + timedelta(minutes=30)}
    row |= {"state": state, "attempt": attempt, "run_lease": 2 + attempt, "errors": ERRORS}
    return Job.stored(row | more)


def run(one: Job[Any], attempt: int | None = None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(dump_run(one, attempt))
    return document


@pytest.mark.parametrize("state", ["running", "completed"])
def test_an_attempt_without_an_error_shows_none_of_another_life(state: str) -> None:
    told = run(job(state, 1))
    assert (told["error"], told["terminal"], told["raw_error_entry"]) == (None, False, None)
    assert (told["state"], told["source"]) == (state, "current_job_row")
    assert run(job(state, 1), 2)["error"] == "last"


def test_the_newest_error_with_its_number_is_the_attempts() -> None:
    one = job("retryable", 1, errors=[*ERRORS, AGAIN])
    assert (run(one)["error"], run(one)["finished_at"]) == ("again", AGAIN["at"])
    later = job("running", 2, errors=[*ERRORS, AGAIN])
    assert run(later, 1)["error"] == "again"


def test_an_attempt_that_nothing_records_is_a_validation_error() -> None:
    with pytest.raises(ValidationError, match="attempt 3 is not present"):
        run(job("running", 1), 3)
    with pytest.raises(ValidationError, match="attempt must be >= 0"):
        run(job("running", 1), -1)


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (job("available", 0, run_at=BORN, run_lease=0), "available"),
        (job("scheduled", 0, run_lease=0), "scheduled"),
        (job("scheduled", 0, run_lease=1), None),
        (job("available", 0), None),
        (job("retryable", 1), None),
    ],
)
def test_how_a_job_was_created_is_told_where_it_is_known(one: Job[Any], state: str | None) -> None:
    created = json.loads(dump_job(one))["timeline"][0]
    assert (created["label"], created["state"]) == ("created", state)
