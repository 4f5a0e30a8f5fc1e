"""A job as a document for people. Pure: it reads what the job says of itself.

Owns: the summary and the timeline of a job, and what is known of one of its attempts.
Keeps: nothing is made up: an attempt that the errors do not record is not there.
Above: client. Below: attempt, encode, errors, job.
"""

from typing import Any

import orjson

from awa.attempt import Job
from awa.errors import ValidationError
from awa.job import JobState

__all__ = ["dump_job", "dump_run", "job_dict"]

_RETRYABLE = (JobState.Failed, JobState.Cancelled, JobState.WaitingExternal)


def job_dict(job: Job[Any]) -> dict[str, Any]:
    """Return a job as a plain dict."""
    return {
        "id": job.id,
        "kind": job.kind,
        "queue": job.queue,
        "state": str(job.state),
        "priority": job.priority,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "args": job.args,
        "tags": job.tags,
        "metadata": job.metadata,
        "errors": job.errors,
        "progress": job.progress,
        "run_at": job.run_at,
        "created_at": job.created_at,
        "deadline": job.deadline,
        "finalized_at": job.finalized_at,
    }


def dump_job(job: Job[Any]) -> str:
    """Return a job with its summary and its timeline, as pretty JSON."""
    document = {
        "job": job_dict(job),
        "summary": {
            "original_priority": job.metadata.get("_awa_original_priority", job.priority),
            "can_retry": job.state in _RETRYABLE,
            "can_cancel": not job.state.is_terminal,
            "error_count": len(job.errors),
            "latest_error": job.errors[-1]["error"] if job.errors else None,
        },
        "timeline": _timeline(job),
    }
    return _pretty(document)


def _timeline(job: Job[Any]) -> list[dict[str, Any]]:
    """Return what happened to a job, oldest first."""
    steps = [_step(job.created_at, "created", _created_as(job), None)]
    for error in job.errors:
        state = "failed" if error.get("terminal") else "retryable"
        label = f"attempt {error['attempt']} failed"
        steps.append(_step(error["at"], label, state, error["error"], is_error=True))
    if job.state is JobState.Running:
        steps.append(_step(job.attempted_at, f"attempt {job.attempt} began", "running", None))
    if job.finalized_at is not None and job.state.is_terminal and job.state is not JobState.Failed:
        steps.append(_step(job.finalized_at, str(job.state), str(job.state), None))
    return steps


def _created_as(job: Job[Any]) -> str | None:
    """Return the state in which a job was enqueued, where that is known.

    Who comes back has another run_at since: of a retry, a snooze, a redrive.
    """
    if job.run_at == job.created_at:
        return "available"
    is_first_wait = job.state is JobState.Scheduled and job.run_lease == 0
    return "scheduled" if is_first_wait else None


def _step(
    at: str | None, label: str, state: str | None, detail: str | None, *, is_error: bool = False
) -> dict[str, Any]:
    return {"timestamp": at, "label": label, "state": state, "detail": detail, "is_error": is_error}


def dump_run(job: Job[Any], attempt: int | None) -> str:
    """Return what is known of one attempt, the present one by default, as pretty JSON.

    Raises ValidationError for an attempt that is negative, or that nothing records.
    """
    if attempt is not None and attempt < 0:
        raise ValidationError("attempt must be >= 0")
    selected = job.attempt if attempt is None else attempt
    is_current = selected == job.attempt
    entry = _error_of(job, selected)
    if entry is None and not is_current:
        raise ValidationError(
            f"attempt {selected} is not present in the recorded error history for job {job.id}"
        )
    document = {
        "job_id": job.id,
        "kind": job.kind,
        "queue": job.queue,
        "selected_attempt": selected,
        "current_attempt": job.attempt,
        "current_run_lease": job.run_lease,
        "selected_run_lease": job.run_lease if is_current else None,
        "source": "current_job_row" if is_current else "error_history",
        "state": str(job.state) if is_current else "failed",
        "started_at": job.attempted_at if is_current else None,
        "finished_at": (entry["at"] if entry else job.finalized_at),
        "error": entry["error"] if entry else None,
        "terminal": bool(entry and entry.get("terminal")),
        "progress": job.progress,
        "metadata": job.metadata,
        "callback": None,
        "raw_error_entry": entry,
        "notes": [] if is_current else ["the attempt is known from the job's errors alone"],
    }
    return _pretty(document)


def _error_of(job: Job[Any], attempt: int) -> dict[str, Any] | None:
    """Return the newest error of an attempt of this number: a redrive counts anew from 1.

    An attempt that runs, or has completed, left none: what bears its number is of another life.
    """
    if attempt == job.attempt and job.state in (JobState.Running, JobState.Completed):
        return None
    return next((one for one in reversed(job.errors) if one["attempt"] == attempt), None)


def _pretty(document: Any) -> str:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
