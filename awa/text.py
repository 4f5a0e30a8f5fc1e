"""How a command's answer is printed.

Owns: tables, JSON, and the one line of an error.
Keeps: what was asked for goes to stdout, everything else to stderr.
Above: cli and demo. Below: nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

__all__ = ["as_json", "table"]


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows as aligned columns under their heads."""
    texts = [list(heads), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in texts
    )


def as_json(value: Any) -> str:
    """Return a value as indented JSON."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
