"""What is to filter a list must be a condition: an expression that is true or false of a row."""

from __future__ import annotations

from typing import Final

from libs.cel import CelProblems, Environment, Outcome, Problem, Program
from libs.cel.problems import place
from libs.cel.syntax import Conditional, Ident, Index, Literal, Node, Select

_NEITHER: Final = "the expression is neither true nor false, so that it picks nothing: compare it with something"


def condition(environment: Environment, source: str) -> Program:
    """The program of an expression that may be true of a row.

    What cannot be told from the expression alone may be anything in a row: where it is neither true nor false, the row is left out.

    Raises: CelProblems: it can not be compiled, or is no condition whatever the rows are.
    """
    program = environment.compile(source)
    problem = _why_none(program)
    if problem is not None:
        raise CelProblems(source, (problem,))
    return program


def _why_none(program: Program) -> Problem | None:
    for one in program.problems:
        if one.code == "not_boolean":
            return _problem(one.line, one.column)
    at = _value(program.environment, program.tree)
    if at is not None:
        return _problem(*place(program.source, at))
    if not program.roots:
        verdict = program.verdict()
        if verdict.outcome not in (Outcome.MATCH, Outcome.NO_MATCH):
            told = f"the expression has no answer: {verdict.message}"
            return Problem("error", "not_boolean", told, verdict.line or 1, verdict.column or 1)
    return None


def _problem(line: int, column: int) -> Problem:
    return Problem("error", "not_boolean", _NEITHER, line, column)


def _value(environment: Environment, node: Node) -> int | None:
    """Where a document or one of its own fields stands in place of a condition. These are texts, maps and lists, never true or false:
    that a resource may be called `true` is no reason to ask for its name alone."""
    match node:
        case Ident(name=name) if name in environment.variables:
            return node.at
        case Select(operand=Ident(name=name), field=field) | Index(operand=Ident(name=name), key=Literal(value=str() as field)):
            return node.at if field in (environment.variables.get(name) or ()) else None
        case Conditional():
            then = _value(environment, node.then)
            return then if then is not None and _value(environment, node.otherwise) is not None else None
        case _:
            return None
