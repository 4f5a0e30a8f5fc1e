"""How a result reads: a table for people, a budget for the gate.

Owns: the rows of the table, with what each is to reach.
Keeps: a target that was missed is shown as missed.
Above: __main__. Below: nothing.
"""

import os
import platform
import tomllib
from pathlib import Path
from typing import Any

__all__ = ["broken", "commit", "machine", "table"]

# Name in the result, what it is, at least or at most, the target.
TARGETS: list[tuple[str, str, str, float]] = [
    ("vs_awa_pg.drain", "drain, one process, times awa-pg", ">=", 10),
    ("drain_two_processes_vs_one", "drain, two processes, times one", ">=", 1),
    ("vs_awa_pg.worker_cpu", "worker CPU a job, of awa-pg's", "<=", 1 / 6),
    ("vs_awa_pg.postgres_cpu", "Postgres CPU a job, of awa-pg's", "<=", 1 / 8),
    ("wal_bytes_per_job", "WAL bytes a job, enqueue to completed", "<=", 450),
    ("xact_per_job", "transactions a job, busy", "<=", 0.01),
    ("vs_awa_pg.pickup_p50", "pickup p50 at 50 and 200/s, of awa-pg's", "<=", 1 / 8),
    ("vs_awa_pg.pickup_p99", "pickup p99 at 50 and 200/s, of awa-pg's", "<=", 1 / 6),
    ("vs_awa_pg.postgres_cpu_at_50", "Postgres CPU a job at 50/s, of awa-pg's", "<=", 1 / 10),
    ("vs_awa_pg.idle", "idle worker's Postgres load, of awa-pg's", "<=", 1 / 10),
    ("dead_tuples", "dead tuples in the logs", "<=", 0),
    ("drain_under_old_snapshot_vs_plain", "drain under an old snapshot, of plain", ">=", 0.9),
    ("drain_under_open_writer_vs_plain", "drain beside an open writer, of plain", ">=", 0.9),
    ("drain_traced_vs_plain", "drain with tracing on, of plain", ">=", 0.5),
    ("traced_illegal", "illegal lives in what was traced", "<=", 0),
    ("deep_vs_shallow_postgres", "Postgres CPU a job, 1 M waiting, of fresh", "<=", 1.25),
    ("history_vs_fresh_postgres", "Postgres CPU a job, 1 M claims behind, of fresh", "<=", 1.25),
]

FIGURES = [
    ("drain_per_s", "drain, one process", "jobs/s"),
    ("drain_worker_us", "worker CPU a job", "us"),
    ("drain_postgres_us", "Postgres CPU a job, drain", "us"),
    ("bulk_per_s", "bulk enqueue", "jobs/s"),
    ("bulk_postgres_us", "Postgres CPU a job, bulk enqueue", "us"),
    ("bulk_vs_copy", "bulk enqueue, of a bare COPY", ""),
    ("single_per_s", "single enqueue", "jobs/s"),
    ("single_vs_commit", "single enqueue, of a commit a row", ""),
    ("pickup_p50_ms_50", "pickup p50 at 50/s", "ms"),
    ("pickup_p99_ms_50", "pickup p99 at 50/s", "ms"),
    ("pickup_p50_ms_200", "pickup p50 at 200/s", "ms"),
    ("pickup_p99_ms_200", "pickup p99 at 200/s", "ms"),
    ("postgres_us_at_50", "Postgres CPU a job at 50/s", "us"),
    ("postgres_us_at_200", "Postgres CPU a job at 200/s", "us"),
    ("idle_core_percent", "idle worker's Postgres load", "% of a core"),
    ("drain_traced_postgres_vs_plain", "Postgres CPU a job with tracing on, of plain", ""),
    ("mixed_per_s", "mixed load, two processes", "jobs/s"),
    ("mixed_worker_us", "worker CPU a job, mixed", "us"),
    ("mixed_postgres_us", "Postgres CPU a job, mixed", "us"),
    ("mixed_wal_bytes", "WAL bytes a job, mixed, finish and claim", ""),
    ("rss_kb_after_few", "worker's memory after 10 thousand jobs", "KiB"),
    ("rss_kb_after_many", "worker's memory after a million jobs", "KiB"),
    ("fresh_get_job_ms", "get_job, fresh", "ms"),
    ("history_get_job_ms", "get_job, 1 M claims behind", "ms"),
    ("deep_get_job_ms", "get_job, 1 M waiting", "ms"),
    ("fresh_queue_stats_ms", "queue_stats, fresh", "ms"),
    ("history_queue_stats_ms", "queue_stats, 1 M claims behind", "ms"),
    ("deep_queue_stats_ms", "queue_stats, 1 M waiting", "ms"),
    ("fresh_open_entries_ms", "what is open under a worker, fresh", "ms"),
    ("history_open_entries_ms", "what is open under a worker, 1 M claims behind", "ms"),
    ("limit_copy_per_s", "the machine: bare COPY", "rows/s"),
    ("limit_commit_per_s", "the machine: a commit a row", "rows/s"),
    ("limit_round_trip_per_s", "the machine: empty round trips", "/s"),
]


def found(result: dict[str, Any], name: str) -> float | None:
    """Return a figure by its dotted name, or None if it was not measured."""
    value: Any = result
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return None if value is None else float(value)


def table(result: dict[str, Any]) -> str:
    """Return the result as two Markdown tables: the targets, and the figures behind them."""
    lines = [f"Commit {result['commit']}; {result['machine']}.", ""]
    lines += ["| to reach | target | measured | |", "| --- | --- | --- | --- |"]
    for name, text, sign, target in TARGETS:
        value = found(result, name)
        if value is not None:
            met = value >= target if sign == ">=" else value <= target
            verdict = "reached" if met else "**missed**"
            lines.append(f"| {text} | {sign} {_short(target)} | {_short(value)} | {verdict} |")
    theirs = result.get("awa_pg", {})
    lines += ["", "| figure | Awa | awa-pg | unit |", "| --- | --- | --- | --- |"]
    for name, text, unit in FIGURES:
        value = found(result, name)
        if value is not None:
            other = _short(theirs[name]) if name in theirs else ""
            lines.append(f"| {text} | {_short(value)} | {other} | {unit} |")
    return "\n".join(lines)


def _short(value: float) -> str:
    """Return a number as people read it."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def commit() -> str:
    """Return the commit that is measured, or 'unknown'."""
    head = Path(__file__).parent.parent / ".git" / "HEAD"
    if not head.exists():
        return "unknown"
    text = head.read_text().strip()
    if text.startswith("ref: "):
        ref = head.parent / text[5:]
        text = ref.read_text().strip() if ref.exists() else text
    return text[:12]


def machine() -> str:
    """Return what this machine is, in one line."""
    model = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else platform.machine()
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores of {model}, Python {platform.python_version()}, load {load:.1f}"


def broken(result: dict[str, Any], budget: Path) -> list[str]:
    """Return what of the budget this result does not keep."""
    over = []
    for name, limit in tomllib.loads(budget.read_text()).items():
        value = found(result, name)
        if value is None:
            over.append(f"{name} was not measured")
        elif "min" in limit and value < limit["min"]:
            over.append(f"{name} is {_short(value)}, at least {limit['min']} is the budget")
        elif "max" in limit and value > limit["max"]:
            over.append(f"{name} is {_short(value)}, at most {limit['max']} is the budget")
    return over
