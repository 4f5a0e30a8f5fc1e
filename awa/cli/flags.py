"""The flags that every command has.

Owns: their names; they may stand before a command or after it.
Keeps: what stands after a command wins over what stands before.
Above: the commands. Below: nothing.
"""

from argparse import SUPPRESS, ArgumentParser, _SubParsersAction
from typing import Any

__all__ = ["add_globals", "leaf"]


def add_globals(parser: ArgumentParser, **default: Any) -> None:
    """Add the global flags."""
    given = {"schema": {"default": "awa"}} if not default else {}
    parser.add_argument("--database-url", metavar="URL", help="the database; wins", **default)
    parser.add_argument("--context", metavar="NAME", help="a context of the config file", **default)
    schema: dict[str, Any] = given.get("schema", default)
    parser.add_argument("--schema", help="the schema that everything lies in", **schema)
    parser.add_argument(
        "--yes", action="store_true", help="do not ask before production", **default
    )
    parser.add_argument("--json", action="store_true", help="print data as JSON", **default)


def leaf(commands: "_SubParsersAction[Any]", name: str, text: str) -> ArgumentParser:
    """Add a command that does something, and return its parser."""
    parser: ArgumentParser = commands.add_parser(name, help=text, description=text)
    add_globals(parser, default=SUPPRESS)
    return parser
