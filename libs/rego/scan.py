"""Takes a module apart into words and signs, in linear time, so that what is too deep or not closed never reaches the compiler."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from libs.rego.problems import invalid

MAX_DEPTH: Final = 100
"""Brackets inside one another. The compiler recurses, and a person's module has five or six."""

Kind = Literal["name", "text", "number", "sign"]

_SPACE: Final = re.compile(r"[ \t\r\n\f\v]+|#[^\n]*")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER: Final = re.compile(r"[0-9](?:[0-9A-Za-z_.]|(?<=[eE])[+-])*")
_SIGN: Final = re.compile(r":=|==|!=|<=|>=|[^\s\w]")
_QUOTED: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_RAW: Final = re.compile(r"`[^`]*`")
HOLE: Final = "${"
"""The text of the token where a template string, `$"… {x} …"`, begins an expression."""

_CLOSES: Final = {"{": "}", "[": "]", "(": ")", HOLE: "}"}


class Token(NamedTuple):
    """A word or sign.

    Attributes:
        text: as it is written.
        at: its offset in characters.
        depth: how many brackets are open around it; a bracket stands outside itself.
        line: 1-based.
    """

    kind: Kind
    text: str
    at: int
    depth: int
    line: int


def tokens_of(source: str) -> list[Token]:
    """The words and signs of a module, without comments. Raises: RegoInvalid."""
    return _Scan(source).tokens()


class _Scan:
    def __init__(self, source: str) -> None:
        self._source = source
        self._found: list[Token] = []
        self._open: list[Token] = []
        self._templates: list[tuple[int, str, int]] = []
        """Templates around this place: how many brackets were open where their hole began, their quote, and where they began."""
        self._line = 1
        self._counted = 0

    def tokens(self) -> list[Token]:
        at = 0
        source = self._source
        while at < len(source):
            if (space := _SPACE.match(source, at)) is not None:
                at = space.end()
            elif source.startswith(('$"', "$`"), at):
                at = self._template(at + 2, source[at + 1], at)
            elif self._ends_hole(source[at]):
                _, quote, began = self._templates.pop()
                self._open.pop()
                at = self._template(at + 1, quote, began)
            else:
                at = self._token(at)
        if self._templates:
            raise invalid(source, self._templates[-1][2], "This text is never closed.")
        if self._open:
            raise invalid(source, self._open[-1].at, f"This `{source[self._open[-1].at]}` is never closed.")
        return self._found

    def _token(self, at: int) -> int:
        source = self._source
        char = source[at]
        if char in '"`':
            match = (_QUOTED if char == '"' else _RAW).match(source, at)
            if match is None:
                raise invalid(source, at, "This text is never closed.")
            self._add("text", match.group(), at)
            return match.end()
        for kind, pattern in _PATTERNS:
            if (match := pattern.match(source, at)) is not None:
                text = match.group()
                if text in _CLOSES:
                    self._begin(kind, text, at)
                elif text in (")", "]", "}"):
                    self._close(text, at)
                else:
                    self._add(kind, text, at)
                return match.end()
        raise invalid(source, at, f"{char!r} has no meaning here.")

    def _add(self, kind: Kind, text: str, at: int) -> None:
        self._line += self._source.count("\n", self._counted, at)
        self._counted = at
        self._found.append(Token(kind, text, at, len(self._open), self._line))

    def _begin(self, kind: Kind, text: str, at: int) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise invalid(
                self._source, at, f"More than {MAX_DEPTH} brackets are inside one another here; use rules of their own."
            )
        self._add(kind, text, at)
        self._open.append(self._found[-1])

    def _close(self, text: str, at: int) -> None:
        if not self._open or _CLOSES[self._open[-1].text] != text:
            expected = f"; `{_CLOSES[self._open[-1].text]}` is expected" if self._open else ""
            raise invalid(self._source, at, f"This `{text}` closes nothing{expected}.")
        self._open.pop()
        self._add("sign", text, at)

    def _ends_hole(self, char: str) -> bool:
        return char == "}" and bool(self._templates) and len(self._open) == self._templates[-1][0]

    def _template(self, at: int, quote: str, began: int) -> int:
        """Go on inside a template string, to its end or to the next hole in it."""
        source = self._source
        while at < len(source):
            char = source[at]
            if char == "\\" and quote == '"':
                at += 2
            elif char == quote:
                self._add("text", source[began : at + 1], at)
                return at + 1
            elif char == "\n" and quote == '"':
                break
            elif char == "{":
                self._begin("sign", HOLE, at)
                self._templates.append((len(self._open), quote, began))
                return at + 1
            else:
                at += 1
        raise invalid(source, began, "This text is never closed.")


_PATTERNS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (("name", _WORD), ("number", _NUMBER), ("sign", _SIGN))
