"""The values that templates compute with, and what holds of each: its type, its truth, what it is equal to.

Values are None, bool, int, float, str, list, dict with string keys, and the few kinds of `Opaque`. JSON has one kind of number, which
is a float64 in Go; here a whole one stays exact, and only its type says where it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from libs.template.bounds import DATA_DEPTH, Budget, check_depth
from libs.template.error import Fault


class JsonNumber(int):
    """A whole number out of JSON."""

    __slots__ = ()


class Whole64(int):
    """What Go calls an int64: the result of arithmetic."""

    __slots__ = ()


class Opaque:
    """A value with a type of its own.

    Attributes:
        type: what Go calls it.
    """

    __slots__ = ()
    type: ClassVar[str]

    def field(self, name: str) -> Any:
        """A field. Raises: Fault: there is none of that name."""
        raise Fault(f"can't evaluate field {name} in type {self.type}")


class Missing:
    """What a map gives for a key that it has not; there is one, `MISSING`. Functions get None instead."""

    __slots__ = ()


MISSING: Final = Missing()


def of_json(value: Any, depth: int = 0) -> Any:
    """A copy of plain data that a template may change: `set` reaches the copy, never the caller's data.

    What lies deeper than `DATA_DEPTH` levels, which nobody reads, appears as `…`; what is no JSON appears as its text.
    """
    kind = type(value)
    if kind is str or value is None or kind is bool or kind is float:
        return value
    if kind is int:
        return JsonNumber(value)
    if depth == DATA_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {str(key): of_json(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [of_json(one, depth + 1) for one in value]
    return str(value)


def type_name(value: Any) -> str:
    """The type of a value as Go's `%T` says it."""
    match value:
        case None | Missing():
            return "<nil>"
        case bool():
            return "bool"
        case JsonNumber() | float():
            return "float64"
        case Whole64():
            return "int64"
        case int():
            return "int"
        case str():
            return "string"
        case list():
            return "[]interface {}"
        case dict():
            return "map[string]interface {}"
        case Opaque():
            return value.type
    raise AssertionError(type(value))


def kind_name(value: Any) -> str:
    """The kind of a value as Go's reflection says it."""
    match value:
        case None | Missing():
            return "invalid"
        case list():
            return "slice"
        case dict():
            return "map"
        case Opaque():
            return "ptr" if value.type.startswith("*") else "struct"
    return type_name(value)


def is_true(value: Any) -> bool:
    """Whether `if` takes its branch: false for nil, false, 0 and what is empty."""
    return isinstance(value, Opaque) or (value is not MISSING and bool(value))


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def are_equal(one: Any, other: Any, budget: Budget, depth: int = 0) -> bool:
    """Whether two values are the same all the way down; numbers by value, whatever their type.

    Raises:
        Fault: they are too deep, or the budget is spent.
    """
    budget.charge(1)
    if is_number(one) and is_number(other):
        return bool(one == other)
    if isinstance(one, str) and isinstance(other, str):
        budget.charge_for(one)
        return one == other
    check_depth(depth)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            are_equal(left, right, budget, depth + 1) for left, right in zip(one, other, strict=True)
        )
    if isinstance(one, dict) and isinstance(other, dict):
        return len(one) == len(other) and all(
            key in other and are_equal(value, other[key], budget, depth + 1) for key, value in one.items()
        )
    if isinstance(one, Opaque) and isinstance(other, Opaque):
        return one == other
    return one is other or (isinstance(one, bool) and isinstance(other, bool) and one == other)


def wrapped64(value: int) -> Whole64:
    """The integer that 64 bits hold, wrapped around as in Go."""
    return Whole64((value + (1 << 63)) % (1 << 64) - (1 << 63))
