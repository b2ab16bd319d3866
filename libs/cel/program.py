"""A compiled expression: answers over plain dicts, shared by all threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from libs.cel.budget import Budget, charge_whole
from libs.cel.conditions import Conditions, conditions_of
from libs.cel.exact import Evaluate, compile_exact
from libs.cel.limits import FILTER_STEPS, FILTER_STEPS_PER_ROW, STEPS
from libs.cel.native import Filter, Matches, compile_filter, compile_matches
from libs.cel.problems import CelError, ErrorKind, Problem
from libs.cel.syntax import Ident, Node, walk
from libs.cel.values import as_boolean, as_truth

if TYPE_CHECKING:
    from libs.cel.environment import Environment


class Outcome(StrEnum):
    """What an expression says about one document."""

    MATCH = "match"
    """It is true."""
    NO_MATCH = "no_match"
    """It is false."""
    MISSING = "missing"
    """A map key that is not there decided, which counts as no match."""
    ERROR = "error"
    """It has no answer: wrong types, overflow, a result that is no boolean, or too much work."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer with its reason.

    Attributes:
        outcome: match, no match, missing or error.
        kind: kind of the error, None unless the outcome is `missing` or `error`.
        message: what went wrong, without any value of the document; None on a match or no match.
        line: 1-based line of the sub-expression that failed, None on a match or no match.
        column: 1-based column of it.
    """

    outcome: Outcome
    kind: ErrorKind | None = None
    message: str | None = None
    line: int | None = None
    column: int | None = None

    @property
    def is_match(self) -> bool:
        """Whether the expression is true."""
        return self.outcome is Outcome.MATCH

    @property
    def is_error(self) -> bool:
        """Whether there is no answer for another reason than a missing key."""
        return self.outcome is Outcome.ERROR


_MATCH = Verdict(Outcome.MATCH)
_NO_MATCH = Verdict(Outcome.NO_MATCH)


class Program:
    """One expression, ready to run. Made by `Environment.compile`; immutable as far as callers can tell.

    Variables are plain JSON-like values: dict, list, str, int, float, bool, None; also aware datetime, timedelta and bytes. They
    are never changed. A declared variable that is not passed is an empty map.

    Attributes:
        environment: where it was compiled.
        source: its text.
        problems: the warnings of the check.
        roots: the declared variables it reads; a change of another one can not change the answer.
        tree: its syntax.
    """

    # Thousands of programs live as long as the process, most of them asked rarely; so they are small, and code is made when needed.
    __slots__ = ("_exact", "_filters", "_matches", "environment", "problems", "roots", "source", "tree")

    def __init__(self, environment: Environment, source: str, tree: Node, problems: Sequence[Problem]) -> None:
        self.environment = environment
        self.source = source
        self.problems = tuple(problems)
        self.roots = frozenset(n.name for n in walk(tree) if isinstance(n, Ident) and n.name in environment.variables)
        self.tree = tree
        self._exact: Evaluate | None = None
        self._matches: Matches | None = None
        self._filters: dict[str, Filter] | None = None

    def __repr__(self) -> str:
        return f"Program({self.environment.name}, {self.source!r})"

    @property
    def conditions(self) -> Conditions:
        """What must hold for it to be true: necessary, and sufficient too where `whole` says so. Worked out on each call."""
        return conditions_of(self.tree)

    def part(self, tree: Node) -> Program:
        """Return the program of one of its own sub-expressions, uncached."""
        return Program(self.environment, self.source, tree, ())

    def matches(self, **variables: Any) -> bool:
        """Return whether the expression is true; any error is no match. The fast way: generated native code."""
        assert variables.keys() <= self.environment.variables.keys(), f"{self!r} got {sorted(variables)}"
        return self.test(variables)

    @property
    def test(self) -> Matches:
        """The function behind `matches`, for callers that ask it often: takes the variables as one dict and checks no names."""
        made = self._matches
        if made is None:
            # Two threads may both generate it; the results are equal, so the last one simply stays.
            made = self._matches = compile_matches(self.tree, self.environment.variables, self._answer)
        return made

    def filter(self, rows: Sequence[Any], variable: str | None = None, /, **others: Any) -> list[int]:
        """Return the positions, ascending, of the rows that match, each row being the value of one variable.

        Rows that native code can not answer share one budget; when a hostile expression has used it up, the rest of them are
        errors, which is no match.

        Args:
            rows: values of the variable.
            variable: its name; may be left out when the environment has only one.
            others: values of the other variables, the same for all rows.
        """
        declared = self.environment.variables
        if variable is None:
            assert len(declared) == 1, f"{self!r} has {len(declared)} variables, filter must be told which one varies"
            (variable,) = declared
        assert {variable, *others} <= declared.keys(), f"{self!r} got {[variable, *sorted(others)]}"
        filters = self._filters
        if filters is None:
            filters = self._filters = {}
        made = filters.get(variable)
        if made is None:
            made = filters[variable] = compile_filter(self.tree, declared, variable)
        return made(rows, self._answer_within(Budget(FILTER_STEPS + FILTER_STEPS_PER_ROW * len(rows))), others)

    def within(self, budget: Budget, variables: dict[str, Any]) -> bool:
        """Return whether the expression is true, at the expense of a budget that many evaluations share; any error is no match.

        The exact back end answers, since it alone counts what it does. Once nothing is left, every answer is no match.
        """
        return self._answer_within(budget)(variables)

    def verdict(self, **variables: Any) -> Verdict:
        """Return the answer with its reason; never raises for what the expression or the data do."""
        return self._verdict(variables, as_truth)

    def strict_verdict(self, **variables: Any) -> Verdict:
        """Return the answer as `verdict` does, save that a text is none, whatever it says: for what a gate opens on."""
        return self._verdict(variables, as_boolean)

    def _verdict(self, variables: dict[str, Any], told: Callable[[Any], bool]) -> Verdict:
        try:
            truth = told(self._evaluate(variables))
        except CelError as error:
            error.locate(self.source)
            outcome = Outcome.MISSING if error.kind == "missing" else Outcome.ERROR
            return Verdict(outcome, error.kind, error.message, error.line, error.column)
        return _MATCH if truth else _NO_MATCH

    def value(self, **variables: Any) -> Any:
        """Return the result, whatever its type.

        Raises:
            CelError: it has none; kind, message and place say why.
        """
        try:
            budget = Budget()
            result = self._evaluate(variables, budget)
            # A few lines of nested map() can share one list so often that writing it out would never end.
            charge_whole(result, budget)
        except CelError as error:
            raise error.locate(self.source) from None
        return result

    def _evaluate(self, variables: dict[str, Any], budget: Budget | None = None) -> Any:
        declared = self.environment.variables
        assert variables.keys() <= declared.keys(), f"{self!r} got {sorted(variables)}"
        scope: dict[str, Any] = {name: variables.get(name, _EMPTY) for name in declared}
        exact = self._exact
        if exact is None:
            exact = self._exact = compile_exact(self.tree)
        try:
            return exact(scope, budget or Budget())
        except RecursionError:
            # Only documents nested hundreds of levels deep get here; the tree of the expression itself is bounded.
            raise CelError("cost", "values are nested too deeply") from None
        except OverflowError:
            raise CelError("range", "a number of the document does not fit into 64 bits") from None

    def _answer(self, variables: dict[str, Any]) -> bool:
        try:
            return as_truth(self._evaluate(variables))
        except CelError:
            return False

    def _answer_within(self, pool: Budget) -> Callable[[dict[str, Any]], bool]:
        def answer(variables: dict[str, Any]) -> bool:
            granted = min(STEPS, pool.left)
            if granted <= 0:
                return False
            budget = Budget(granted)
            try:
                return as_truth(self._evaluate(variables, budget))
            except CelError:
                return False
            finally:
                pool.left -= granted - max(budget.left, 0)

        return answer


_EMPTY: dict[str, Any] = {}
