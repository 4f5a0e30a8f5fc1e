"""The commands about jobs.

Owns: `awa job ...`.
Keeps: one call of the client a command; what it prints is what came back.
Above: cli. Below: flags, opened, dump, text.
"""

from argparse import Namespace, _SubParsersAction
from typing import Any

from awa.cli.flags import leaf
from awa.cli.opened import opened
from awa.dump import job_dict
from awa.text import as_json, table

__all__ = ["add_commands"]


def add_commands(commands: "_SubParsersAction[Any]") -> None:
    """Add the commands about jobs."""
    job = commands.add_parser("job", help="look at jobs, retry and cancel them")
    verbs = job.add_subparsers(dest="verb", required=True, metavar="VERB")
    dump = leaf(verbs, "dump", "everything about a job")
    dump.add_argument("id", type=int)
    dump.set_defaults(run=_dump)
    run = leaf(verbs, "dump-run", "everything about one attempt of a job")
    run.add_argument("id", type=int)
    run.add_argument("--attempt", type=int)
    run.set_defaults(run=_dump_run)
    retry = leaf(verbs, "retry", "make a failed or cancelled job available again")
    retry.add_argument("id", type=int)
    retry.set_defaults(run=_retry)
    cancel = leaf(verbs, "cancel", "cancel a job that is not over")
    cancel.add_argument("id", type=int)
    cancel.set_defaults(run=_cancel)
    failed = leaf(verbs, "retry-failed", "make failed jobs available again")
    which = failed.add_mutually_exclusive_group(required=True)
    which.add_argument("--kind")
    which.add_argument("--queue")
    failed.set_defaults(run=_retry_failed)
    discard = leaf(verbs, "discard", "delete the failed jobs of a kind")
    discard.add_argument("--kind", required=True)
    discard.set_defaults(run=_discard)
    show = leaf(verbs, "list", "list jobs, newest first")
    for name in ("--state", "--kind", "--queue"):
        show.add_argument(name)
    show.add_argument("--limit", type=int, default=50)
    show.set_defaults(run=_list)


async def _dump(args: Namespace) -> None:
    async with opened(args, mutates=False) as client:
        print(await client.dump_job(args.id))


async def _dump_run(args: Namespace) -> None:
    async with opened(args, mutates=False) as client:
        print(await client.dump_run(args.id, args.attempt))


async def _retry(args: Namespace) -> None:
    async with opened(args, mutates=True) as client:
        job = await client.retry(args.id)
    print(as_json(job_dict(job)) if args.json else f"Retried job {job.id}")


async def _cancel(args: Namespace) -> None:
    async with opened(args, mutates=True) as client:
        job = await client.cancel(args.id)
    print(as_json(job_dict(job)) if args.json else f"Cancelled job {job.id}")


async def _retry_failed(args: Namespace) -> None:
    async with opened(args, mutates=True) as client:
        done = await client.retry_failed(kind=args.kind, queue=args.queue)
    text = f"Retried {len(done.jobs)} failed jobs"
    if raced := done.matched - len(done.jobs):
        text += f"; {raced} were gone before they could be shown"
    print(as_json({"retried": len(done.jobs), "matched": done.matched}) if args.json else text)


async def _discard(args: Namespace) -> None:
    async with opened(args, mutates=True) as client:
        count = await client.discard_failed(args.kind)
    text = f"Discarded {count} failed jobs of kind '{args.kind}'"
    print(as_json({"discarded": count}) if args.json else text)


async def _list(args: Namespace) -> None:
    async with opened(args, mutates=False) as client:
        jobs = await client.list_jobs(
            state=args.state, kind=args.kind, queue=args.queue, limit=args.limit
        )
    if args.json:
        print(as_json([job_dict(job) for job in jobs]))
    elif not jobs:
        print("No jobs found.")
    else:
        heads = ("ID", "KIND", "QUEUE", "STATE", "ATT", "MAX")
        rows = [
            (job.id, job.kind, job.queue, job.state, job.attempt, job.max_attempts) for job in jobs
        ]
        print(table(heads, rows))
        print(f"{len(jobs)} jobs listed.")
