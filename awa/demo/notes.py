"""What producers and handlers write down, outside the queue, and how it reads.

Owns: the form of those files: one line an event, appended in one write.
Keeps: a line is whole or not there; what a killed process left half is dropped.
Above: producer, worker and play. Below: nothing.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Note", "Notes", "Reader"]


class Notes:
    """A file that one process appends to."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, word: str, *tokens: str) -> None:
        """Append an event a token: what happened to it, and when."""
        now = time.time()
        lines = "".join(f"{word} {token} {now:.6f}\n" for token in tokens)
        os.write(self._file, lines.encode())


@dataclass(frozen=True, slots=True)
class Note:
    """One event: what happened, to which job, when (seconds of this machine's clock)."""

    word: str
    token: str
    at: float


class Reader:
    """Reads what was appended to a file since the last time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def fresh(self) -> Iterator[Note]:
        """Go through the whole lines that are there now and were not the last time."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.decode().splitlines():
            word, token, at = line.split()
            yield Note(word, token, float(at))
