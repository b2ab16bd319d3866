"""The pieces that a template's text falls into."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What a token is."""

    TEXT = "text"
    LEFT = "{{"
    RIGHT = "}}"
    SPACE = "space"
    WORD = "word"
    FIELD = "field"
    DOT = "."
    VARIABLE = "variable"
    STRING = "quoted string"
    CHARACTER = "character"
    NUMBER = "number"
    PIPE = "|"
    DECLARE = ":="
    ASSIGN = "="
    OPEN = "("
    CLOSE = ")"
    COMMA = ","
    END = "end of the template"


class Token(NamedTuple):
    """One token.

    Attributes:
        kind: what it is.
        text: its characters; of a TEXT what is left after trimming.
        at: offset of its first character in the template.
    """

    kind: Kind
    text: str
    at: int

    def __str__(self) -> str:
        return self.kind.value if self.kind is Kind.END else repr(self.text)
