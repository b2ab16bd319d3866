"""Sprig's conversions between strings and numbers. What is no number counts as 0, as in Sprig."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from libs.template.bounds import Budget
from libs.template.error import Fault
from libs.template.functions.signature import ANY, TEXT, Function
from libs.template.literals import number
from libs.template.printing import shown
from libs.template.values import Whole64, wrapped64

_DECIMAL: Final = re.compile(r"[+-]?[0-9]+")
_REAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|(?i:inf|infinity|nan))")
_ZERO_FRACTION: Final = re.compile(r"(.*?)\.0*")
_LARGEST: Final = 1 << 63


def whole(value: Any) -> int:
    """A value as an integer of 64 bits: numbers lose their fraction, strings are read, anything else is 0."""
    match value:
        case bool():
            return int(value)
        case int():
            return _bounded(int(value))
        case float():
            return _bounded(int(value)) if math.isfinite(value) else 0
        case str():
            return _whole_of_text(value)
    return 0


def _bounded(value: int) -> int:
    if not -_LARGEST <= value < _LARGEST:
        raise Fault(f"{str(value)[:20]}… does not fit in 64 bits")
    return value


def _whole_of_text(text: str) -> int:
    # Sprig reads 5.0 as 5 and 5.5 as nothing.
    if trimmed := _ZERO_FRACTION.fullmatch(text):
        text = trimmed[1]
    try:
        value = number(text)
    except Fault:
        return 0
    return value if isinstance(value, int) else 0


def real(value: Any) -> float:
    """A value as a float; what is no number is 0."""
    match value:
        case bool():
            return float(value)
        case int() | float():
            try:
                return float(value)
            except OverflowError:
                raise Fault("the number is too large") from None
        case str():
            return float(value.replace("_", "")) if len(value) < 100 and _REAL.fullmatch(value) else 0.0
    return 0.0


def _atoi(text: str) -> int:
    if len(text) > 40 or not _DECIMAL.fullmatch(text):
        return 0
    value = int(text)
    return max(-_LARGEST, min(value, _LARGEST - 1))


def _to_decimal(budget: Budget, value: Any) -> Whole64:
    """The number that an octal text says, which is what Sprig's `toDecimal` reads."""
    text = shown(value, budget)
    try:
        return wrapped64(int(text, 8)) if len(text) < 30 and text.lstrip("+-").isdecimal() else Whole64(0)
    except ValueError:
        return Whole64(0)


TABLE: Final[dict[str, Function]] = {
    "atoi": Function(_atoi, (TEXT,)),
    "int": Function(whole, (ANY,)),
    "int64": Function(lambda value: Whole64(whole(value)), (ANY,)),
    "float64": Function(real, (ANY,)),
    "toString": Function(lambda budget, value: shown(value, budget), (ANY,), costs=True),
    "toDecimal": Function(_to_decimal, (ANY,), costs=True),
}
