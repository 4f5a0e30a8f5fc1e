"""Which function handles which kind.

Owns: the registry: kind -> handler, its argument type and the queue it was declared for.
Keeps: one handler a kind, the last one registered. What runs is a copy taken at `start()`.
Above: client registers, the executor looks up. Below: encode.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from awa.encode import checked_text, derive_kind

__all__ = ["Handler", "Handlers"]


@dataclass(frozen=True, slots=True)
class Handler:
    """A function, and what it wants to be called with."""

    kind: str
    queue: str
    args_type: Any
    function: Callable[..., Any]

    is_async: bool
    """Whether calling it gives something to await; else it runs in a thread."""


@dataclass(slots=True)
class Handlers:
    """The handlers of a client, by kind."""

    handler_by_kind: dict[str, Handler] = field(default_factory=dict)

    def register(
        self, args_type: Any, function: Callable[..., Any], kind: str | None, queue: str
    ) -> None:
        """Add a handler; TypeError unless it can be called and run, and its kind is known."""
        if not callable(function):
            raise TypeError(f"a handler must be callable, not {type(function).__name__}")
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError("a handler must not be a generator: nobody would run its body")
        named = _kind_of_type(args_type) if kind is None else checked_text(kind, "kind")
        # An object with an async __call__ is as good as an async function.
        is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004
        )
        self.handler_by_kind[named] = Handler(named, queue, args_type, function, is_async)

    @property
    def queues(self) -> list[str]:
        """The queues that handlers were declared for, each once, in order."""
        return list(dict.fromkeys(one.queue for one in self.handler_by_kind.values()))

    def copy(self) -> "Handlers":
        """Return the handlers of this moment: what is registered later waits for the next start."""
        return Handlers(dict(self.handler_by_kind))


def _kind_of_type(args_type: Any) -> str:
    """Return the kind that is derived from a class's name; TypeError for what has none."""
    name = getattr(args_type, "__name__", None)
    if name is None:
        raise TypeError(
            f"a kind is derived from the class of the args, and {args_type!r} is none: give kind="
        )
    return derive_kind(name)
