"""Sprig's regular expressions, matched by RE2, whose time is linear; a large pattern on a long text is charged for both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import re2

from libs.template.bounds import REGEX_CHARS, REGEX_MEMORY_BYTES, Budget, Pieces, check_items
from libs.template.error import Fault
from libs.template.functions.signature import TEXT, WHOLE, Function, with_must
from libs.template.literals import utf8

_REFERENCE: Final = re.compile(rb"\$(?:\$|\{(\w+)\}|(\w+))")
_META: Final = frozenset("\\.+*?()|[]{}^$")


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    if len(pattern) > REGEX_CHARS:
        raise Fault(f"the regular expression is longer than {REGEX_CHARS} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = REGEX_MEMORY_BYTES
    try:
        return re2.compile(utf8(pattern), options)
    except re2.error as bad:
        reason = bad.args[0] if bad.args else "it is not accepted"
        shown = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise Fault(f"bad regular expression {pattern[:80]!r}: {shown}") from None


def _pattern(budget: Budget, pattern: str, text: bytes) -> Any:
    """The compiled pattern, after the work on a text is paid for."""
    budget.charge(50)
    compiled = _compiled(pattern)
    budget.charge((len(text) * int(compiled.programsize)) >> 8)
    return compiled


def _found(budget: Budget, compiled: Any, text: bytes, most: int = -1) -> Iterator[Any]:
    """Matches as Go finds them: none that is empty and touches the one before; a match never starts inside of a character."""
    if most == 0:
        return
    count = 0
    before = -1
    for match in compiled.finditer(text):
        start, end = match.span()
        if start == end and (start == before or (start < len(text) and text[start] & 0xC0 == 0x80)):
            continue
        before = end
        budget.charge(1)
        yield match
        count += 1
        if count == most:
            return


def _match(budget: Budget, pattern: str, text: str) -> bool:
    encoded = utf8(text)
    return _pattern(budget, pattern, encoded).search(encoded) is not None


def _find(budget: Budget, pattern: str, text: str) -> str:
    encoded = utf8(text)
    match = _pattern(budget, pattern, encoded).search(encoded)
    return "" if match is None else _text(match.group())


def _find_all(budget: Budget, pattern: str, text: str, most: int) -> list[str]:
    encoded = utf8(text)
    found: list[str] = []
    for match in _found(budget, _pattern(budget, pattern, encoded), encoded, most):
        check_items(len(found) + 1)
        found.append(_text(match.group()))
    return found


def _replace(budget: Budget, pattern: str, text: str, replacement: str) -> str:
    """Every match replaced; `$1`, `${1}` and `$name` stand for groups, `$$` for a dollar sign."""
    encoded, template = utf8(text), utf8(replacement)
    if b"$" not in template:
        return _replace_literally(budget, pattern, text, replacement)
    compiled = _pattern(budget, pattern, encoded)
    pieces = Pieces(budget)
    at = 0
    for match in _found(budget, compiled, encoded):
        pieces.add(_text(encoded[at : match.start()]))
        _expand(template, match, pieces)
        at = match.end()
    pieces.add(_text(encoded[at:]))
    return pieces.text()


def _expand(template: bytes, match: Any, pieces: Pieces) -> None:
    at = 0
    for reference in _REFERENCE.finditer(template):
        pieces.add(_text(template[at : reference.start()]))
        at = reference.end()
        name = reference[1] or reference[2]
        pieces.add("$" if name is None else _text(_group(match, name.decode())))
    pieces.add(_text(template[at:]))


def _group(match: Any, name: str) -> bytes:
    """What a group matched; nothing for one that is not there."""
    number = int(name) if name.isdecimal() and len(name) < 5 else _numbers(match).get(name, -1)
    if not 0 <= number <= match.re.groups:
        return b""
    return match.group(number) or b""


def _numbers(match: Any) -> dict[str, int]:
    return {_text(name) if isinstance(name, bytes) else str(name): number for name, number in match.re.groupindex.items()}


def _replace_literally(budget: Budget, pattern: str, text: str, replacement: str) -> str:
    encoded = utf8(text)
    pieces = Pieces(budget)
    at = 0
    for match in _found(budget, _pattern(budget, pattern, encoded), encoded):
        pieces.add(_text(encoded[at : match.start()]))
        pieces.add(replacement)
        at = match.end()
    pieces.add(_text(encoded[at:]))
    return pieces.text()


def _split(budget: Budget, pattern: str, text: str, most: int) -> list[str]:
    """The text between matches; at most so many parts if that is not negative."""
    if most == 0:
        return []
    encoded = utf8(text)
    if pattern and not encoded:
        return [""]
    parts: list[str] = []
    start = end = 0
    for match in _found(budget, _pattern(budget, pattern, encoded), encoded):
        if 0 < most == len(parts) + 1:
            break
        end = match.start()
        # Like Go: an empty match at the very start cuts nothing off.
        if match.end() != 0:
            check_items(len(parts) + 2)
            parts.append(_text(encoded[start:end]))
        start = match.end()
    if end != len(encoded):
        parts.append(_text(encoded[start:]))
    return parts


def _quote_meta(text: str) -> str:
    return "".join(f"\\{one}" if one in _META else one for one in text)


def _text(encoded: bytes) -> str:
    return encoded.decode("utf-8", "replace")


def _match_or_not(budget: Budget, pattern: str, text: str) -> bool:
    """Whether it matches; a bad pattern matches nothing, as in Sprig."""
    try:
        _compiled(pattern)
    except Fault:
        return False
    return _match(budget, pattern, text)


TABLE: Final[dict[str, Function]] = {
    "regexMatch": Function(_match_or_not, (TEXT, TEXT), costs=True),
    "mustRegexMatch": Function(_match, (TEXT, TEXT), costs=True),
    "regexQuoteMeta": Function(_quote_meta, (TEXT,)),
    **with_must(
        {
            "regexFind": Function(_find, (TEXT, TEXT), costs=True),
            "regexFindAll": Function(_find_all, (TEXT, TEXT, WHOLE), costs=True),
            "regexReplaceAll": Function(_replace, (TEXT, TEXT, TEXT), costs=True),
            "regexReplaceAllLiteral": Function(_replace_literally, (TEXT, TEXT, TEXT), costs=True),
            "regexSplit": Function(_split, (TEXT, TEXT, WHOLE), costs=True),
        }
    ),
}
