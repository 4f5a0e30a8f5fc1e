"""How a worker process is told to stop, and that it stops when its engine has died.

Owns: what SIGTERM and SIGINT mean.
Keeps: the first one claims no more, gives handlers their time and hands the rest back; a second
    one stops at once, and what is open then is rescued by the leader. A process without an engine
    does not stay: whoever keeps it up is to see it end, and to start another.
Above: cli and demo. Below: client, errors.
"""

import asyncio
import os
import signal

from awa.client import AsyncClient
from awa.errors import AwaError

__all__ = ["run_until_signal"]


async def run_until_signal(client: AsyncClient, shutdown_timeout_ms: int) -> None:
    """Wait for the signal to stop a started client, then drain; AwaError if its engine dies."""
    engine = client._engine
    assert engine is not None, "start the client first"
    asked = asyncio.Event()

    def on_signal() -> None:
        if asked.is_set():
            # The second signal: at once, whatever is unwritten; the leader rescues it.
            os._exit(1)
        asked.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    waits = [asyncio.create_task(one.wait()) for one in (asked, engine.ended)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waits:
            one.cancel()
    await client.shutdown(shutdown_timeout_ms)
    if (fault := engine.fault) is not None:
        raise AwaError(
            f"the engine of this worker has died: {type(fault).__name__}: {fault}"
        ) from fault
