"""The commands of the trace lab: record what the transitions do, and hold it against the models.

Owns: `awa trace record`, `awa trace export` and `awa trace check`.
Keeps: exit code 0 of a check means that every trace was read to its end and every step of it is
    legal; whatever else, a tool that is missing included, is 1.
Above: cli. Below: contexts, flags, lab, store, text.
"""

import sys
from argparse import Namespace, _SubParsersAction
from pathlib import Path
from typing import Any

from awa.cli.contexts import target_url
from awa.cli.flags import leaf, schema_of
from awa.lab import tlc
from awa.lab.check import check
from awa.lab.collect import collect
from awa.lab.judge import judge
from awa.lab.monitor import Monitor
from awa.lab.trace import read, spec_hashes, write
from awa.store.recorder import recorder
from awa.text import as_json

__all__ = ["add_commands"]


def add_commands(commands: "_SubParsersAction[Any]") -> None:
    """Add the commands of the trace lab."""
    trace = commands.add_parser("trace", help="record, export and check traces")
    verbs = trace.add_subparsers(dest="verb", required=True, metavar="VERB")
    record = leaf(verbs, "record", "trace every session of the database that begins from now on")
    record.add_argument("--off", action="store_true", help="trace none any more")
    record.set_defaults(run=_record)
    export = leaf(verbs, "export", "write what was traced to a file")
    export.add_argument("file", type=Path)
    export.add_argument("--after", type=int, default=0, metavar="N", help="after event N")
    export.set_defaults(run=_export)
    checked = leaf(verbs, "check", "hold traces against the models; exit code 0 if all are legal")
    checked.add_argument("file", type=Path, nargs="+")
    checked.add_argument(
        "--monitor", action="store_true", help="by the interpreter alone, without TLC"
    )
    checked.set_defaults(run=_check)


async def _record(args: Namespace) -> None:
    async with recorder(target_url(args, mutates=True), schema_of(args)) as store:
        await store.record(not args.off)
    print("Tracing is off." if args.off else "Tracing is on for every session that begins now.")


async def _export(args: Namespace) -> None:
    async with recorder(target_url(args, mutates=False), schema_of(args)) as store:
        trace = await collect(store, "awa trace export", args.after)
    count = write(args.file, trace.header, trace.events)
    print(f"Exported {count} events to {args.file}.")


async def _check(args: Namespace) -> int:
    """Check each file, by the monitor and then by TLC; the first that is no trace ends it."""
    hashes = spec_hashes(tlc.spec_folder())
    monitor = Monitor()
    reports = {}
    for file in args.file:
        trace = read(file, hashes)
        if backwards_s := trace.backwards_s():
            note = f"its clock ran backwards by {backwards_s:g} s, which orders nothing"
            print(f"{file}: {note}", file=sys.stderr)
        report = check(trace, monitor, None if args.monitor else judge)
        reports[str(file)] = report
        if not args.json:
            print(f"{file}: {report}")
    if args.json:
        print(as_json({file: report.as_data() for file, report in reports.items()}))
    return 0 if all(report.is_legal for report in reports.values()) else 1
