"""Functions on strings; positions and lengths count characters."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any, Final

from libs.cel.budget import Budget
from libs.cel.function import Function, free, method, over_method
from libs.cel.problems import CelError
from libs.cel.regex import found_in
from libs.cel.values import overload

_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER: Final = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
_BLANKS: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_QUOTED: Final = str.maketrans(
    {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"'}
)


def _all_text(name: str, apply: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*args: Any) -> Any:
        for arg in args:
            if arg.__class__ is not str:
                raise overload(name, *args)
        return apply(*args)

    return checked


def _types(name: str, args: tuple[Any, ...], *kinds: type) -> None:
    if any(arg.__class__ is not kind for arg, kind in zip(args, kinds, strict=False)):
        raise overload(name, *args)


def _outside() -> CelError:
    return CelError("range", "index out of range")


def _char_at(text: Any, position: Any) -> str:
    _types("charAt", (text, position), str, int)
    if not 0 <= position <= len(text):
        raise _outside()
    return str(text[position : position + 1])


def _index_of(text: Any, part: Any, *start: Any) -> int:
    _types("indexOf", (text, part, *start), str, str, int)
    offset = start[0] if start else 0
    if not 0 <= offset <= len(text):
        raise _outside()
    return int(text.find(part, offset))


def _last_index_of(text: Any, part: Any, *start: Any) -> int:
    _types("lastIndexOf", (text, part, *start), str, str, int)
    if not start:
        return int(text.rfind(part))
    offset = start[0]
    if not 0 <= offset <= len(text):
        raise _outside()
    return int(text.rfind(part, 0, offset + len(part)))


def _substring(text: Any, begin: Any, *end: Any) -> str:
    _types("substring", (text, begin, *end), str, int, int)
    stop = end[0] if end else len(text)
    if not 0 <= begin <= stop <= len(text):
        raise _outside()
    return str(text[begin:stop])


def _split(budget: Budget, text: Any, separator: Any, *limit: Any) -> list[str]:
    _types("split", (text, separator, *limit), str, str, int)
    most = limit[0] if limit else -1
    if most == 0:
        return []
    budget.build(len(text))
    if separator:
        parts: list[str] = text.split(separator, most - 1 if most > 0 else -1)
        return parts
    if most < 0 or most >= len(text):
        return list(text) or [""]
    return [*text[: most - 1], text[most - 1 :]]


def _replace(budget: Budget, text: Any, old: Any, new: Any, *limit: Any) -> str:
    _types("replace", (text, old, new, *limit), str, str, str, int)
    most = limit[0] if limit else -1
    count = text.count(old) if most < 0 else min(text.count(old), most)
    budget.build(len(text) + count * max(len(new) - len(old), 0))
    return str(text.replace(old, new, most if most >= 0 else -1))


def _join(budget: Budget, parts: Any, *separator: Any) -> str:
    between = separator[0] if separator else ""
    if parts.__class__ is not list or between.__class__ is not str or any(part.__class__ is not str for part in parts):
        raise overload("join", parts, *separator)
    budget.spend(len(parts) >> 4)
    budget.build(sum(map(len, parts)) + len(between) * len(parts))
    return str(between.join(parts))


def _quote(text: str) -> str:
    return f'"{text.translate(_QUOTED)}"'


def _text_method(name: str, apply: Callable[..., Any], count: int = 1) -> Function:
    return method(_all_text(name, apply), count)


_lower_ascii: Final = _text_method("lowerAscii", lambda text: text.translate(_LOWER))
_upper_ascii: Final = _text_method("upperAscii", lambda text: text.translate(_UPPER))

FUNCTIONS: Final = {
    "contains": _text_method("contains", str.__contains__, 2),
    "startsWith": _text_method("startsWith", str.startswith, 2),
    "endsWith": _text_method("endsWith", str.endswith, 2),
    "matches": Function(_all_text("matches", found_in), 2, 2, "both"),
    "lowerAscii": _lower_ascii,
    "upperAscii": _upper_ascii,
    # Not in the standard; the names that the documentation of selectors has always shown.
    "toLowerCase": _lower_ascii,
    "toUpperCase": _upper_ascii,
    "trim": _text_method("trim", lambda text: text.strip(_BLANKS)),
    "charAt": method(_char_at, 2),
    "indexOf": method(_index_of, 2, 3),
    "lastIndexOf": method(_last_index_of, 2, 3),
    "substring": method(_substring, 2, 3),
    "split": over_method(_split, 2, 3),
    "replace": over_method(_replace, 3, 4),
    "join": over_method(_join, 1, 2),
    "strings.quote": free(_all_text("strings.quote", _quote), 1),
}
