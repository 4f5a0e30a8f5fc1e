"""The exceptions: their one root, and what they say when nobody says more."""

import pickle

import pytest

from awa import errors

CLASSES = [getattr(errors, name) for name in errors.__all__ if name != "AwaError"]


def test_the_classes_are_those_of_the_reference() -> None:
    assert sorted(errors.__all__) == [
        "AwaError",
        "CallbackNotFound",
        "DatabaseError",
        "SchemaNotMigrated",
        "SerializationError",
        "TerminalError",
        "UniqueConflict",
        "UnknownJobKind",
        "ValidationError",
    ]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_derives_directly_from_the_root(cls: type[Exception]) -> None:
    assert cls.__bases__ == (errors.AwaError,)
    assert errors.AwaError.__bases__ == (Exception,)


@pytest.mark.parametrize("cls", [errors.AwaError, *CLASSES])
def test_a_class_speaks_for_itself_until_a_text_is_given(cls: type[Exception]) -> None:
    assert str(cls()) == cls.__doc__
    assert "\n" not in str(cls())
    assert str(cls("queue 'x' configured more than once")) == "queue 'x' configured more than once"


def test_an_error_travels_between_processes() -> None:
    copy = pickle.loads(pickle.dumps(errors.CallbackNotFound("callback not found: 1")))
    assert (type(copy), str(copy)) == (errors.CallbackNotFound, "callback not found: 1")


def test_a_subclass_without_a_docstring_says_what_its_class_means() -> None:
    class CardExpired(errors.TerminalError):
        pass

    assert "without a retry" in str(CardExpired())
