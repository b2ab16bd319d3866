"""Sprig's arithmetic: on integers of 64 bits, and, with an f in the name, on floats."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from functools import reduce
from typing import Any, Final

from libs.template.bounds import Budget, check_items
from libs.template.error import Fault
from libs.template.functions.conversion import real, whole
from libs.template.functions.signature import ANY, WHOLE, Function
from libs.template.values import Whole64, wrapped64

_EXACT: Final = Context(prec=50, traps=[])
"""Digits that calculations keep; what is beyond its exponents is infinite instead of an error."""


def _wholes(combine: Callable[[int, int], int]) -> Callable[..., Whole64]:
    return lambda *values: wrapped64(reduce(combine, map(whole, values)))


def _sum(*values: Any) -> Whole64:
    return wrapped64(sum(map(whole, values)))


def _divided(one: int, other: int) -> int:
    """Towards zero, as in Go."""
    if other == 0:
        raise Fault("division by 0")
    quotient = abs(one) // abs(other)
    return quotient if (one < 0) == (other < 0) else -quotient


def _remainder(one: int, other: int) -> int:
    if other == 0:
        raise Fault("division by 0")
    return one - other * _divided(one, other)


def _product(one: int, other: int) -> int:
    # Wrapped at every step, so that a long chain does not grow without end.
    return int(wrapped64(one * other))


def _floats(combine: Callable[[Decimal, Decimal], Decimal]) -> Callable[..., float]:
    """Decimal arithmetic, as in Sprig, so that 0.1 + 0.2 is 0.3."""

    def calculate(*values: Any) -> float:
        numbers = [real(value) for value in values]
        if not all(map(math.isfinite, numbers)):
            raise Fault("infinite numbers can not be calculated with")
        with localcontext(_EXACT):
            return float(reduce(combine, (Decimal(repr(number)) for number in numbers)))

    return calculate


def _sum_of_reals(*values: Any) -> float:
    return _floats(lambda one, other: one + other)(0, *values)


def _quotient(one: Decimal, other: Decimal) -> Decimal:
    if other == 0:
        raise Fault("division by 0")
    return one / other


def _rounding(function: Callable[[float], int]) -> Callable[[Any], float]:
    def apply(value: Any) -> float:
        number = real(value)
        return float(function(number)) if math.isfinite(number) else number

    return apply


def _round(value: Any, places: int, *half: Any) -> float:
    """To so many places, up from the half that may be given instead of 0.5."""
    if not -300 <= places <= 300:
        raise Fault(f"a number can not be rounded to {places} places")
    limit = real(half[0]) if half else 0.5
    number = real(value)
    try:
        power = 10.0**places
        scaled = power * number
        fraction = math.modf(scaled)[0]
        return (math.ceil(scaled) if fraction >= limit else math.floor(scaled)) / power
    except (OverflowError, ValueError, ZeroDivisionError):
        return number


def _until_step(budget: Budget, start: int, stop: int, step: int) -> list[int]:
    if step == 0:
        return []
    numbers = range(start, stop, step)
    check_items(_length(numbers))
    budget.charge(len(numbers))
    # Sprig gives nothing where the step leads away from the end.
    return list(numbers)


def _length(numbers: range) -> int:
    """The length of a range, which `len` refuses where it is beyond a machine word."""
    return max(0, (numbers.stop - numbers.start + numbers.step - (1 if numbers.step > 0 else -1)) // numbers.step)


def _until(budget: Budget, count: int) -> list[int]:
    return _until_step(budget, 0, count, -1 if count < 0 else 1)


def _seq(budget: Budget, *bounds: int) -> str:
    """Numbers with both ends, as the shell's `seq` prints them, on one line."""
    match bounds:
        case ():
            return ""
        case (end,):
            start, step = 1, (1 if end >= 1 else -1)
        case (start, end):
            step = 1 if end >= start else -1
        case (start, step, end):
            if step == 0 or (end < start) == (step > 0):
                return ""
        case _:
            return ""
    return " ".join(map(str, _until_step(budget, start, end + (1 if step > 0 else -1), step)))


TABLE: Final[dict[str, Function]] = {
    "add": Function(_sum, rest=ANY),
    "add1": Function(lambda value: wrapped64(whole(value) + 1), (ANY,)),
    "sub": Function(_wholes(lambda one, other: one - other), (ANY, ANY)),
    "mul": Function(_wholes(_product), (ANY,), rest=ANY),
    "div": Function(_wholes(_divided), (ANY, ANY)),
    "mod": Function(_wholes(_remainder), (ANY, ANY)),
    "max": Function(_wholes(max), (ANY,), rest=ANY),
    "biggest": Function(_wholes(max), (ANY,), rest=ANY),
    "min": Function(_wholes(min), (ANY,), rest=ANY),
    "addf": Function(_sum_of_reals, rest=ANY),
    "add1f": Function(lambda value: _sum_of_reals(value, 1), (ANY,)),
    "subf": Function(_floats(lambda one, other: one - other), (ANY,), rest=ANY),
    "mulf": Function(_floats(lambda one, other: one * other), (ANY,), rest=ANY),
    "divf": Function(_floats(_quotient), (ANY,), rest=ANY),
    "maxf": Function(lambda *values: max(map(real, values)), (ANY,), rest=ANY),
    "minf": Function(lambda *values: min(map(real, values)), (ANY,), rest=ANY),
    "floor": Function(_rounding(math.floor), (ANY,)),
    "ceil": Function(_rounding(math.ceil), (ANY,)),
    "round": Function(_round, (ANY, WHOLE), rest=ANY),
    "until": Function(_until, (WHOLE,), costs=True),
    "untilStep": Function(_until_step, (WHOLE, WHOLE, WHOLE), costs=True),
    "seq": Function(_seq, rest=WHOLE, costs=True),
}
