"""The flags that every command has.

Owns: their names; they may stand before a command or after it.
Keeps: what stands after a command wins over what stands before.
Above: the commands. Below: nothing.
"""

from argparse import SUPPRESS, ArgumentParser, Namespace, _SubParsersAction
from typing import Any

__all__ = ["add_globals", "leaf", "schema_of"]


def add_globals(parser: ArgumentParser, **default: Any) -> None:
    """Add the global flags."""
    parser.add_argument("--database-url", metavar="URL", help="the database; wins", **default)
    parser.add_argument("--context", metavar="NAME", help="a context of the config file", **default)
    parser.add_argument("--schema", help="the schema that everything lies in (awa)", **default)
    parser.add_argument(
        "--yes", action="store_true", help="do not ask before production", **default
    )
    parser.add_argument("--json", action="store_true", help="print data as JSON", **default)


def leaf(commands: "_SubParsersAction[Any]", name: str, text: str) -> ArgumentParser:
    """Add a command that does something, and return its parser."""
    parser: ArgumentParser = commands.add_parser(name, help=text, description=text)
    add_globals(parser, default=SUPPRESS)
    return parser


def schema_of(args: Namespace) -> str:
    """Return the schema that a command is about."""
    return "awa" if args.schema is None else str(args.schema)
