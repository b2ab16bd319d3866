"""Every expression of a policy, checked before the policy is saved: a malformed rule is refused, so that none can exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from contracts.command import Refused
from contracts.commands.policy.policies import RuleInput, SavePolicy
from contracts.facts.policy import PolicySaved
from contracts.shapes import Rule
from libs.cel import Environment, Problem, contexts

Saved = SavePolicy | PolicySaved

_CONDITION: Final = "condition"
_ACTION: Final = re.compile(r"\{\{[^{}]*\}\}")


def check_expressions(wish: SavePolicy) -> None:
    """Check the selector of a policy and every expression inside its rules.

    Raises:
        Refused: `invalid` with code INVALID_CEL; `details` lists `{path, message, errorCode, line, column}` of every error.
    """
    details: list[dict[str, Any]] = []
    what = ""
    for path, name, environment, source in expressions_of(wish):
        for problem in _errors(environment, source, templated=name.endswith(_CONDITION)):
            told = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
            what = what or f"Invalid {name}: {told} at line {problem.line}, column {problem.column}"
            details.append(
                {"path": path, "message": told, "errorCode": problem.code, "line": problem.line, "column": problem.column}
            )
    if details:
        raise Refused("invalid", what, code="INVALID_CEL", details=details)


def _errors(environment: Environment, source: str, *, templated: bool) -> list[Problem]:
    """The errors of an expression. A condition may hold templates, for which a number or a name will stand when it is judged."""
    sources = (source, _ACTION.sub("0", source), _ACTION.sub("x", source)) if templated else (source,)
    found = [[one for one in environment.check(text) if one.severity == "error"] for text in dict.fromkeys(sources)]
    return [] if [] in found else found[0]


def expressions_of(wish: Saved) -> Iterator[tuple[str, str, Environment, str]]:
    """(path in the request's body, name, environment, source) of every expression."""
    yield "/body/selector", "policy selector", contexts.TARGET, wish.selector
    rules: tuple[RuleInput | Rule, ...] = wish.rules
    for index, rule in enumerate(rules):
        yield from _in_rule(f"/body/rules/{index}", rule)


def _in_rule(path: str, rule: RuleInput | Rule) -> Iterator[tuple[str, str, Environment, str]]:
    if rule.any_approval is not None:
        at = f"{path}/anyApproval"
        if rule.any_approval.approver_selector is not None:
            yield f"{at}/approverSelector", "selector of people", contexts.USER, rule.any_approval.approver_selector
        for index, group in enumerate(rule.any_approval.groups):
            yield f"{at}/groups/{index}/selector", "selector of people", contexts.USER, group.selector
    if rule.gradual_rollout is not None:
        for index, wave in enumerate(rule.gradual_rollout.waves):
            if wave.selector is not None:
                yield f"{path}/gradualRollout/waves/{index}/selector", "selector of a wave", contexts.SELECTOR, wave.selector
    if rule.deployment_dependency is not None:
        source = rule.deployment_dependency.depends_on
        yield f"{path}/deploymentDependency/dependsOn", "dependency", contexts.DEPENDENCY, source
    if rule.version_selector is not None:
        yield f"{path}/versionSelector/selector", "version selector", contexts.TARGET, rule.version_selector.selector
    if rule.environment_progression is not None:
        source = rule.environment_progression.depends_on_environment_selector
        yield f"{path}/environmentProgression/dependsOnEnvironmentSelector", "environment selector", contexts.ENVIRONMENT, source
    if rule.verification is not None:
        for index, metric in enumerate(rule.verification.metrics):
            at = f"{path}/verification/metrics/{index}"
            # What is empty is told with what belongs there, by `metrics`.
            if metric.success_condition.strip():
                yield f"{at}/successCondition", "success condition", contexts.RESULT, metric.success_condition
            if metric.failure_condition and metric.failure_condition.strip():
                yield f"{at}/failureCondition", "failure condition", contexts.RESULT, metric.failure_condition
            if metric.baseline is not None and metric.baseline.value.strip():
                yield f"{at}/baseline/value", "number of a baseline", contexts.RESULT, metric.baseline.value
