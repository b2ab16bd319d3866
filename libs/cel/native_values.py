"""What generated code calls or compares with, besides the operators of Python itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from libs.cel.budget import Budget
from libs.cel.values import NUMBERS, add, divide, modulo, multiply, scalar_equal, subtract


class Missing:
    """What a path ends in when a key is not there; selecting from it gives it again."""

    __slots__ = ()

    def get(self, key: str, default: object) -> Missing:
        return self


MISSING: Final = Missing()


def among(values: list[Any]) -> Callable[[Any], bool]:
    """Return a test for being one of some constants."""
    return lambda value: any(scalar_equal(value, other) for other in values)


def _add_numbers(a: Any, b: Any) -> Any:
    """Add two numbers of one type; strings and lists need a budget, so they are for the exact back end."""
    if a.__class__ is b.__class__ and a.__class__ in NUMBERS:
        return add(a, b, Budget())
    raise TypeError


ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": _add_numbers,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
}


def bounded(most: int) -> Callable[[Any], Any]:
    """Return a guard that lets a macro run natively over a list or map of at most so many elements."""

    def items(value: Any) -> Any:
        if (value.__class__ is list or value.__class__ is dict) and len(value) <= most:
            return value
        raise TypeError

    return items
