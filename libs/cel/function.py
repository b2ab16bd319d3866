"""What the function tables are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Form = Literal["method", "global", "both"]


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the language under all its overloads.

    Attributes:
        apply: takes the arguments, the target of a method first; raises CelError for wrong types.
        least: fewest arguments, the target included.
        most: most arguments, None for any number.
        form: called as `x.f()`, as `f(x)`, or either way.
        budgeted: `apply` takes the budget before the arguments, since it may build or compare more than it is given.
    """

    apply: Callable[..., Any]
    least: int
    most: int | None
    form: Form
    budgeted: bool = False

    def takes(self, count: int) -> bool:
        """Return whether it can be called with so many arguments."""
        return self.least <= count and (self.most is None or count <= self.most)


def method(apply: Callable[..., Any], least: int, most: int | None = None) -> Function:
    """Describe a function that is called on its first argument."""
    return Function(apply, least, most or least, "method")


def over_method(apply: Callable[..., Any], least: int, most: int | None = None) -> Function:
    """Describe a method that needs the budget."""
    return Function(apply, least, most or least, "method", budgeted=True)


def free(apply: Callable[..., Any], least: int, most: int | None = None) -> Function:
    """Describe a function that is called by its name alone."""
    return Function(apply, least, most or least, "global")
