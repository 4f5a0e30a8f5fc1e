"""How a worker process is told to stop.

Owns: what SIGTERM and SIGINT mean.
Keeps: the first one claims no more, gives handlers their time and hands the rest back; a second
    one stops at once, and what is open then is rescued by the leader.
Above: cli and demo. Below: client.
"""

import asyncio
import os
import signal

from awa.client import AsyncClient

__all__ = ["run_until_signal"]


async def run_until_signal(client: AsyncClient, shutdown_timeout_ms: int) -> None:
    """Wait for the signal to stop, then drain."""
    asked = asyncio.Event()

    def on_signal() -> None:
        if asked.is_set():
            # The second signal: at once, whatever is unwritten; the leader rescues it.
            os._exit(1)
        asked.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    await asked.wait()
    await client.shutdown(shutdown_timeout_ms)
