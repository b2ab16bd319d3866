"""Prints values as Go's `%v` does, but whole numbers always plainly: 1000000, not 1e+06."""

from __future__ import annotations

import math
from typing import Any, Final

from libs.template.bounds import Budget, Pieces, check_depth
from libs.template.values import MISSING, Opaque

NO_VALUE: Final = "<no value>"
"""What an action prints for something that is not there."""

_PLAIN_BELOW: Final = 1e21


def printed(value: Any, budget: Budget) -> str:
    """A value as an action shows it."""
    return NO_VALUE if value is None or value is MISSING else shown(value, budget)


def shown(value: Any, budget: Budget) -> str:
    """A value as `print` and `%v` show it: nil is `<nil>`, maps are in the order of their keys.

    Raises:
        Fault: it is too deep or too long.
    """
    if isinstance(value, str):
        return value
    pieces = Pieces(budget)
    _write(value, pieces, 0)
    return pieces.text()


def _write(value: Any, pieces: Pieces, depth: int) -> None:
    check_depth(depth)
    match value:
        case list():
            for index, one in enumerate(value):
                pieces.add(" " if index else "[")
                _write(one, pieces, depth + 1)
            pieces.add("]" if value else "[]")
        case dict():
            for index, key in enumerate(sorted(value)):
                pieces.add(f"{' ' if index else 'map['}{key}:")
                _write(value[key], pieces, depth + 1)
            pieces.add("]" if value else "map[]")
        case _:
            pieces.add(scalar(value))


def scalar(value: Any) -> str:
    """A value that is no list and no map."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            return plain_float(value)
        case Opaque():
            return str(value)
    return "<nil>"


def plain_float(value: float) -> str:
    """A float: without a fraction if it has none, else as `%g`."""
    if value.is_integer() and abs(value) < _PLAIN_BELOW:
        return "-0" if value == 0 and math.copysign(1, value) < 0 else str(int(value))
    return shortest_float(value)


def shortest_float(value: float) -> str:
    """Go's `%g`: the fewest digits that say the number, with an exponent if that is below -4 or above 5."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    sign, digits, exponent = decimal_digits(value)
    if -4 <= exponent < 6:
        return sign + positional(digits, exponent)
    return sign + scientific(digits, exponent)


def decimal_digits(value: float) -> tuple[str, str, int]:
    """Sign, the fewest digits that say a finite number, and the exponent of the first of them."""
    mantissa, _, exponent = f"{value!r}".partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(digits)
    power = int(exponent or 0) + len(whole) - 1 - leading
    digits = digits.rstrip("0")
    return sign, digits or "0", power if digits else 0


def positional(digits: str, exponent: int) -> str:
    """Digits with a decimal point where it belongs."""
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    if len(digits) <= exponent + 1:
        return digits + "0" * (exponent + 1 - len(digits))
    return f"{digits[: exponent + 1]}.{digits[exponent + 1 :]}"


def scientific(digits: str, exponent: int) -> str:
    """Digits with a power of ten of at least two digits."""
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
