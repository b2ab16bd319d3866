"""Which variables an expression may name, and the way from its text to a program."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from libs.cel.check import find_problems
from libs.cel.functions import NAMESPACES
from libs.cel.limits import CACHED_PROGRAMS
from libs.cel.parse import parse
from libs.cel.problems import CelProblems, Problem
from libs.cel.program import Program
from libs.cel.syntax import Call, Comprehension, walk

_Variables = Mapping[str, frozenset[str] | None]


class Environment:
    """The names an expression may use. Immutable, shared by all threads.

    Args:
        name: for messages.
        variables: per variable its known top-level fields, or None for an open map, of which any field may be named.
        optional: per variable the known fields that may be absent; comparing one by != without has() earns a warning.
    """

    def __init__(self, name: str, variables: _Variables, *, optional: Mapping[str, frozenset[str]] | None = None) -> None:
        clash = NAMESPACES & variables.keys()
        assert not clash, f"environment {name}: {sorted(clash)} are names of function packs"
        assert all(variable.isidentifier() for variable in variables), f"environment {name}: {sorted(variables)} must be names"
        self.name = name
        self.variables: _Variables = MappingProxyType(dict(variables))
        self.optional: Mapping[str, frozenset[str]] = MappingProxyType(dict(optional or {}))

    def __repr__(self) -> str:
        return f"Environment({self.name})"

    def check(self, source: str) -> list[Problem]:
        """Return every problem of an expression, errors and warnings, in the order of their places. Never raises."""
        try:
            return list(self.compile(source).problems)
        except CelProblems as refused:
            return list(refused.problems)

    def compile(self, source: str) -> Program:
        """Return the program of an expression, from the cache if it was compiled before.

        Raises:
            CelProblems: the check found an error; it carries all problems.
        """
        program = _cache.get(self, source)
        if program is None:
            tree = parse(source)
            problems = find_problems(tree, source, self.variables, self.optional)
            if any(problem.severity == "error" for problem in problems):
                raise CelProblems(source, problems)
            made = Program(self, source, tree, problems)
            _refuse_endless(made)
            program = _cache.keep(self, source, made)
        return program


def _refuse_endless(program: Program) -> None:
    """Refuse an expression that spends the whole budget on its own constants, by running it once over no data.

    Without a macro or a function the work is bounded by the length of the text, far below the budget.
    """
    if not any(isinstance(node, Comprehension | Call) for node in walk(program.tree)):
        return
    trial = program.verdict()
    if trial.kind == "cost":
        message = "the expression does too much work, whatever the document"
        problem = Problem("error", "too_expensive", message, trial.line or 1, trial.column or 1)
        raise CelProblems(program.source, [*program.problems, problem])


class _Cache:
    """The programs used last, over all environments; compiled outside the lock, the first one kept wins."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._programs: OrderedDict[tuple[Environment, str], Program] = OrderedDict()

    def get(self, environment: Environment, source: str) -> Program | None:
        with self._lock:
            program = self._programs.get((environment, source))
            if program is not None:
                self._programs.move_to_end((environment, source))
            return program

    def keep(self, environment: Environment, source: str, program: Program) -> Program:
        with self._lock:
            kept = self._programs.setdefault((environment, source), program)
            while len(self._programs) > self._size:
                self._programs.popitem(last=False)
            return kept


_cache: Final = _Cache(CACHED_PROGRAMS)
