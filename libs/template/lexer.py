"""Cuts a template's text into tokens: literal text, and what stands between `{{` and `}}`, or between other marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from libs.template.error import error_at
from libs.template.tokens import Kind, Token

_SPACES: Final = " \t\r\n"
_SPACE: Final = re.compile(r"[ \t\r\n]+")
_WORD: Final = re.compile(r"\w+")
_NUMBER: Final = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]+)?|0[oO][0-7_]*|0[bB][01_]*"
    r"|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]*)?)"
)
_STRING: Final = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"')
_RAW: Final = re.compile(r"`[^`]*`")
_CHARACTER: Final = re.compile(r"'(?:[^'\\\n]|\\[^\n])*'")
_SINGLE: Final = {"|": Kind.PIPE, "(": Kind.OPEN, ")": Kind.CLOSE, ",": Kind.COMMA, "=": Kind.ASSIGN}
_AFTER_WORD: Final = frozenset(" \t\r\n.,|:)(")
"""What may follow a name, a field or a variable, besides the end of the action."""


class Marks(NamedTuple):
    """What an action stands between."""

    left: str = "{{"
    right: str = "}}"


BRACES: Final = Marks()


def tokens_of(text: str, marks: Marks = BRACES) -> Iterator[Token]:
    """Cut the whole text.

    Returns:
        TEXT tokens that are not empty, and for every action LEFT, its tokens, RIGHT; last an END. Comments leave nothing.

    Raises:
        TemplateError: an action is not closed, or has a character that can not stand there.
    """
    at = 0
    trimmed = False
    while True:
        opened = text.find(marks.left, at)
        end = len(text) if opened < 0 else opened
        literal = text[at:end]
        if trimmed:
            stripped = literal.lstrip(_SPACES)
            at += len(literal) - len(stripped)
            literal = stripped
        inside = opened + len(marks.left)
        if opened >= 0 and text.startswith("-", inside) and text[inside + 1 : inside + 2] in tuple(_SPACES):
            literal = literal.rstrip(_SPACES)
            inside += 2
        if literal:
            yield Token(Kind.TEXT, literal, at)
        if opened < 0:
            yield Token(Kind.END, "", len(text))
            return
        if text.startswith("/*", inside):
            at, trimmed = _after_comment(text, opened, inside, marks)
        else:
            yield Token(Kind.LEFT, marks.left, opened)
            at = inside
            while (right := _right(text, at, marks)) is None:
                token = _token(text, at, opened, marks)
                at += len(token.text)
                yield token
            yield Token(Kind.RIGHT, marks.right, at)
            at, trimmed = right


def _right(text: str, at: int, marks: Marks) -> tuple[int, bool] | None:
    """Where the text goes on if the action ends here, and whether white space is trimmed there."""
    mark = marks.right
    if text.startswith(mark, at):
        return at + len(mark), False
    # The marker belongs to the space before it, which the caller may already have taken.
    space = _SPACE.match(text, at)
    if space is not None and text.startswith(f"-{mark}", space.end()):
        return space.end() + 1 + len(mark), True
    if text.startswith(f"-{mark}", at) and text[at - 1] in _SPACES:
        return at + 1 + len(mark), True
    return None


def _after_comment(text: str, opened: int, inside: int, marks: Marks) -> tuple[int, bool]:
    closed = text.find("*/", inside)
    if closed < 0:
        raise error_at(text, opened, "the comment is not closed by '*/'")
    right = _right(text, closed + 2, marks)
    if right is None:
        raise error_at(text, closed + 2, f"a comment must be all that an action has: '{marks.right}' is missing after '*/'")
    return right


def _token(text: str, at: int, opened: int, marks: Marks) -> Token:
    if at >= len(text):
        raise error_at(text, opened, f"'{marks.left}' is not closed by '{marks.right}'")
    here = text[at]
    if space := _SPACE.match(text, at):
        return Token(Kind.SPACE, space[0], at)
    if here == ":":
        if text.startswith(":=", at):
            return Token(Kind.DECLARE, ":=", at)
        raise error_at(text, at, "':' must be followed by '='")
    if kind := _SINGLE.get(here):
        return Token(kind, here, at)
    if here in "\"`'":
        return _quoted(text, at, here)
    if here == "$":
        word = _WORD.match(text, at + 1)
        return _ended(text, Token(Kind.VARIABLE, text[at : word.end() if word else at + 1], at), marks)
    if here == "." and not text[at + 1 : at + 2].isdecimal():
        word = _WORD.match(text, at + 1)
        return _ended(text, Token(Kind.FIELD, text[at : word.end()], at), marks) if word else Token(Kind.DOT, here, at)
    if here in "+-." or here.isdecimal():
        return _number(text, at)
    if word := _WORD.match(text, at):
        return _ended(text, Token(Kind.WORD, word[0], at), marks)
    raise error_at(text, at, f"unexpected {here!r} in an action")


def _ended(text: str, token: Token, marks: Marks) -> Token:
    """The token, if what follows may follow a name."""
    at = token.at + len(token.text)
    after = text[at : at + 1]
    if not after or after in _AFTER_WORD or text.startswith(marks.right, at):
        return token
    hint = ""
    if token.kind is Kind.FIELD and after in "-/":
        hint = '; a key with other characters than letters, digits and _ is read by {{index .map "a-key"}}'
    raise error_at(text, at, f"unexpected {after!r} after {token.text!r}{hint}")


def _quoted(text: str, at: int, quote: str) -> Token:
    pattern, kind = {'"': (_STRING, Kind.STRING), "`": (_RAW, Kind.STRING), "'": (_CHARACTER, Kind.CHARACTER)}[quote]
    found = pattern.match(text, at)
    if found is None:
        raise error_at(text, at, f"the quote {quote} is not closed" + ("" if quote == "`" else " on its line"))
    return Token(kind, found[0], at)


def _number(text: str, at: int) -> Token:
    found = _NUMBER.match(text, at)
    if found is None:
        raise error_at(text, at, f"unexpected {text[at]!r} in an action")
    if text[found.end() : found.end() + 1] == "i":
        raise error_at(text, at, "complex numbers are not supported")
    if _WORD.match(text, found.end()) or text[found.end() : found.end() + 1] == ".":
        raise error_at(text, at, f"{text[at : found.end() + 1]!r} is no number")
    return Token(Kind.NUMBER, found[0], at)
