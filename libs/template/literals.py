"""Reads Go literals: numbers, characters and strings."""

from __future__ import annotations

import math
import re
from typing import Final

from libs.template.error import Fault

_ESCAPE: Final = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[abfnrtv\\'\"])")
_SIMPLE: Final = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "'": 39, '"': 34}
_INTEGER: Final = re.compile(
    r"([+-]?)(?:0[xX](_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)|0[oO](_?[0-7]+(?:_[0-7]+)*)|0[bB](_?[01]+(?:_[01]+)*)"
    r"|0((?:_?[0-7])+)|([1-9](?:_?[0-9])*|0))"
)
_DECIMAL: Final = re.compile(
    r"[+-]?(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9](?:_?[0-9])*)?"
)
_HEXADECIMAL: Final = re.compile(r"[+-]?0[xX][0-9a-fA-F_]*\.?[0-9a-fA-F_]*[pP][+-]?[0-9]+")
_LEADING_ZERO: Final = re.compile(r"[+-]?0[0-9_]+")
_MOST_DIGITS: Final = 100


def number(text: str) -> int | float:
    """A number: an int unless it is written with a point or an exponent. Raises: Fault: it is none, or out of range."""
    if len(text) > _MOST_DIGITS:
        raise Fault(f"a number has at most {_MOST_DIGITS} characters")
    if found := _INTEGER.fullmatch(text):
        value = _whole(found)
        if not -(1 << 63) <= value < 1 << 63:
            raise Fault(f"{text} does not fit in 64 bits")
        return value
    if _LEADING_ZERO.fullmatch(text):
        raise Fault(f"{text} starts with 0, so it is octal, but it has digits above 7")
    plain = text.replace("_", "")
    if _DECIMAL.fullmatch(text):
        return _finite(float(plain), text)
    if _HEXADECIMAL.fullmatch(text):
        try:
            return _finite(float.fromhex(plain), text)
        except (ValueError, OverflowError):
            pass
    raise Fault(f"{text!r} is no number")


def _whole(found: re.Match[str]) -> int:
    for group, base in ((2, 16), (3, 8), (4, 2), (5, 8), (6, 10)):
        if (digits := found[group]) is not None:
            value = int(digits.replace("_", ""), base)
            return -value if found[1] == "-" else value
    raise AssertionError(found)


def _finite(value: float, text: str) -> float:
    if not math.isfinite(value):
        raise Fault(f"{text} is too large for a number")
    return value


def character(quoted: str) -> int:
    """The code point of a character in single quotes. Raises: Fault: it is not exactly one."""
    inner = quoted[1:-1]
    if len(inner) == 1 and inner not in "\\'":
        return ord(inner)
    found = _ESCAPE.fullmatch(inner)
    if found is None or inner[1] == '"':
        raise Fault(f"{quoted} is no character; strings are written in double quotes")
    return _code_point(inner[1:])


def string(quoted: str) -> str:
    """The text of a string in double quotes or backticks. Raises: Fault: an escape is not known."""
    inner = quoted[1:-1]
    if quoted[0] == "`":
        return inner.replace("\r", "")
    if "\\" not in inner:
        return inner
    # \x and octal escapes are bytes: several of them may make one character.
    parts = bytearray()
    at = 0
    while (slash := inner.find("\\", at)) >= 0:
        parts += utf8(inner[at:slash])
        found = _ESCAPE.match(inner, slash)
        if found is None or found[0] == "\\'":
            raise Fault(f"{inner[slash : slash + 2]!r} is no escape of a string")
        at = found.end()
        escape = found[0][1:]
        value = _code_point(escape)
        parts += bytes([value]) if escape[0] == "x" or escape[0].isdecimal() else chr(value).encode()
    parts += utf8(inner[at:])
    return parts.decode("utf-8", "replace")


def _code_point(escape: str) -> int:
    """The value of an escape without its backslash."""
    if escape[0] in _SIMPLE:
        return _SIMPLE[escape[0]]
    value = int(escape[1:], 16) if escape[0] in "xuU" else int(escape, 8)
    if value > 0x10FFFF or 0xD800 <= value < 0xE000 or (escape[0].isdecimal() and value > 255):
        raise Fault(f"\\{escape} is no character")
    return value


def utf8(text: str) -> bytes:
    """The bytes of a text; what has no UTF-8, half of a surrogate pair, becomes a question mark."""
    return text.encode("utf-8", "replace")
