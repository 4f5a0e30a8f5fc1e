"""What can be registered as a handler, and for which kind."""

from functools import partial
from typing import Any

import pytest

from awa.handlers import Handlers


def handle(job: Any) -> None:
    """Do nothing."""


@pytest.mark.parametrize("args_type", [None, partial(dict), 5, {"a": 1}])
def test_without_a_class_a_kind_must_be_given(args_type: Any) -> None:
    handlers = Handlers()
    with pytest.raises(TypeError, match="a kind is derived from the class of the args"):
        handlers.register(args_type, handle, None, "q")
    handlers.register(args_type, handle, "k", "q")
    assert list(handlers.handler_by_kind) == ["k"]


def test_what_cannot_be_called_is_no_handler() -> None:
    with pytest.raises(TypeError, match="a handler must be callable, not str"):
        Handlers().register(dict, "handle", None, "q")  # type: ignore[arg-type]


def test_a_generator_is_no_handler() -> None:
    def once(job: Any) -> Any:
        yield job

    async def each(job: Any) -> Any:
        yield job

    for function in (once, each):
        with pytest.raises(TypeError, match="a handler must not be a generator"):
            Handlers().register(dict, function, None, "q")
