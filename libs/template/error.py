"""What goes wrong with templates."""

from __future__ import annotations


class Fault(Exception):
    """Something wrong at a place that is not known yet; whoever knows it raises a `TemplateError` instead."""


class TemplateError(Exception):
    """A template that can not be parsed or rendered.

    Attributes:
        message: what is wrong and what to write instead.
        line: 1-based line of the place.
        column: 1-based column of it, in characters.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"{message} (line {line}, column {column})")
        self.message = message
        self.line = line
        self.column = column


def error_at(text: str, at: int, message: str) -> TemplateError:
    """The error at an offset of the template's text."""
    at = min(at, len(text))
    return TemplateError(message, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
