"""Expressions: CEL selectors and conditions, checked when saved and compiled to native Python.

`Environment` says which variables an expression may name; `contexts` holds the ready ones. `Environment.check` lists every
problem of a source text, `Environment.compile` gives a `Program`, which answers over plain dicts: `matches` and `filter` on the
hot path, `verdict` where the reason matters, `value` for any result.
"""

from __future__ import annotations

from libs.cel.environment import Environment
from libs.cel.problems import CelError, CelProblems, Problem
from libs.cel.program import Outcome, Program, Verdict

from libs.cel import contexts  # isort: skip  # it builds its environments from the names above

__all__ = ["Environment", "Program", "Verdict", "Outcome", "Problem", "CelProblems", "CelError", "contexts"]
