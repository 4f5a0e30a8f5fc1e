"""The shape of whatever loops: one `run_once`, and a base that owns pace and errors.

Owns: how long a loop rests, and what an error in it means.
Keeps: a service goes on after an error that the database caused, and says so once for each break.
    Its `run_once` is all of its behaviour, so a test calls that and needs no loop.
Above: the services of this folder. Below: errors.
"""

import asyncio
import logging
from abc import ABC, abstractmethod

from awa.errors import AwaError

__all__ = ["Service"]

logger = logging.getLogger(__name__)


class Service(ABC):
    """Something that is done again and again."""

    name = "service"

    def __init__(self, pace_s: float) -> None:
        self.pace_s = pace_s
        self.is_well = True
        self.ran = asyncio.Event()
        """Set after each turn: a test clears it and waits for it, and needs no sleep."""

    @abstractmethod
    async def run_once(self) -> bool:
        """Do it once; return whether more is waiting."""

    async def run(self) -> None:
        """Do it until cancelled."""
        while True:
            more = False
            try:
                more = await self.run_once()
                self.is_well = True
            except AwaError as error:
                if self.is_well:
                    logger.warning("%s failed and will be tried again: %s", self.name, error)
                self.is_well = False
            self.ran.set()
            # Yields even when more is waiting: no service may starve the others.
            await asyncio.sleep(0 if more else self.pace_s)
