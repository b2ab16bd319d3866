"""The values of the language over plain Python: classes, equality, order, arithmetic, access.

int, float, str, bytes, bool, None, list, dict, aware datetime and timedelta stand for themselves; `UInt` marks unsigned integers
and `CelType` the result of type(). Classes are compared by identity because bool is a subclass of int in Python and not in CEL.
"""

from __future__ import annotations

import datetime as dt
import math
import operator
from collections.abc import Callable
from typing import Any, Final

from libs.cel.budget import Budget
from libs.cel.problems import CelError
from libs.cel.rfc3339 import read_time


class UInt(int):
    """An unsigned 64-bit integer; only `1u` and uint() make one."""

    __slots__ = ()


class CelType(str):
    """The name of a type, as type() gives it; equal only to another type."""

    __slots__ = ()


NUMBERS: Final = frozenset({int, float, UInt})
_ORDERED: Final = frozenset({str, bytes, dt.datetime, dt.timedelta, bool})
_SUMS: Final = frozenset({(dt.timedelta, dt.timedelta), (dt.timedelta, dt.datetime), (dt.datetime, dt.timedelta)})
_DIFFERENCES: Final = frozenset({(dt.timedelta, dt.timedelta), (dt.datetime, dt.datetime), (dt.datetime, dt.timedelta)})
_TYPE_NAMES: Final[dict[type, str]] = {
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    dt.datetime: "timestamp",
    dt.timedelta: "duration",
    type(None): "null",
    CelType: "type",
}
TYPES: Final = {n: CelType(n) for n in ("bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type")}
"""Type names that stand in an expression as identifiers."""

_LONG_NAMES: Final = {
    "null": "null_type",
    "timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
}
MAX_DURATION_S: Final = 315_576_000_000

TRUE_TEXTS: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
FALSE_TEXTS: Final = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def type_name(value: Any) -> str:
    """Return the short name of a value's type, for messages."""
    kind: type = value.__class__
    return _TYPE_NAMES.get(kind, kind.__name__)


def type_of(value: Any) -> CelType:
    """Return what type() gives."""
    name = type_name(value)
    return CelType(_LONG_NAMES.get(name, name))


def overload(what: str, *values: Any) -> CelError:
    """Return the error for operands of the wrong types."""
    return CelError("overload", f"no such overload: {what}({', '.join(map(type_name, values))})")


def as_truth(value: Any) -> bool:
    """Convert the result of a whole expression: booleans, and the strings that CEL parses as booleans.

    Raises:
        CelError: kind `overload`, anything else.
    """
    if value is True or value is False:
        return value
    if value.__class__ is str:
        if value in TRUE_TEXTS:
            return True
        if value in FALSE_TEXTS:
            return False
        raise CelError("overload", "the result is a string that is no boolean")
    return as_boolean(value)


def as_boolean(value: Any) -> bool:
    """Take the result of a whole expression as it is.

    Raises:
        CelError: kind `overload`, it is no boolean.
    """
    if value is True or value is False:
        return value
    raise CelError("overload", f"the result is of type {type_name(value)}, not a boolean")


def checked_int(number: int) -> int:
    """Return a signed 64-bit integer.

    Raises:
        CelError: kind `range`, it does not fit.
    """
    if -(2**63) <= number < 2**63:
        return int(number)
    raise CelError("range", "integer overflow")


def checked_uint(number: int) -> UInt:
    """Return an unsigned 64-bit integer.

    Raises:
        CelError: kind `range`, it does not fit.
    """
    if 0 <= number < 2**64:
        return UInt(number)
    raise CelError("range", "unsigned integer overflow")


def as_time(value: Any) -> Any:
    """Return the time that an RFC 3339 string means, and anything else as it is: documents hold times as strings."""
    if value.__class__ is str:
        moment = read_time(value)
        return value if moment is None else moment
    return value


def scalar_equal(a: Any, b: Any) -> bool:
    """Compare two values of which at most one is a list or map.

    Raises:
        TypeError: both are containers; their comparison needs a budget.
    """
    left, right = a.__class__, b.__class__
    if left is right:
        if left is list or left is dict:
            raise TypeError
        return bool(a == b)
    if left in NUMBERS and right in NUMBERS:
        # One double among them makes both doubles, as in the reference implementations.
        return float(a) == float(b) if left is float or right is float else bool(a == b)
    if (left is str and right is dt.datetime) or (left is dt.datetime and right is str):
        return bool(as_time(a) == as_time(b))
    return False


def equal(a: Any, b: Any, budget: Budget) -> bool:
    """Compare two values; different types are unequal, numbers compare by value."""
    if a.__class__ is not b.__class__ or (a.__class__ is not list and a.__class__ is not dict):
        return scalar_equal(a, b)
    if len(a) != len(b):
        return False
    budget.spend((len(a) >> 4) + 1)
    if a.__class__ is dict:
        return all(key in b and equal(value, b[key], budget) for key, value in a.items())
    return all(equal(x, y, budget) for x, y in zip(a, b, strict=True))


def contains(element: Any, container: Any, budget: Budget) -> bool:
    """The operator `in`: an element of a list or a key of a map."""
    if container.__class__ is dict:
        if element.__class__ is str:
            return element in container
        if element.__class__ in NUMBERS or element.__class__ is bool:
            budget.spend(len(container) >> 4)
            return any(scalar_equal(element, key) for key in container)
    elif container.__class__ is list:
        budget.spend(len(container) >> 4)
        return any(equal(element, item, budget) for item in container)
    raise overload("in", element, container)


