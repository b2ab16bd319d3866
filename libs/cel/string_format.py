"""The method format(): `"%s is %.2f".format([name, share])`."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any, Final

from libs.cel.budget import Budget
from libs.cel.casts import to_string
from libs.cel.function import over_method
from libs.cel.problems import CelError
from libs.cel.values import NUMBERS, CelType, overload, type_name

_CLAUSE: Final = re.compile(r"%(?:\.([0-9]{1,9}))?(.)?", re.DOTALL)
_MOST_DIGITS: Final = 100
"""Largest precision: more digits than any double has."""


def _format(budget: Budget, pattern: Any, args: Any) -> str:
    if pattern.__class__ is not str or args.__class__ is not list:
        raise overload("format", pattern, args)
    parts: list[str] = []
    length = end = used = 0
    for found in _CLAUSE.finditer(pattern):
        parts.append(pattern[end : found.start()])
        end = found.end()
        if found[0] == "%%":
            parts.append("%")
        else:
            if used >= len(args):
                raise CelError("range", f"format() has no argument for clause {used + 1}")
            parts.append(_clause(found[2] or "", found[1], args[used], budget))
            used += 1
        length += len(parts[-1]) + len(parts[-2])
        budget.build(length)
    parts.append(pattern[end:])
    budget.build(length + len(parts[-1]))
    return "".join(parts)


def _clause(letter: str, precision: str | None, value: Any, budget: Budget) -> str:
    kind = value.__class__
    digits = int(precision) if precision is not None else 6
    if digits > _MOST_DIGITS:
        raise CelError("range", f"format() writes at most {_MOST_DIGITS} digits")
    if letter == "s":
        return _written(value, budget)
    if letter == "d" and kind in NUMBERS:
        return f"{value:.6f}" if kind is float else int.__repr__(value)
    if letter in ("f", "e"):
        if kind is str and value in ("NaN", "Infinity", "-Infinity"):
            return str(value)
        if kind in NUMBERS:
            number = float(value)
            if not math.isfinite(number):
                return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
            return f"{number:.{digits}f}" if letter == "f" else f"{number:.{digits}e}"
    if letter in ("b", "o", "x", "X"):
        if kind in NUMBERS and kind is not float:
            return format(int(value), letter)
        if letter == "b" and kind is bool:
            return "1" if value else "0"
        if letter in "xX" and (kind is str or kind is bytes):
            budget.build(2 * len(value))
            text: str = (value.encode("utf-8", "replace") if kind is str else value).hex()
            return text.upper() if letter == "X" else text
    if letter in ("s", "d", "f", "e", "b", "o", "x", "X"):
        raise CelError("overload", f"format() can not write {type_name(value)} as %{letter}")
    raise _unknown(letter)


def _unknown(letter: str) -> CelError:
    return CelError("range", f"format() has no clause %{letter}" if letter else "format() ends inside a clause")


def _written(value: Any, budget: Budget) -> str:
    kind = value.__class__
    if value is None:
        return "null"
    if kind is CelType:
        return str(value)
    if kind is list:
        budget.spend(len(value) + 1)
        return _sized(f"[{', '.join([_written(item, budget) for item in value])}]", budget)
    if kind is dict:
        budget.spend(len(value) + 1)
        entries = sorted((_written(key, budget), _written(item, budget)) for key, item in value.items())
        return _sized(f"{{{', '.join(f'{key}: {item}' for key, item in entries)}}}", budget)
    if kind is float or kind is dt.datetime or kind is bytes:
        return _sized(to_string(value), budget)
    return to_string(value)


def _sized(text: str, budget: Budget) -> str:
    budget.build(len(text))
    return text


FUNCTIONS: Final = {"format": over_method(_format, 2)}
