"""Expressions: CEL selectors and conditions, checked when saved and compiled to native Python.

`Environment` says which variables an expression may name; `contexts` holds the ready ones. `Environment.check` lists every
problem of a source text, `Environment.compile` gives a `Program`, which answers over plain dicts: `matches` and `filter` on the
hot path, `verdict` where the reason matters, `value` for any result. Where there are thousands of documents or expressions, an index
finds those that match: `DocumentIndex`, `ExpressionIndex`, and `JoinIndex` for relations between documents.
"""

from __future__ import annotations

from libs.cel.conditions import Condition, Conditions
from libs.cel.document_index import DocumentIndex
from libs.cel.environment import Environment
from libs.cel.expression_index import ExpressionIndex
from libs.cel.join_index import JoinIndex
from libs.cel.problems import CelError, CelProblems, Problem
from libs.cel.program import Outcome, Program, Verdict

from libs.cel import contexts  # isort: skip  # it builds its environments from the names above

__all__ = [
    "Environment",
    "Program",
    "Verdict",
    "Outcome",
    "Problem",
    "CelProblems",
    "CelError",
    "Condition",
    "Conditions",
    "DocumentIndex",
    "ExpressionIndex",
    "JoinIndex",
    "contexts",
]
