"""The exceptions a user of Awa can meet. Pure: no clock, no dice, no database.

Owns: one class for each way a call can go wrong, and what it says to an operator.
Keeps: every class derives directly from AwaError, so catching one never catches another.
    A class's docstring is its text, on one line, when whoever raises it gives none.
Above: every module that refuses something. Below: nothing.
"""

import inspect

__all__ = [
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


class AwaError(Exception):
    """Awa could not do what was asked; the cause is in the text, or one line up in the log."""

    def __str__(self) -> str:
        return super().__str__() or (inspect.getdoc(type(self)) or "")


class UniqueConflict(AwaError):
    """Another job, or a row of yours, already holds this unique key; nothing was written."""


class SchemaNotMigrated(AwaError):
    """The schema and this library are of different versions; run `awa migrate`, or upgrade Awa."""


class UnknownJobKind(AwaError):
    """No handler is registered for this kind; register one with `client.task()`."""


class SerializationError(AwaError):
    """A value could not be written as JSON, or stored JSON could not be read back."""


class ValidationError(AwaError):
    """An argument has the wrong shape; nothing was sent to the database."""


class TerminalError(AwaError):
    """The handler declared that no further attempt can succeed: the job fails without a retry."""


class DatabaseError(AwaError):
    """Postgres, its driver or the connection pool refused; see if the server can be reached."""


class CallbackNotFound(AwaError):
    """No job waits for this callback: it is unknown, already resolved, replaced or timed out."""
