"""The commands about queues and what stores them.

Owns: `awa queue ...` and `awa storage ...`.
Keeps: one call of the client a command; what it prints is what came back.
Above: cli. Below: flags, opened, text.
"""

from argparse import Namespace, _SubParsersAction
from dataclasses import asdict
from typing import Any

from awa.cli.flags import leaf
from awa.cli.opened import opened
from awa.text import as_json, table

__all__ = ["add_commands"]


def add_commands(commands: "_SubParsersAction[Any]") -> None:
    """Add the commands about queues."""
    queue = commands.add_parser("queue", help="look at queues, pause and drain them")
    verbs = queue.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, run, text in (
        ("pause", _pause, "stop a queue's claims and promotions"),
        ("resume", _resume, "let a queue give out claims again"),
        ("drain", _drain, "cancel what waits in a queue"),
    ):
        verb = leaf(verbs, name, text)
        verb.add_argument("queue")
        verb.set_defaults(run=run)
    stats = leaf(verbs, "stats", "what each queue holds")
    stats.set_defaults(run=_stats)
    storage = commands.add_parser("storage", help="look at the logs")
    things = storage.add_subparsers(dest="verb", required=True, metavar="VERB")
    status = leaf(things, "status", "segments, lanes, cursors, holes, workers; as JSON")
    status.set_defaults(run=_status)


async def _pause(args: Namespace) -> None:
    async with opened(args, mutates=True) as client:
        await client.pause_queue(args.queue, paused_by="cli")
    print(f"Paused queue '{args.queue}'")


async def _resume(args: Namespace) -> None:
    async with opened(args, mutates=True) as client:
        await client.resume_queue(args.queue)
    print(f"Resumed queue '{args.queue}'")


async def _drain(args: Namespace) -> None:
    async with opened(args, mutates=True) as client:
        count = await client.drain_queue(args.queue)
    text = f"Drained {count} jobs from queue '{args.queue}'"
    print(as_json({"drained": count}) if args.json else text)


async def _stats(args: Namespace) -> None:
    async with opened(args, mutates=False) as client:
        stats = await client.queue_stats()
    if args.json:
        print(as_json([asdict(one) for one in stats]))
        return
    heads = ("QUEUE", "AVAIL", "RUNNING", "FAILED", "COMPLETED/1H", "LAG(s)", "PAUSED")
    rows = [
        (
            one.queue,
            one.available,
            one.running,
            one.failed,
            one.completed_last_hour,
            "-" if one.lag_seconds is None else f"{one.lag_seconds:.1f}",
            "yes" if one.paused else "no",
        )
        for one in stats
    ]
    print(table(heads, rows))


async def _status(args: Namespace) -> None:
    async with opened(args, mutates=False) as client:
        print(as_json(await client.storage_status()))
