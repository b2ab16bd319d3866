"""Cuts a template's text into tokens: literal text, and what stands between `{{` and `}}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

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


def tokens_of(text: str) -> Iterator[Token]:
    """Cut the whole text.

    Returns:
        TEXT tokens that are not empty, and for every action LEFT, its tokens, RIGHT; last an END. Comments leave nothing.

    Raises:
        TemplateError: an action is not closed, or has a character that can not stand there.
    """
    at = 0
    trimmed = False
    while True:
        opened = text.find("{{", at)
        end = len(text) if opened < 0 else opened
        literal = text[at:end]
        if trimmed:
            stripped = literal.lstrip(_SPACES)
            at += len(literal) - len(stripped)
            literal = stripped
        inside = opened + 2
        if opened >= 0 and text.startswith("-", inside) and text[inside + 1 : inside + 2] in tuple(_SPACES):
            literal = literal.rstrip(_SPACES)
            inside += 2
        if literal:
            yield Token(Kind.TEXT, literal, at)
        if opened < 0:
            yield Token(Kind.END, "", len(text))
            return
        if text.startswith("/*", inside):
            at, trimmed = _after_comment(text, opened, inside)
        else:
            yield Token(Kind.LEFT, "{{", opened)
            at = inside
            while (right := _right(text, at)) is None:
                token = _token(text, at, opened)
                at += len(token.text)
                yield token
            yield Token(Kind.RIGHT, "}}", at)
            at, trimmed = right


def _right(text: str, at: int) -> tuple[int, bool] | None:
    """Where the text goes on if the action ends here, and whether white space is trimmed there."""
    if text.startswith("}}", at):
        return at + 2, False
    # The marker belongs to the space before it, which the caller may already have taken.
    space = _SPACE.match(text, at)
    if space is not None and text.startswith("-}}", space.end()):
        return space.end() + 3, True
    if text.startswith("-}}", at) and text[at - 1] in _SPACES:
        return at + 3, True
    return None


def _after_comment(text: str, opened: int, inside: int) -> tuple[int, bool]:
    closed = text.find("*/", inside)
    if closed < 0:
        raise error_at(text, opened, "the comment is not closed by '*/'")
    right = _right(text, closed + 2)
    if right is None:
        raise error_at(text, closed + 2, "a comment must be all that an action has: '}}' is missing after '*/'")
    return right


def _token(text: str, at: int, opened: int) -> Token:
    if at >= len(text):
        raise error_at(text, opened, "'{{' is not closed by '}}'")
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
        return _ended(text, Token(Kind.VARIABLE, text[at : word.end() if word else at + 1], at))
    if here == "." and not text[at + 1 : at + 2].isdecimal():
        word = _WORD.match(text, at + 1)
        return _ended(text, Token(Kind.FIELD, text[at : word.end()], at)) if word else Token(Kind.DOT, here, at)
    if here in "+-." or here.isdecimal():
        return _number(text, at)
    if word := _WORD.match(text, at):
        return _ended(text, Token(Kind.WORD, word[0], at))
    raise error_at(text, at, f"unexpected {here!r} in an action")


def _ended(text: str, token: Token) -> Token:
    """The token, if what follows may follow a name."""
    at = token.at + len(token.text)
    after = text[at : at + 1]
    if not after or after in _AFTER_WORD or text.startswith("}}", at):
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
