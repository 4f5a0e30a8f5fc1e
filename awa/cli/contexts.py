"""Which database a command is about.

Owns: the config file, and the order in which a target is looked for.
Keeps: a mutating command never guesses between several contexts, and asks before production.
    A password is never printed.
Above: the commands. Below: config, errors.
"""

import re
import sys
import tomllib
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

from awa import config
from awa.errors import AwaError

__all__ = ["Context", "contexts", "masked", "target_url"]


@dataclass(frozen=True, slots=True)
class Context:
    """A named database of the config file."""

    name: str
    url: str | None
    url_env: str | None
    is_production: bool

    def resolved(self) -> str:
        """Return its URL; AwaError if the variable that holds it is not set."""
        url = self.url or config.variable(self.url_env or "")
        if url is None:
            raise AwaError(f"context '{self.name}': {self.url_env} is not set")
        return url


def contexts(path: Path) -> tuple[dict[str, Context], str | None]:
    """Return the contexts of the config file by name, and the default's; AwaError if it is bad."""
    if not path.exists():
        return {}, None
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AwaError(f"{path}: {error}") from error
    if unknown := set(read) - {"default_context", "contexts"}:
        raise AwaError(f"{path}: unknown key {sorted(unknown)[0]!r}")
    named = read.get("contexts", {})
    if not isinstance(named, dict):
        raise AwaError(f"{path}: contexts must be a table")
    found = {name: _context(path, name, given) for name, given in named.items()}
    default = read.get("default_context")
    if default is not None and default not in found:
        raise AwaError(f"{path}: default_context {default!r} is not one of its contexts")
    return found, default


def _context(path: Path, name: str, given: object) -> Context:
    """Return one context of the file, checked."""
    place = f"{path}: contexts.{name}"
    if not isinstance(given, dict):
        raise AwaError(f"{place} must be a table")
    if unknown := set(given) - {"url", "url_env", "production"}:
        raise AwaError(f"{place}: unknown key {sorted(unknown)[0]!r}")
    if ("url" in given) == ("url_env" in given):
        raise AwaError(f"{place} needs exactly one of url and url_env")
    values = [given.get("url", ""), given.get("url_env", "")]
    if not all(isinstance(value, str) for value in values):
        raise AwaError(f"{place}: url and url_env are text")
    production = given.get("production", False)
    if not isinstance(production, bool):
        raise AwaError(f"{place}: production is true or false")
    return Context(name, values[0] or None, values[1] or None, production)


def target_url(args: Namespace, *, mutates: bool) -> str:
    """Return the URL that the command is about, and say on stderr which it is."""
    found, default = contexts(config.config_path())
    name = args.context or config.context_name()
    chosen: Context | None = None
    if args.database_url is not None:
        # An empty one is a variable that was never set: the next best database would be a guess.
        if not args.database_url:
            raise AwaError("--database-url is empty")
        url = args.database_url
    elif name:
        chosen = _named(found, name)
        url = chosen.resolved()
    elif from_environment := config.database_url():
        url = from_environment
    elif default:
        if mutates and len(found) > 1:
            raise AwaError("several contexts exist: say which with --context or --database-url")
        chosen = found[default]
        url = chosen.resolved()
    else:
        raise AwaError("no database: give --database-url, --context or DATABASE_URL")
    print(f"target: {masked(url)}", file=sys.stderr)
    if mutates and chosen is not None and chosen.is_production:
        _confirm(chosen, args)
    return str(url)


def _named(found: dict[str, Context], name: str) -> Context:
    if name not in found:
        raise AwaError(
            f"unknown context '{name}'; the config file has: {', '.join(found) or 'none'}"
        )
    return found[name]


def _confirm(context: Context, args: Namespace) -> None:
    """Have a person say yes before production is changed."""
    if args.yes:
        return
    if not sys.stdin.isatty():
        raise AwaError(f"context '{context.name}' is production: say --yes to go on")
    print(f"'{context.name}' is production. Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise AwaError("not confirmed")


def masked(url: str) -> str:
    """Return a URL with its password replaced, wherever it stands: before the host, in the query.

    A password may hold any character; the last @ before the query ends it, as the driver reads it.
    """
    place, mark, query = url.partition("?")
    place = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", place)
    return place + mark + re.sub(r"((?:^|&)\w*pass\w*=)[^&]*", r"\1***", query, flags=re.ASCII)
