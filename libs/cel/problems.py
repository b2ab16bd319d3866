"""What can be wrong with an expression: problems found when it is saved, errors met when it is evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["error", "warning"]
ErrorKind = Literal["missing", "overload", "range", "regex", "cost"]

NO_PLACE: Final = -1


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of the check at save time.

    Attributes:
        severity: an error refuses the expression; a warning is shown and lets it pass.
        code: stable word for programs, for example `unknown_variable`.
        message: what is wrong, one sentence, for people.
        line: 1-based line of the offending text.
        column: 1-based column, in characters.
        hint: what to write instead, if there is a good guess.
    """

    severity: Severity
    code: str
    message: str
    line: int
    column: int
    hint: str | None = None

    def render(self, source: str) -> str:
        """Return the problem with its source line and a caret under the place."""
        lines = source.split("\n")
        shown = lines[self.line - 1] if self.line <= len(lines) else ""
        text = f"{self.line}:{self.column}: {self.severity}: {self.message}\n  {shown}\n  {' ' * (self.column - 1)}^"
        return f"{text}\n  {self.hint}" if self.hint else text


class CelProblems(Exception):
    """The expression can not be compiled.

    Attributes:
        source: the text that was refused.
        problems: every finding, errors and warnings, in the order of their places; at least one is an error.
    """

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.line}:{p.column}: {p.message}" for p in problems if p.severity == "error"))


class CelError(Exception):
    """An evaluation had no value.

    Attributes:
        kind: `missing` (a map key that is not there), `overload` (wrong types), `range` (overflow, bad index, bad conversion),
            `regex` (bad pattern) or `cost` (it was stopped because it did too much).
        message: types and key names only, never values, since it is shown to people who may not see the document.
        line: 1-based line of the sub-expression, 0 while unknown.
        column: 1-based column, 0 while unknown.
    """

    def __init__(self, kind: ErrorKind, message: str, at: int = NO_PLACE) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message
        self.at = at
        self.line = 0
        self.column = 0

    def locate(self, source: str) -> CelError:
        """Fill in line and column from the character offset and return the error itself."""
        self.line, self.column = place(source, max(self.at, 0))
        return self


def place(source: str, offset: int) -> tuple[int, int]:
    """Return the 1-based line and column of a character offset."""
    return source.count("\n", 0, offset) + 1, offset - (source.rfind("\n", 0, offset) + 1) + 1


def refuse(source: str, offset: int, code: str, message: str, hint: str | None = None) -> CelProblems:
    """Return the exception that stops parsing with one error."""
    line, column = place(source, offset)
    return CelProblems(source, (Problem("error", code, message, line, column, hint),))
