"""The math pack."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, Final

from libs.cel.function import Function, free
from libs.cel.problems import CelError
from libs.cel.values import NUMBERS, UInt, checked_int, greater, less, overload


def _extreme(name: str, better: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    def apply(*args: Any) -> Any:
        values = args[0] if len(args) == 1 and args[0].__class__ is list else args
        if not values:
            raise CelError("range", f"{name}() of nothing")
        best = values[0]
        for value in values:
            if value.__class__ not in NUMBERS:
                raise overload(name, value)
            if better(value, best):
                best = value
        return best

    return apply


def _on_double(name: str, compute: Callable[[float], Any]) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        if value.__class__ is not float:
            raise overload(name, value)
        return compute(value)

    return apply


def _whole(compute: Callable[[float], float]) -> Callable[[float], float]:
    # NaN and the infinities are their own nearest whole numbers; Python's functions raise for them.
    return lambda value: math.copysign(float(compute(value)), value) if math.isfinite(value) else value


def _round(value: float) -> float:
    # Halves go away from zero. Adding a half instead would round up the double just below a half.
    if not math.isfinite(value):
        return value
    fraction, whole = math.modf(abs(value))
    return math.copysign(whole + (fraction >= 0.5), value)


def _abs(value: Any) -> Any:
    if value.__class__ is UInt:
        return value
    if value.__class__ is int:
        return checked_int(abs(value))
    if value.__class__ is float:
        return abs(value)
    raise overload("math.abs", value)


def _sign(value: Any) -> Any:
    kind = value.__class__
    if kind not in NUMBERS:
        raise overload("math.sign", value)
    if kind is float:
        return value if math.isnan(value) or value == 0 else math.copysign(1.0, value)
    return kind((value > 0) - (value < 0))


def _sqrt(value: Any) -> float:
    if (kind := value.__class__) is float or kind is int or kind is UInt:
        return math.sqrt(value) if value >= 0 else math.nan
    raise overload("math.sqrt", value)


def _signed(number: int) -> int:
    number &= 2**64 - 1
    return number - 2**64 if number >= 2**63 else number


def _of_kind(kind: type, number: int) -> int:
    return UInt(number & (2**64 - 1)) if kind is UInt else _signed(number)


def _bits(name: str, compute: Callable[[int, int], int]) -> Callable[[Any, Any], Any]:
    def apply(a: Any, b: Any) -> Any:
        if a.__class__ is not b.__class__ or (a.__class__ is not int and a.__class__ is not UInt):
            raise overload(name, a, b)
        return _of_kind(a.__class__, compute(int(a), int(b)))

    return apply


def _bit_not(value: Any) -> Any:
    if value.__class__ is not int and value.__class__ is not UInt:
        raise overload("math.bitNot", value)
    return _of_kind(value.__class__, ~int(value))


def _shift(name: str, compute: Callable[[int, int], int]) -> Callable[[Any, Any], Any]:
    def apply(value: Any, places: Any) -> Any:
        if (value.__class__ is not int and value.__class__ is not UInt) or places.__class__ is not int:
            raise overload(name, value, places)
        if places < 0:
            raise CelError("range", f"{name}() by a negative number of places")
        # Shifts work on the 64 bits as they are, so that a negative number gets zeros from the left.
        return _of_kind(value.__class__, compute(int(value) & (2**64 - 1), places) if places < 64 else 0)

    return apply


FUNCTIONS: Final = {
    "math.greatest": Function(_extreme("math.greatest", greater), 1, None, "global"),
    "math.least": Function(_extreme("math.least", less), 1, None, "global"),
    "math.ceil": free(_on_double("math.ceil", _whole(math.ceil)), 1),
    "math.floor": free(_on_double("math.floor", _whole(math.floor)), 1),
    "math.trunc": free(_on_double("math.trunc", _whole(math.trunc)), 1),
    "math.round": free(_on_double("math.round", _round), 1),
    "math.isNaN": free(_on_double("math.isNaN", math.isnan), 1),
    "math.isInf": free(_on_double("math.isInf", math.isinf), 1),
    "math.isFinite": free(_on_double("math.isFinite", math.isfinite), 1),
    "math.abs": free(_abs, 1),
    "math.sign": free(_sign, 1),
    "math.sqrt": free(_sqrt, 1),
    "math.bitAnd": free(_bits("math.bitAnd", operator.and_), 2),
    "math.bitOr": free(_bits("math.bitOr", operator.or_), 2),
    "math.bitXor": free(_bits("math.bitXor", operator.xor), 2),
    "math.bitNot": free(_bit_not, 1),
    "math.bitShiftLeft": free(_shift("math.bitShiftLeft", operator.lshift), 2),
    "math.bitShiftRight": free(_shift("math.bitShiftRight", operator.rshift), 2),
}
