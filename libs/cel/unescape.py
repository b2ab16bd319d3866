"""The value of a string or bytes literal.

cel-python's own conversion drops newlines, keeps three escapes as written and accepts invalid ones, so it is not used.
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPE: Final = re.compile(
    r"""\\(?:(?P<one>[abfnrtv"'`?\\])|[xX](?P<hex>[0-9a-fA-F]{2})|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})"""
    r"""|(?P<octal>[0-3][0-7]{2})|(?P<bad>.?))""",
    re.DOTALL,
)
_CONTROLS: Final = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))


class BadEscape(ValueError):
    """An escape sequence that means nothing; `offset` counts characters from the start of the literal."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


def unescape(literal: str) -> str | bytes:
    """Return the value of a terminated literal with its prefix and quotes.

    Raises:
        BadEscape: an escape sequence is unknown, or names no character.
    """
    start = min(literal.find(quote) for quote in "\"'" if quote in literal)
    prefix, body = literal[:start].lower(), literal[start:]
    width = 3 if body[:3] in ('"""', "'''") and len(body) >= 6 else 1
    start += width
    body = body[width:-width].replace("\r\n", "\n") if width == 3 else body[width:-width]
    if "r" in prefix:
        return body.encode() if "b" in prefix else body
    if "b" in prefix:
        return _bytes(body, start)
    return _ESCAPE.sub(lambda found: _character(found, start), body) if "\\" in body else body


def _character(found: re.Match[str], start: int) -> str:
    if (one := found["one"]) is not None:
        return _CONTROLS.get(one, one)
    digits = found["hex"] or found["short"] or found["long"]
    if digits is None and found["octal"] is None:
        raise BadEscape(f"invalid escape sequence {found[0]}", start + found.start())
    code = int(digits, 16) if digits is not None else int(found["octal"], 8)
    if 0xD800 <= code < 0xE000 or code > 0x10FFFF:
        raise BadEscape(f"{found[0]} is no character", start + found.start())
    return chr(code)


def _bytes(body: str, start: int) -> bytes:
    parts: list[bytes] = []
    done = 0
    for found in _ESCAPE.finditer(body):
        parts.append(body[done : found.start()].encode())
        done = found.end()
        if found["short"] or found["long"]:
            raise BadEscape(f"{found[0]} has no place in bytes", start + found.start())
        code = _character(found, start)
        # \xff and \377 are single bytes here, not characters that would take two in UTF-8.
        parts.append(bytes([ord(code)]))
    parts.append(body[done:].encode())
    return b"".join(parts)
