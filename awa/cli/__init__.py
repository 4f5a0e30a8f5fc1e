"""The command line: `awa`, also `python -m awa`.

Owns: which commands there are, their flags, and what an error becomes.
Keeps: an error is one line on stderr and never a traceback. Exit codes: 0 ok, 1 it failed or is
    not ready, 2 wrong usage.
Above: the console script. Below: its modules, client, config, errors.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from importlib.metadata import version

from awa.cli import demo, jobs, queues, schema, trace, worker
from awa.cli.flags import add_globals
from awa.errors import AwaError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    args = _parser().parse_args(argv)
    try:
        return int(asyncio.run(args.run(args)) or 0)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever reads has enough; there is nobody left to tell.
        return 0
    except (AwaError, ValueError, TypeError, OverflowError, OSError) as error:
        text = str(error).splitlines()
        print(f"error: {text[0] if text else type(error).__name__}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="awa", description="A Postgres-native job queue.")
    parser.add_argument("-V", "--version", action="version", version=f"awa {version('awa-queue')}")
    add_globals(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (schema, worker, jobs, queues, trace, demo):
        module.add_commands(commands)
    return parser
