"""What a judge must know of a model: its names, and the facts that must hold.

Owns: how a model's text, and the cfg that is named after it, are read for that.
Keeps: the facts are those that the model checker checks: the invariants of MC<model>.cfg, and those
    of its properties that speak of one step. What speaks of whole behaviours no trace can refute.
Above: walks write them down, the judge asks for them. Below: errors, tla.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from awa.errors import AwaError
from awa.lab.tla import Refused
from awa.lab.tla.cfg import Config, read_cfg

_COMMENT = re.compile(r"\\\*[^\n]*|\(\*.*?\*\)", re.DOTALL)
_EXTENDS = re.compile(r"^EXTENDS\s+(\w+(?:\s*,\s*\w+)*)", re.MULTILINE)
_CONSTANTS = re.compile(r"^CONSTANTS?\s+(\w+(?:\s*,\s*\w+)*)", re.MULTILINE)
_VARIABLES = re.compile(r"^VARIABLES?\s+(\w+(?:\s*,\s*\w+)*)", re.MULTILINE)
_OPERATOR = re.compile(r"^(\w+)(?:\(([^()]*)\))?\s*==", re.MULTILINE)
_LAW = re.compile(r"^(\w+)\s*==\s*\[\]\[(.*?)\]_(\w+|<<.*?>>)", re.MULTILINE | re.DOTALL)


class ModelError(AwaError):
    """A model that nothing can be judged by; the message says why."""


@dataclass(frozen=True, slots=True)
class Law:
    """A property of steps, `name == [][body]_subscript`; the body has kept its columns."""

    name: str
    body: str
    subscript: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model as a judge sees it; `puts` are the operators that its cfg puts in others' places."""

    name: str
    constants: tuple[str, ...]
    variables: tuple[str, ...]
    arities: dict[str, int]
    invariants: tuple[str, ...]
    laws: tuple[Law, ...]
    puts: dict[str, str]


def read_model(folder: Path, name: str) -> Model:
    """Read a model of a folder, with what it extends there and the cfg `MC<name>.cfg`."""
    text = "\n".join(_sources(folder, name))
    cfg = _config(folder / f"MC{name}.cfg")
    arities = {operator: len(_names(args)) for operator, args in _OPERATOR.findall(text)}
    for needed in ("Init", "Next"):
        if needed not in arities:
            raise ModelError(f"{name} has no {needed}, and a life is nothing without")
    return Model(
        name=name,
        constants=tuple(one for row in _CONSTANTS.findall(text) for one in _names(row)),
        variables=tuple(one for row in _VARIABLES.findall(text) for one in _names(row)),
        arities=arities,
        invariants=tuple(cfg.invariants),
        laws=tuple(law for law in _laws(text) if law.name in cfg.properties),
        puts=cfg.overrides,
    )


def _config(file: Path) -> Config:
    """Read the cfg of a model."""
    try:
        return read_cfg(file)
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}") from error
    except Refused as error:
        raise ModelError(str(error)) from error


def _sources(folder: Path, name: str) -> list[str]:
    """Read a module and what it extends in its folder; blanks stand where its comments were."""
    file = folder / f"{name}.tla"
    try:
        text = _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), file.read_text())
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}") from error
    extended = [one for row in _EXTENDS.findall(text) for one in _names(row)]
    inherited = [one for one in extended if (folder / f"{one}.tla").is_file()]
    return [*(text for one in inherited for text in _sources(folder, one)), text]


def _names(row: str) -> list[str]:
    """Split names at their commas."""
    return [one.strip() for one in row.split(",") if one.strip()]


def _laws(text: str) -> list[Law]:
    """Find the properties of steps; what stands before a body becomes blanks, for its columns."""
    return [
        Law(found[1], " " * (found.start(2) - found.start()) + found[2], found[3])
        for found in _LAW.finditer(text)
    ]
