"""The command that shows everything.

Owns: `awa demo`.
Keeps: it needs no database of yours: it starts its own, and deletes it.
Above: cli. Below: flags, demo, config.
"""

from argparse import Namespace, _SubParsersAction
from typing import Any

from awa import config
from awa.cli.flags import leaf
from awa.demo.command import demo

__all__ = ["add_commands"]


def add_commands(commands: "_SubParsersAction[Any]") -> None:
    """Add the command that shows everything."""
    command = leaf(commands, "demo", "the main job on an embedded Postgres, with kills")
    command.set_defaults(run=_demo)


async def _demo(args: Namespace) -> int:
    binaries = config.pg_bin()
    return await demo(json=args.json, binaries=str(binaries) if binaries else None)
