"""Read a cfg, as TLC has it: the constants of a model, what it is, and what is asked of it.

Owns: the words of a cfg that are understood.
Keeps: any other word is refused, with its line.
Above: the model. Below: syntax, values.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from awa.lab.tla.syntax import Refused
from awa.lab.tla.values import Value, read

__all__ = ["Config", "read_cfg"]

WORDS = {
    "CONSTANT": "constants", "CONSTANTS": "constants", "SPECIFICATION": "specification",
    "INVARIANT": "invariants", "INVARIANTS": "invariants",
    "PROPERTY": "properties", "PROPERTIES": "properties",
}  # fmt: skip

_COMMENT = re.compile(r"\\\*.*")
_GIVEN = re.compile(r"\s*(\w+)\s*(=|<-)\s*(.*?)\s*(?=\w+\s*(?:=|<-)|$)", re.DOTALL)


@dataclass(slots=True)
class Config:
    """What a cfg says."""

    constants: dict[str, Value] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)
    specification: str = "Spec"
    invariants: list[str] = field(default_factory=list)
    properties: list[str] = field(default_factory=list)


def read_cfg(path: Path) -> Config:
    """Read a cfg."""
    config = Config()
    word = ""
    texts: list[str] = []
    for number, row in enumerate(path.read_text().splitlines(), 1):
        first, *_ = [*_COMMENT.sub("", row).split(), ""]
        if first in WORDS:
            _take(config, word, " ".join(texts), path)
            word, texts = WORDS[first], [_COMMENT.sub("", row).split(first, 1)[1]]
        elif first and (not word or (first.isupper() and len(first) > 2 and not row[0].isspace())):
            raise Refused(f"{path.name}:{number}: {first} is not understood")
        else:
            texts.append(_COMMENT.sub("", row))
    _take(config, word, " ".join(texts), path)
    return config


def _take(config: Config, word: str, text: str, path: Path) -> None:
    """Take over what a cfg says after one of its words."""
    if word == "specification":
        config.specification = text.strip()
    elif word in ("invariants", "properties"):
        getattr(config, word).extend(text.split())
    elif word == "constants":
        for name, sign, value in _given(text, path):
            if sign == "<-":
                config.overrides[name] = value
            else:
                config.constants[name] = _value(name, value, path)


def _given(text: str, path: Path) -> Sequence[tuple[str, str, str]]:
    found = _GIVEN.findall(text)
    rest = _GIVEN.sub("", text).strip()
    if rest:
        raise Refused(f"{path.name}: {rest} is not understood")
    return found


def _value(name: str, text: str, path: Path) -> Value:
    try:
        value: Value = read(text)
    except ValueError as error:
        raise Refused(f"{path.name}: {name} = {text}: {error}") from error
    return value
