"""Conditions and baselines of a metric that could never be judged, told before the policy is saved; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from contracts.shapes import MetricSpec
from libs import metric_providers
from libs.cel import CelError, CelProblems, Outcome, Program, contexts
from libs.cel.syntax import Has, Ident, Node, Select, walk

Problem = tuple[str, str]
"""Where, with `/` between the parts, and what."""

CONDITION: Final = "write CEL over result, for example result.ok or result.value < 0.05"
NUMBER: Final = "write CEL over result that gives a number, for example result.value or result.json.errors"

_VALUE: Final = "value"


def problems_of(metric: MetricSpec) -> Iterator[Problem]:
    """What is wrong with the conditions and the baseline's number of a metric, paths below the metric. What holds templates is left alone."""
    no_value = metric_providers.no_value(metric.provider)
    if not metric.success_condition.strip():
        yield "successCondition", f"it is empty, and says when a measurement is good: {CONDITION}"
    else:
        yield from _of_condition("successCondition", metric.success_condition, no_value)
    if metric.failure_condition and not metric.failure_condition.strip():
        yield "failureCondition", f"it is empty, and says when a measurement is bad: leave it out, or {CONDITION}"
    elif metric.failure_condition:
        yield from _of_condition("failureCondition", metric.failure_condition, no_value)
    if metric.baseline is not None:
        yield from _of_number("baseline/value", metric.baseline.value, no_value)


def _of_condition(path: str, source: str, no_value: str) -> Iterator[Problem]:
    program = _program(source)
    if program is None:
        return
    if any(one.code == "not_boolean" for one in program.problems):
        yield path, f"it is neither true nor false, whatever is measured: {CONDITION}"
    elif not program.roots and (verdict := program.verdict()).outcome not in (Outcome.MATCH, Outcome.NO_MATCH):
        yield path, f"it does not look at the result and has no answer ({verdict.message}): {CONDITION}"
    elif no_value and _reads_value(program):
        yield path, f"result.value is never there: {no_value}"


def _of_number(path: str, source: str, no_value: str) -> Iterator[Problem]:
    if not source.strip():
        yield path, f"it is empty, and says which number is compared: leave it out for result.value, or {NUMBER}"
        return
    program = _program(source)
    if program is None:
        return
    if not program.roots and not _is_number(program):
        yield path, f"it does not look at the result and gives no number: {NUMBER}"
    elif no_value and _reads_value(program):
        yield path, f"result.value is never there: {no_value}"


def _program(source: str) -> Program | None:
    """The program of an expression; None of one that is finished later, or is refused elsewhere."""
    if "{{" in source:
        return None
    try:
        return contexts.RESULT.compile(source)
    except CelProblems:
        return None


def _is_number(program: Program) -> bool:
    try:
        value = program.value()
    except CelError:
        return False
    return isinstance(value, int | float) and not isinstance(value, bool)


def _reads_value(program: Program) -> bool:
    """Whether it takes `result.value` to be there; one that asks with has() knows better."""
    nodes = list(walk(program.tree))
    asks = any(isinstance(one, Has) and one.field == _VALUE and _is_result(one.operand) for one in nodes)
    return not asks and any(isinstance(one, Select) and one.field == _VALUE and _is_result(one.operand) for one in nodes)


def _is_result(node: Node) -> bool:
    return isinstance(node, Ident) and node.name == "result"
