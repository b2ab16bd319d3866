"""Sprig's functions of strings. Lengths and places are bytes of UTF-8, as in Go; a character is never cut in two."""

from __future__ import annotations

from typing import Any, Final

from libs.template.bounds import Budget, Pieces, check_items, check_length
from libs.template.error import Fault
from libs.template.functions.signature import ANY, LIST, TEXT, WHOLE, Function
from libs.template.literals import utf8
from libs.template.printing import shown
from libs.template.quoting import quoted

_WHITE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


def cut(text: str, start: int, end: int) -> str:
    """The bytes from start to end, without what is left of a character that lies across either."""
    return text[start:end] if text.isascii() else utf8(text)[start:end].decode("utf-8", "ignore")


def _trunc(length: int, text: str) -> str:
    size = len(utf8(text))
    if length < 0:
        return cut(text, max(size + length, 0), size) if size + length > 0 else text
    return cut(text, 0, length)


def _substr(start: int, end: int, text: str) -> str:
    size = len(utf8(text))
    start = max(start, 0)
    if end < 0 or end > size:
        end = size
    if start > end:
        raise Fault(f"substr can not start at {start} and end at {end}")
    return cut(text, start, end)


def repeated(count: int, text: str) -> str:
    """The text so many times. Raises: Fault: the count is negative or the result too long."""
    if count < 0:
        raise Fault(f"a text can not be repeated {count} times")
    check_length(count * len(text))
    return text * count


def _replace(old: str, new: str, text: str) -> str:
    if len(new) > len(old):
        check_length(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def _indent(spaces: int, text: str) -> str:
    if spaces < 0:
        raise Fault(f"a text can not be indented by {spaces}")
    check_length(len(text) + spaces * (text.count("\n") + 1))
    padding = " " * spaces
    return padding + text.replace("\n", "\n" + padding)


def _quote(budget: Budget, *values: Any) -> str:
    return " ".join(quoted(shown(value, budget)) for value in values if value is not None)


def _single_quote(budget: Budget, *values: Any) -> str:
    return _joined(budget, [f"'{shown(value, budget)}'" for value in values if value is not None], " ")


def _joined(budget: Budget, texts: list[str], separator: str) -> str:
    pieces = Pieces(budget)
    for index, text in enumerate(texts):
        if index:
            pieces.add(separator)
        pieces.add(text)
    return pieces.text()


def texts_of(budget: Budget, value: Any) -> list[str]:
    """A list as strings, without what is nil; anything else as a list of itself."""
    if isinstance(value, list):
        budget.charge(len(value))
        return [shown(one, budget) for one in value if one is not None]
    return [] if value is None else [shown(value, budget)]


def _join(budget: Budget, separator: str, value: Any) -> str:
    return _joined(budget, texts_of(budget, value), separator)


def _cat(budget: Budget, *values: Any) -> str:
    return _joined(budget, [shown(value, budget) for value in values if value is not None], " ")


def _split_list(budget: Budget, separator: str, text: str) -> list[str]:
    return _parts(budget, separator, text, -1)


def _parts(budget: Budget, separator: str, text: str, most: int) -> list[str]:
    """The text cut at the separator, into single characters if that is empty; at most so many parts if that is not negative."""
    if most == 0:
        return []
    if not separator:
        if 0 < most < len(text):
            return [*text[: most - 1], text[most - 1 :]]
        check_items(len(text))
        budget.charge(len(text))
        return list(text)
    count = text.count(separator)
    check_items(min(count, most) if most > 0 else count)
    budget.charge(count)
    return text.split(separator, most - 1 if most > 0 else -1)


def _numbered(parts: list[str]) -> dict[str, str]:
    return {f"_{index}": part for index, part in enumerate(parts)}


def _split(budget: Budget, separator: str, text: str) -> dict[str, str]:
    return _numbered(_parts(budget, separator, text, -1))


def _splitn(budget: Budget, separator: str, most: int, text: str) -> dict[str, str]:
    return _numbered(_parts(budget, separator, text, most))


def _sort(budget: Budget, value: Any) -> list[str]:
    return sorted(texts_of(budget, value))


def _to_strings(budget: Budget, values: list[Any]) -> list[str]:
    return texts_of(budget, values)


def _upper(text: str) -> str:
    """Character by character: one that has no single capital, such as ß, stays."""
    return text.upper() if text.isascii() else "".join(big if len(big := one.upper()) == 1 else one for one in text)


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else "".join(small if len(small := one.lower()) == 1 else one for one in text)


def _plural(one: str, many: str, count: int) -> str:
    return one if count == 1 else many


def _nospace(text: str) -> str:
    return text.translate(dict.fromkeys(map(ord, _WHITE)))


TABLE: Final[dict[str, Function]] = {
    "trim": Function(lambda text: text.strip(_WHITE), (TEXT,)),
    "trimAll": Function(lambda of, text: text.strip(of) if of else text, (TEXT, TEXT)),
    "trimall": Function(lambda of, text: text.strip(of) if of else text, (TEXT, TEXT)),
    "trimPrefix": Function(lambda prefix, text: text.removeprefix(prefix), (TEXT, TEXT)),
    "trimSuffix": Function(lambda suffix, text: text.removesuffix(suffix), (TEXT, TEXT)),
    "upper": Function(_upper, (TEXT,)),
    "lower": Function(_lower, (TEXT,)),
    "repeat": Function(repeated, (WHOLE, TEXT)),
    "substr": Function(_substr, (WHOLE, WHOLE, TEXT)),
    "trunc": Function(_trunc, (WHOLE, TEXT)),
    "nospace": Function(_nospace, (TEXT,)),
    "contains": Function(lambda part, text: part in text, (TEXT, TEXT)),
    "hasPrefix": Function(lambda prefix, text: text.startswith(prefix), (TEXT, TEXT)),
    "hasSuffix": Function(lambda suffix, text: text.endswith(suffix), (TEXT, TEXT)),
    "quote": Function(_quote, rest=ANY, costs=True),
    "squote": Function(_single_quote, rest=ANY, costs=True),
    "cat": Function(_cat, rest=ANY, costs=True),
    "indent": Function(_indent, (WHOLE, TEXT)),
    "nindent": Function(lambda spaces, text: "\n" + _indent(spaces, text), (WHOLE, TEXT)),
    "replace": Function(_replace, (TEXT, TEXT, TEXT)),
    "plural": Function(_plural, (TEXT, TEXT, WHOLE)),
    "join": Function(_join, (TEXT, ANY), costs=True),
    "split": Function(_split, (TEXT, TEXT), costs=True),
    "splitList": Function(_split_list, (TEXT, TEXT), costs=True),
    "splitn": Function(_splitn, (TEXT, WHOLE, TEXT), costs=True),
    "sortAlpha": Function(_sort, (ANY,), costs=True),
    "toStrings": Function(_to_strings, (LIST,), costs=True),
}
