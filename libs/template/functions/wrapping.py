"""Sprig's functions that break lines and shorten texts."""

from __future__ import annotations

from typing import Final

from libs.template.bounds import Budget, Pieces
from libs.template.functions.signature import TEXT, WHOLE, Function

_ELLIPSIS: Final = "..."


def _wrapped(budget: Budget, width: int, separator: str, text: str, cuts_words: bool) -> str:
    """Lines of at most so many characters, broken at spaces; longer words are cut or stay whole."""
    width = max(width, 1)
    pieces = Pieces(budget)
    at = 0
    while len(text) - at > width:
        if text[at] == " ":
            at += 1
            continue
        space = text.rfind(" ", at, at + width + 1)
        skipped = 1
        if space < 0 and cuts_words:
            space, skipped = at + width, 0
        elif space < 0:
            space = text.find(" ", at + width)
            if space < 0:
                break
        pieces.add(text[at:space])
        pieces.add(separator)
        at = space + skipped
    pieces.add(text[at:])
    return pieces.text()


def _abbreviated(offset: int, width: int, text: str) -> str:
    """At most so many characters, with `...` for what is left out at the end and, from an offset on, at the start."""
    if width < 4 or (offset > 0 and width < 7) or len(text) <= width:
        return text
    room = width - len(_ELLIPSIS)
    offset = min(max(offset, 0), len(text))
    if len(text) - offset < room:
        offset = len(text) - room
    if offset <= 4:
        return text[:room] + _ELLIPSIS
    if offset + room < len(text):
        return _ELLIPSIS + _abbreviated(0, room, text[offset:])
    return _ELLIPSIS + text[len(text) - room :]


TABLE: Final[dict[str, Function]] = {
    "wrap": Function(lambda budget, width, text: _wrapped(budget, width, "\n", text, False), (WHOLE, TEXT), costs=True),
    "wrapWith": Function(
        lambda budget, width, separator, text: _wrapped(budget, width, separator or "\n", text, True),
        (WHOLE, TEXT, TEXT),
        costs=True,
    ),
    "abbrev": Function(lambda width, text: _abbreviated(0, width, text), (WHOLE, TEXT)),
    "abbrevboth": Function(_abbreviated, (WHOLE, WHOLE, TEXT)),
}
