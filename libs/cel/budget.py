"""The work one evaluation may do. Running out is an error of kind `cost`, which && and || never absorb."""

from __future__ import annotations

from typing import Any

from libs.cel.limits import STEPS, VALUE_SIZE
from libs.cel.problems import CelError


class Budget:
    """Steps left in one evaluation."""

    __slots__ = ("left",)

    def __init__(self, steps: int = STEPS) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Take steps.

        Raises:
            CelError: kind `cost`, nothing is left.
        """
        self.left -= steps
        if self.left < 0:
            raise CelError("cost", "cost limit exceeded: the expression visits too many elements")

    def build(self, size: int) -> None:
        """Take the steps for making a string or list of this size, before it is made.

        Raises:
            CelError: kind `cost`, the value or all of them together would be too large.
        """
        if size > VALUE_SIZE:
            raise CelError("cost", f"value too large: more than {VALUE_SIZE} characters or elements")
        self.spend(size >> 6)


def charge_text(values: tuple[Any, ...], budget: Budget, shift: int) -> None:
    """Take a step per `2**shift` characters of the strings among the values: what a string function may read."""
    for value in values:
        if value.__class__ is str or value.__class__ is bytes:
            steps = len(value) >> shift
            if steps:
                budget.spend(steps)


def charge_whole(value: Any, budget: Budget) -> None:
    """Take a step for every 16 elements that writing the value out would visit, shared parts counted each time.

    Raises:
        CelError: kind `cost`, it is larger than the budget allows.
    """
    todo: list[Any] = [value]
    while todo:
        inner = todo.pop()
        if inner.__class__ is list:
            budget.spend((len(inner) >> 4) + 1)
            todo.extend(inner)
        elif inner.__class__ is dict:
            budget.spend((len(inner) >> 4) + 1)
            todo.extend(inner.values())
