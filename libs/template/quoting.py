"""Writes strings and characters as Go literals."""

from __future__ import annotations

from typing import Final

_ESCAPES: Final = {7: "\\a", 8: "\\b", 12: "\\f", 10: "\\n", 13: "\\r", 9: "\\t", 11: "\\v", 92: "\\\\"}


def quoted(text: str, ascii_only: bool = False) -> str:
    """The text in double quotes, with escapes for what can not be printed."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_escaped(one, '"', ascii_only) for one in text) + '"'


def quoted_character(code_point: int, ascii_only: bool = False) -> str:
    """The character in single quotes; what is none is shown as U+FFFD."""
    return "'" + _escaped(character_of(code_point), "'", ascii_only) + "'"


def character_of(code_point: int) -> str:
    """The character of a code point; U+FFFD for what has none."""
    valid = 0 <= code_point <= 0x10FFFF and not 0xD800 <= code_point < 0xE000
    return chr(code_point) if valid else "\ufffd"


def _escaped(one: str, quote: str, ascii_only: bool) -> str:
    code = ord(one)
    if one == quote:
        return "\\" + one
    if code in _ESCAPES:
        return _ESCAPES[code]
    if one.isprintable() and (code < 127 or not ascii_only):
        return one
    if code < 128:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
