"""What can go wrong with a module. Each says in a sentence what it is, for the person who wrote the module."""

from __future__ import annotations


class RegoInvalid(Exception):
    """A module that can not be used, and where.

    Attributes:
        message: a sentence.
        line, column: 1-based; the column counts characters.
    """

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"{message} (line {line}, column {column})")
        self.message = message
        self.line = line
        self.column = column


class RegoFailed(Exception):
    """A module had no answer: it does not compile, broke, took too long, or needs what is not there. `str()` is a sentence."""


class RegoUnavailable(Exception):
    """Rego can not be run here at all, whatever the module says. `str()` is a sentence."""


def invalid(source: str, offset: int, message: str) -> RegoInvalid:
    """The exception for what stands at a character offset."""
    before = source[:offset]
    return RegoInvalid(message, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)
