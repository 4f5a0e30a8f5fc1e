"""The command that runs a worker.

Owns: `awa worker MODULE:APP`: what it imports and which database that is pointed at.
Keeps: the command line's URL wins over the environment's, that over the application's.
Above: cli. Below: contexts, flags, client, config, errors, signals.
"""

import importlib
import inspect
import logging
import os
import sys
from argparse import Namespace, _SubParsersAction
from typing import Any

from awa import config
from awa.cli.contexts import masked, target_url
from awa.cli.flags import leaf
from awa.client import AsyncClient
from awa.errors import AwaError
from awa.signals import run_until_signal

__all__ = ["add_commands"]

DRAIN_MS = 25_000
"""Within the half minute that a container gets between SIGTERM and SIGKILL."""


def add_commands(commands: "_SubParsersAction[Any]") -> None:
    """Add the command that runs a worker."""
    command = leaf(commands, "worker", "run the handlers of an application")
    command.add_argument("app", metavar="MODULE:APP", help="an AsyncClient, or what makes one")
    command.add_argument("--queue", action="append", default=[], metavar="NAME[=MAX]")
    command.add_argument("--shutdown-timeout-ms", type=int, default=DRAIN_MS, metavar="MS")
    command.set_defaults(run=_worker, refuse=command.error)


async def _worker(args: Namespace) -> None:
    if args.schema is not None:
        args.refuse("--schema: a worker's schema is that of its application's client")
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # It tells with a traceback, once a try, what the worker says in a line.
    logging.getLogger("asyncpg.pool").setLevel(logging.CRITICAL)
    client = await _loaded(args.app)
    if (
        args.database_url is not None
        or args.context
        or config.context_name()
        or config.database_url()
    ):
        client.retarget(target_url(args, mutates=False))
    else:
        print(f"target: {masked(client.database_url)}", file=sys.stderr)
    queues = [_queue(text) for text in args.queue] or None
    async with client:
        await client.start(queues)
        await run_until_signal(client, args.shutdown_timeout_ms)


async def _loaded(path: str) -> AsyncClient:
    """Return the client that MODULE:APP names; AwaError if there is none."""
    module_name, _, attribute = path.partition(":")
    if not module_name or not attribute:
        raise AwaError(f"'{path}' is not of the form MODULE:APP")
    sys.path.insert(0, os.getcwd())
    try:
        app = getattr(importlib.import_module(module_name), attribute, None)
        if callable(app) and not isinstance(app, AsyncClient):
            app = app()
            app = await app if inspect.isawaitable(app) else app
    except Exception as error:
        # Somebody else's code, which may raise anything; what it was is worth its name.
        raise AwaError(f"cannot load '{path}': {type(error).__name__}: {error}") from error
    if not isinstance(app, AsyncClient):
        raise AwaError(f"'{path}' is no AsyncClient, and makes none")
    return app


def _queue(text: str) -> tuple[str, int]:
    """Return the queue that NAME[=MAX] asks for."""
    name, _, slots = text.partition("=")
    if not name or (slots and not slots.isdigit()):
        raise AwaError(f"--queue '{text}' is not of the form NAME[=MAX]")
    return name, int(slots) if slots else 10
