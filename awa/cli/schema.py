"""The commands about the schema, the contexts and health.

Owns: `awa migrate`, `awa context ...` and `awa health`.
Keeps: printing SQL needs no database. A schema that is newer than the program is left alone.
Above: cli. Below: contexts, flags, config, errors, store, text.
"""

import sys
from argparse import Namespace, _SubParsersAction
from pathlib import Path
from typing import Any

from awa import config
from awa.cli.contexts import contexts, masked, target_url
from awa.cli.flags import leaf, schema_of
from awa.errors import AwaError
from awa.store.migrate import Migration, grant_roles, migrate, migrations, probe
from awa.store.sql import SCHEMA_VERSION
from awa.text import as_json, table

__all__ = ["add_commands"]


def add_commands(commands: "_SubParsersAction[Any]") -> None:
    """Add the commands about the schema, the contexts and health."""
    command = leaf(commands, "migrate", "bring the schema to this version")
    command.add_argument("--sql", action="store_true", help="print the SQL instead")
    command.add_argument("--extract-to", metavar="DIR", type=Path, help="write the SQL to files")
    command.add_argument("--from", dest="first", metavar="N", type=int, help="after version N")
    command.add_argument("--to", dest="last", metavar="N", type=int, help="up to version N")
    command.add_argument("--version", dest="only", metavar="N", type=int, help="version N alone")
    command.add_argument("--pending", action="store_true", help="what the database still lacks")
    command.add_argument("--roles", action="store_true", help="also create and grant the roles")
    command.set_defaults(run=_migrate)
    context = commands.add_parser("context", help="look at the config file")
    verbs = context.add_subparsers(dest="verb", required=True, metavar="VERB")
    leaf(verbs, "list", "all contexts").set_defaults(run=_context_list)
    show = leaf(verbs, "show", "one context")
    show.add_argument("name", nargs="?")
    show.set_defaults(run=_context_show)
    health = leaf(commands, "health", "whether jobs could run; exit code 1 if not")
    health.add_argument("--connect-timeout", type=_seconds, default=5.0, metavar="S")
    health.set_defaults(run=_health)


def _seconds(text: str) -> float:
    """Return a time that can be waited for; ValueError, which argparse tells, for another."""
    seconds = float(text)
    if not 0 < seconds < 1e6:
        raise ValueError(text)
    return seconds


async def _migrate(args: Namespace) -> None:
    selects = (args.sql, args.extract_to, args.pending)
    if any(selects) or any(one is not None for one in (args.first, args.last, args.only)):
        _write(await _selected(args), args.extract_to)
        return
    url = target_url(args, mutates=True)
    await migrate(url, schema_of(args))
    if args.roles:
        await grant_roles(url, schema_of(args))
    print("Migrations applied successfully.")


async def _selected(args: Namespace) -> list[Migration]:
    """Return the migrations that the flags select; AwaError for one that does not exist."""
    for number, low in ((args.first, 0), (args.last, 0), (args.only, 1)):
        if number is not None and not low <= number <= SCHEMA_VERSION:
            raise AwaError(f"Version {number} is out of range. Valid versions: 1..{SCHEMA_VERSION}")
    first, last = args.first or 0, SCHEMA_VERSION if args.last is None else args.last
    if args.only is not None:
        first, last = args.only - 1, args.only
    elif args.pending:
        first = (await probe(target_url(args, mutates=False), schema_of(args), 30)).version
    return [one for one in migrations(schema_of(args)) if first < one.version <= last]


def _write(selected: list[Migration], folder: Path | None) -> None:
    for one in selected:
        text = f"-- Migration V{one.version}: {one.description}\n{one.sql}\n"
        if folder is None:
            sys.stdout.write(text)
            continue
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"V{one.version}__{one.description.replace(' ', '_')}.sql"
        path.write_text(text, encoding="utf-8")
        print(path)


async def _context_list(args: Namespace) -> None:
    found, default = contexts(config.config_path())
    rows = [
        (
            "*" if one.name == default else "",
            one.name,
            masked(one.url) if one.url else f"${one.url_env}",
            "yes" if one.is_production else "no",
        )
        for one in found.values()
    ]
    if args.json:
        print(as_json([{"name": r[1], "url": r[2], "default": bool(r[0])} for r in rows]))
    else:
        print(table(("", "NAME", "URL", "PRODUCTION"), rows))


async def _context_show(args: Namespace) -> None:
    found, default = contexts(config.config_path())
    name = args.name or args.context or config.context_name() or default
    if name not in found:
        raise AwaError(f"unknown context '{name}'" if name else "no context is chosen")
    one = found[name]
    place = masked(one.url) if one.url else f"${one.url_env}"
    print(as_json({"name": name, "url": place, "production": one.is_production}))


async def _health(args: Namespace) -> int:
    url = target_url(args, mutates=False)
    found, failure = None, {}
    try:
        found = await probe(url, schema_of(args), args.connect_timeout)
    except AwaError as error:
        failure = {"error": str(error).splitlines()[0]}
    compatible = found is not None and found.version == SCHEMA_VERSION
    report = {
        "ready": compatible,
        "postgres_connected": found is not None,
        "schema_version": found and found.version,
        "expected_schema_version": SCHEMA_VERSION,
        "schema_compatible": compatible,
        "live_workers": found and found.live_workers,
        **failure,
    }
    if args.json:
        print(as_json(report))
    else:
        print("\n".join(f"{name}: {value}" for name, value in report.items()))
    return 0 if report["ready"] else 1
