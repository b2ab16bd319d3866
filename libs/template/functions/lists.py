"""Sprig's functions of lists; none changes the list it is given. A name with `must` is the same function."""

from __future__ import annotations

from typing import Any, Final

from libs.template.bounds import Budget, check_items
from libs.template.error import Fault
from libs.template.functions.signature import ANY, LIST, WHOLE, Function, with_must
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


_APPEND: Final = Function(_appended, (LIST, ANY))
_LIST: Final = Function(lambda *values: list(values), rest=ANY)

TABLE: Final[dict[str, Function]] = {
    "list": _LIST,
    "tuple": _LIST,
    "concat": Function(_concat, rest=LIST),
    **with_must(
        {
            "first": Function(lambda values: values[0] if values else None, (LIST,)),
            "rest": Function(lambda values: values[1:], (LIST,)),
            "last": Function(lambda values: values[-1] if values else None, (LIST,)),
            "initial": Function(lambda values: values[:-1], (LIST,)),
            "append": _APPEND,
            "push": _APPEND,
            "prepend": Function(_prepended, (LIST, ANY)),
            "reverse": Function(lambda values: values[::-1], (LIST,)),
            "uniq": Function(_unique, (LIST,), costs=True),
            "without": Function(_without, (LIST,), rest=ANY, costs=True),
            "has": Function(_has, (ANY, ANY), costs=True),
            "compact": Function(lambda values: [value for value in values if is_true(value)], (LIST,)),
            "chunk": Function(_chunk, (WHOLE, LIST), costs=True),
        }
    ),
}
