"""A client for one command.

Owns: how a command's flags become a client.
Keeps: what was opened is closed, whatever the command does.
Above: the commands. Below: contexts, flags, client.
"""

from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from awa.cli.contexts import target_url
from awa.cli.flags import schema_of
from awa.client import AsyncClient

__all__ = ["opened"]


@asynccontextmanager
async def opened(args: Namespace, *, mutates: bool) -> AsyncIterator[AsyncClient]:
    """Open a client on the command's target."""
    url = target_url(args, mutates=mutates)
    # Nothing is prepared, for the URL may be a pooler's: a command says each thing once.
    async with AsyncClient(url, 2, schema=schema_of(args), statement_cache_size=0) as client:
        yield client
