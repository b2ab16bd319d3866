"""A program whose answers are paid for: for work over many documents that has one budget as a whole, whatever expression and data are.

A step is roughly what takes a microsecond. What native code answers is paid by the size of the expression, the same for every document;
what the exact back end answers, by the size of the expression and of what its macros repeat. So the price follows from the expression
and the documents alone, never from the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.cel.budget import Budget, charge_whole
from libs.cel.exact import compile_exact
from libs.cel.functions import FUNCTIONS
from libs.cel.limits import STEPS
from libs.cel.native import Filter, Matches, compile_filter, compile_matches
from libs.cel.problems import CelError
from libs.cel.program import Program
from libs.cel.syntax import Binary, Call, Comprehension, ListLiteral, Literal, Node, path_of, walk
from libs.cel.values import as_truth

_NATIVE_SHIFT = 4
"""Native code does as much as 16 nodes of a tree in a step, not counting the call."""


class Charged:
    """One program and the budget that pays for it. Not made for several threads.

    Args:
        program: what is asked.
        pool: what every answer is taken from. Below 0 it does not cover what was asked, and answers say nothing any more.
    """

    def __init__(self, program: Program, pool: Budget) -> None:
        self._declared = program.environment.variables
        self._pool = pool
        self._tree = program.tree
        self._evaluate = compile_exact(program.tree)
        self._once = sum(1 for _ in walk(program.tree))
        self._again = max((_repeated(node) for node in walk(program.tree) if isinstance(node, Comprehension)), default=1)
        self._matches: Matches | None = None
        self._filters: dict[str, Filter] = {}
        self.is_uneven = any(map(_is_uneven, walk(program.tree)))
        """Whether what it costs depends on how large the values are that it meets; then the exact back end is to answer."""

    @property
    def native_steps(self) -> int:
        """What an answer of native code costs."""
        return self._once >> _NATIVE_SHIFT

    def test(self, variables: dict[str, Any]) -> bool:
        """Return whether it is true, by native code where that can tell; an error is no match."""
        made = self._matches
        if made is None:
            made = self._matches = compile_matches(self._tree, self._declared, self.holds)
        self._pool.left -= self.native_steps
        return made(variables)

    def filter(self, rows: Sequence[Any], variable: str, others: dict[str, Any]) -> list[int]:
        """Return the positions of the rows, values of one variable, for which `test` is true; ascending."""
        made = self._filters.get(variable)
        if made is None:
            made = self._filters[variable] = compile_filter(self._tree, self._declared, variable)
        self._pool.left -= self.native_steps * len(rows)
        return made(rows, self.holds, others) if self._pool.left >= 0 else []

    def holds(self, variables: dict[str, Any]) -> bool:
        """Return whether it is true, by the exact back end, counting what that does; an error is no match."""
        try:
            return as_truth(self._value(variables, STEPS, whole=False))
        except CelError:
            return False

    def may_hold(self, variables: dict[str, Any], most: int) -> bool:
        """Return whether it is true, or takes more than `most` to find out, by the exact back end."""
        try:
            return as_truth(self._value(variables, most, whole=False))
        except CelError as error:
            return error.kind == "cost"

    def value(self, variables: dict[str, Any]) -> Any:
        """Return the result, whatever its type.

        Raises:
            CelError: there is none.
        """
        return self._value(variables, STEPS, whole=True)

    def _value(self, variables: dict[str, Any], most: int, *, whole: bool) -> Any:
        pool = self._pool
        granted = min(most, (pool.left - self._once) // self._again)
        if granted <= 0:
            pool.left = min(pool.left, 0) - 1
            raise CelError("cost", "nothing is left for this expression")
        budget = Budget(granted)
        try:
            result = self._evaluate({name: variables.get(name, _EMPTY) for name in self._declared}, budget)
            if whole:
                charge_whole(result, budget)
            return result
        except RecursionError:
            raise CelError("cost", "values are nested too deeply") from None
        except OverflowError:
            raise CelError("range", "a number of the document does not fit into 64 bits") from None
        finally:
            pool.left -= self._once + self._again * (granted - max(budget.left, 0))
            if budget.left < 0 and granted < most:
                # It was the pool that ended this, not the ceiling of one evaluation.
                pool.left = min(pool.left, 0) - 1


def _repeated(macro: Comprehension) -> int:
    """What a macro does for one element, in nodes."""
    bodies = (macro.body,) if macro.filter_by is None else (macro.body, macro.filter_by)
    return 1 + sum(1 for body in bodies for _ in walk(body))


def _is_uneven(node: Node) -> bool:
    match node:
        case Comprehension():
            return True
        case Call(function=function, args=args):
            return FUNCTIONS[function].budgeted or not all(isinstance(arg, Literal) for arg in args[1:])
        case Binary(operator="in", right=right):
            return not isinstance(right, ListLiteral)
        case Binary(operator="+"):
            return True
        case Binary(operator="==" | "!=", left=left, right=right):
            return not all(isinstance(side, Literal) or path_of(side) is not None for side in (left, right))
    return False


_EMPTY: dict[str, Any] = {}
