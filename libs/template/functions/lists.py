"""Sprig's functions of lists; none changes the list it is given. A name with `must` is the same function."""

from __future__ import annotations

from typing import Any, Final

from libs.template.bounds import Budget, check_items
from libs.template.error import Fault
from libs.template.functions.signature import ANY, LIST, WHOLE, Function
from libs.template.values import are_equal, is_true


def _appended(values: list[Any], value: Any) -> list[Any]:
    check_items(len(values) + 1)
    return [*values, value]


def _prepended(values: list[Any], value: Any) -> list[Any]:
    check_items(len(values) + 1)
    return [value, *values]


def _concat(*lists: list[Any]) -> list[Any]:
    check_items(sum(map(len, lists)))
    return [one for values in lists for one in values]


def _is_among(budget: Budget, value: Any, values: list[Any]) -> bool:
    return any(are_equal(value, one, budget) for one in values)


def _has(budget: Budget, value: Any, values: Any) -> bool:
    if values is None:
        return False
    if not isinstance(values, list):
        raise Fault("has takes a value and a list")
    return _is_among(budget, value, values)


def _unique(budget: Budget, values: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for value in values:
        if not _is_among(budget, value, kept):
            kept.append(value)
    return kept


def _without(budget: Budget, values: list[Any], *unwanted: Any) -> list[Any]:
    return [value for value in values if not _is_among(budget, value, list(unwanted))]


def _chunk(budget: Budget, size: int, values: list[Any]) -> list[list[Any]]:
    if size < 1:
        raise Fault(f"a chunk can not have {size} items")
    budget.charge(len(values))
    return [values[at : at + size] for at in range(0, len(values), size)]


_FIRST: Final = Function(lambda values: values[0] if values else None, (LIST,))
_REST: Final = Function(lambda values: values[1:], (LIST,))
_LAST: Final = Function(lambda values: values[-1] if values else None, (LIST,))
_INITIAL: Final = Function(lambda values: values[:-1], (LIST,))
_APPEND: Final = Function(_appended, (LIST, ANY))
_PREPEND: Final = Function(_prepended, (LIST, ANY))
_REVERSE: Final = Function(lambda values: values[::-1], (LIST,))
_UNIQUE: Final = Function(_unique, (LIST,), costs=True)
_WITHOUT: Final = Function(_without, (LIST,), rest=ANY, costs=True)
_HAS: Final = Function(_has, (ANY, ANY), costs=True)
_COMPACT: Final = Function(lambda values: [value for value in values if is_true(value)], (LIST,))
_CHUNK: Final = Function(_chunk, (WHOLE, LIST), costs=True)
_LIST: Final = Function(lambda *values: list(values), rest=ANY)

TABLE: Final[dict[str, Function]] = {
    "list": _LIST,
    "tuple": _LIST,
    "first": _FIRST,
    "mustFirst": _FIRST,
    "rest": _REST,
    "mustRest": _REST,
    "last": _LAST,
    "mustLast": _LAST,
    "initial": _INITIAL,
    "mustInitial": _INITIAL,
    "append": _APPEND,
    "mustAppend": _APPEND,
    "push": _APPEND,
    "mustPush": _APPEND,
    "prepend": _PREPEND,
    "mustPrepend": _PREPEND,
    "concat": Function(_concat, rest=LIST),
    "reverse": _REVERSE,
    "mustReverse": _REVERSE,
    "uniq": _UNIQUE,
    "mustUniq": _UNIQUE,
    "without": _WITHOUT,
    "mustWithout": _WITHOUT,
    "has": _HAS,
    "mustHas": _HAS,
    "compact": _COMPACT,
    "mustCompact": _COMPACT,
    "chunk": _CHUNK,
    "mustChunk": _CHUNK,
}