def _comparison(name: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def apply(a: Any, b: Any) -> bool:
        left, right = a.__class__, b.__class__
        if left is right and (left in NUMBERS or left in _ORDERED):
            return compare(a, b)
        if left in NUMBERS and right in NUMBERS:
            return compare(float(a), float(b)) if left is float or right is float else compare(a, b)
        if (left is str and right is dt.datetime) or (left is dt.datetime and right is str):
            first, second = as_time(a), as_time(b)
            if first.__class__ is second.__class__:
                return compare(first, second)
        raise overload(name, a, b)

    return apply


less: Final = _comparison("<", operator.lt)
less_equal: Final = _comparison("<=", operator.le)
greater: Final = _comparison(">", operator.gt)
greater_equal: Final = _comparison(">=", operator.ge)
COMPARISONS: Final = {"<": less, "<=": less_equal, ">": greater, ">=": greater_equal}


def _in_time(compute: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    try:
        result = compute(a, b)
    except OverflowError:
        raise CelError("range", "timestamp or duration overflow") from None
    if result.__class__ is dt.timedelta and abs(result).total_seconds() > MAX_DURATION_S:
        raise CelError("range", "duration overflow")
    return result


def add(a: Any, b: Any, budget: Budget) -> Any:
    """The operator `+`: numbers of one type, strings, bytes, lists, and time with duration."""
    left, right = a.__class__, b.__class__
    if left is right:
        if left is int:
            return checked_int(a + b)
        if left is float:
            return a + b
        if left is UInt:
            return checked_uint(int(a) + int(b))
        if left is str or left is bytes or left is list:
            budget.build(len(a) + len(b))
            return a + b
    if left is dt.timedelta or right is dt.timedelta:
        first, second = as_time(a), as_time(b)
        if (first.__class__, second.__class__) in _SUMS:
            return _in_time(operator.add, first, second)
    raise overload("+", a, b)


def subtract(a: Any, b: Any) -> Any:
    """The operator `-`: numbers of one type, times and durations."""
    left, right = a.__class__, b.__class__
    if left is right:
        if left is int:
            return checked_int(a - b)
        if left is float:
            return a - b
        if left is UInt:
            return checked_uint(int(a) - int(b))
    first, second = as_time(a), as_time(b)
    kinds = (first.__class__, second.__class__)
    if kinds in _DIFFERENCES and (left is not str or right is not str):
        return _in_time(operator.sub, first, second)
    raise overload("-", a, b)


def multiply(a: Any, b: Any) -> Any:
    """The operator `*` on numbers of one type."""
    if a.__class__ is b.__class__:
        if a.__class__ is int:
            return checked_int(a * b)
        if a.__class__ is float:
            return a * b
        if a.__class__ is UInt:
            return checked_uint(int(a) * int(b))
    raise overload("*", a, b)


def divide(a: Any, b: Any) -> Any:
    """The operator `/`; integers truncate towards zero, doubles follow IEEE 754."""
    if a.__class__ is b.__class__:
        if a.__class__ is float:
            if b:
                return a / b
            return math.nan if math.isnan(a) or a == 0 else math.copysign(math.inf, a) * math.copysign(1, b)
        if a.__class__ is int or a.__class__ is UInt:
            if b == 0:
                raise CelError("range", "division by zero")
            quotient = abs(a) // abs(b)
            return checked_uint(quotient) if a.__class__ is UInt else checked_int(quotient if (a < 0) == (b < 0) else -quotient)
    raise overload("/", a, b)


def modulo(a: Any, b: Any) -> Any:
    """The operator `%` on integers; the result has the sign of the dividend."""
    if a.__class__ is b.__class__ and (a.__class__ is int or a.__class__ is UInt):
        if b == 0:
            raise CelError("range", "modulus by zero")
        rest = abs(a) % abs(b)
        if a.__class__ is UInt:
            return UInt(rest)
        return -rest if a < 0 else rest
    raise overload("%", a, b)


def negate(value: Any) -> Any:
    """The prefix operator `-`."""
    if value.__class__ is int:
        return checked_int(-value)
    if value.__class__ is float:
        return -value
    raise overload("-", value)


def select(container: Any, field: str) -> Any:
    """Return the value of a map's key.

    Raises:
        CelError: kind `missing` without the key, `overload` on anything that is no map.
    """
    if container.__class__ is dict:
        try:
            return container[field]
        except KeyError:
            raise CelError("missing", f"no such key: {field}") from None
    raise overload(f".{field}", container)


def index(container: Any, key: Any, budget: Budget) -> Any:
    """Return an element of a list or the value of a map's key.

    Raises:
        CelError: kind `missing` without the key, `range` outside the list, `overload` for wrong types.
    """
    kind = key.__class__
    if container.__class__ is dict:
        if kind is str:
            if key in container:
                return container[key]
            # The key was computed, so it may be a value of the document and is not shown.
            raise CelError("missing", "no such key")
        if kind in NUMBERS or kind is bool:
            budget.spend(len(container) >> 4)
            for candidate, value in container.items():
                if scalar_equal(candidate, key):
                    return value
            raise CelError("missing", f"no such key of type {type_name(key)}")
    elif container.__class__ is list and kind in NUMBERS:
        if kind is float and not key.is_integer():
            raise overload("[]", container, key)
        if 0 <= key < len(container):
            return container[int(key)]
        raise CelError("range", "index out of bounds")
    raise overload("[]", container, key)


def has_field(container: Any, field: str) -> bool:
    """The macro has(): whether a map has the key, whatever its value.

    Raises:
        CelError: kind `overload`, it is no map.
    """
    if container.__class__ is dict:
        return field in container
    raise overload("has", container)
