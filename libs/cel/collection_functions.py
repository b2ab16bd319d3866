"""The list and set packs. Sets are lists whose order and repeats do not count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from libs.cel.budget import Budget
from libs.cel.function import Function, over_method
from libs.cel.problems import CelError
from libs.cel.values import UInt, equal, overload, type_name

_SORTABLE: Final = frozenset({int, UInt, float, str, bytes, bool, dt.datetime, dt.timedelta})


def sort_order(keys: Sequence[Any], what: str, budget: Budget) -> list[int]:
    """Return the positions of the keys in ascending order, equal ones as they were.

    Raises:
        CelError: kind `overload`, the keys are not all of one ordered type.
    """
    kinds = {key.__class__ for key in keys}
    if len(kinds) > 1 or not kinds <= _SORTABLE:
        found = ", ".join(sorted({type_name(key) for key in keys}))
        raise CelError("overload", f"{what}() needs values of one ordered type, not {found}")
    budget.spend(len(keys))
    return sorted(range(len(keys)), key=keys.__getitem__)


def _sort(budget: Budget, items: Any) -> list[Any]:
    if items.__class__ is not list:
        raise overload("sort", items)
    return [items[position] for position in sort_order(items, "sort", budget)]


def _slice(budget: Budget, items: Any, start: Any, end: Any) -> list[Any]:
    if items.__class__ is not list or start.__class__ is not int or end.__class__ is not int:
        raise overload("slice", items, start, end)
    if not 0 <= start <= end <= len(items):
        raise CelError("range", "slice() outside the list")
    budget.build(end - start)
    return list(items[start:end])


def _flatten(budget: Budget, items: Any, *depth: Any) -> list[Any]:
    levels = depth[0] if depth else 1
    if items.__class__ is not list or levels.__class__ is not int:
        raise overload("flatten", items, *depth)
    if levels < 0:
        raise CelError("range", "flatten() by a negative depth")
    flat: list[Any] = items
    for _ in range(levels):
        if not any(item.__class__ is list for item in flat):
            break
        size = sum(len(item) if item.__class__ is list else 1 for item in flat)
        budget.spend(len(flat) >> 4)
        budget.build(size)
        flat = [inner for item in flat for inner in (item if item.__class__ is list else (item,))]
    return list(flat)


def _distinct(budget: Budget, items: Any) -> list[Any]:
    if items.__class__ is not list:
        raise overload("distinct", items)
    kept: list[Any] = []
    for item in items:
        if not _member(item, kept, budget):
            kept.append(item)
    return kept


def _reverse(budget: Budget, value: Any) -> Any:
    if value.__class__ is not list and value.__class__ is not str:
        raise overload("reverse", value)
    budget.build(len(value))
    return value[::-1]


def _range(budget: Budget, count: Any) -> list[int]:
    if count.__class__ is not int:
        raise overload("lists.range", count)
    budget.build(max(count, 0))
    return list(range(count))


def _end(name: str, position: int) -> Function:
    def apply(budget: Budget, items: Any) -> Any:
        if items.__class__ is not list:
            raise overload(name, items)
        budget.spend(1)
        if not items:
            raise CelError("range", f"{name}() of an empty list")
        return items[position]

    return over_method(apply, 1)


def _member(item: Any, items: list[Any], budget: Budget) -> bool:
    budget.spend((len(items) >> 4) + 1)
    return any(equal(item, other, budget) for other in items)


def _lists(name: str, a: Any, b: Any) -> None:
    if a.__class__ is not list or b.__class__ is not list:
        raise overload(name, a, b)


def _set_contains(budget: Budget, whole: Any, part: Any) -> bool:
    _lists("sets.contains", whole, part)
    return all(_member(item, whole, budget) for item in part)


def _set_equivalent(budget: Budget, a: Any, b: Any) -> bool:
    _lists("sets.equivalent", a, b)
    return all(_member(item, b, budget) for item in a) and all(_member(item, a, budget) for item in b)


def _set_intersects(budget: Budget, a: Any, b: Any) -> bool:
    _lists("sets.intersects", a, b)
    return any(_member(item, b, budget) for item in a)


FUNCTIONS: Final = {
    "slice": over_method(_slice, 3),
    "flatten": over_method(_flatten, 1, 2),
    "distinct": over_method(_distinct, 1),
    "sort": over_method(_sort, 1),
    "reverse": over_method(_reverse, 1),
    "first": _end("first", 0),
    "last": _end("last", -1),
    "lists.range": Function(_range, 1, 1, "global", budgeted=True),
    "sets.contains": Function(_set_contains, 2, 2, "global", budgeted=True),
    "sets.equivalent": Function(_set_equivalent, 2, 2, "global", budgeted=True),
    "sets.intersects": Function(_set_intersects, 2, 2, "global", budgeted=True),
}
