"""What the tables of cases are made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from libs.cel.values import CelType, UInt


class Case(NamedTuple):
    """An expression, the variables it is given, and the value the language definition says it has, or `ERROR`."""

    source: str
    expected: Any
    variables: Mapping[str, Any]


class _Error:
    def __repr__(self) -> str:
        return "ERROR"


ERROR: Final = _Error()
"""Expected of what has no value: refused when compiled, or an error when evaluated."""

NAN: Final = float("nan")
INF: Final = float("inf")


def u(number: int) -> UInt:
    """An unsigned integer."""
    return UInt(number)


def t(text: str) -> dt.datetime:
    """A timestamp."""
    return dt.datetime.fromisoformat(text)


def d(seconds: int, microseconds: int = 0) -> dt.timedelta:
    """A duration."""
    return dt.timedelta(seconds=seconds, microseconds=microseconds)


def kind(name: str) -> CelType:
    """A type, as type() gives it."""
    return CelType(name)


def table(cases: dict[str, Any], **variables: Any) -> tuple[Case, ...]:
    """Cases that share their variables, from expression to expected value."""
    return tuple(Case(source, expected, variables) for source, expected in cases.items())
