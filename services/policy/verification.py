"""verification: which jobs are to be measured, and since when.

A rule asks for it once per job, when the job comes to the rule's trigger. What the job's agent wants measured follows when the job succeeds;
of metrics with one name those of rules go first. Of an agent's no more are measured than of a rule, and what is left out is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobCreated, JobStatusChanged
from contracts.facts.policy import VerificationRequired
from contracts.shapes import MetricSpec
from libs.runtime.service import Draft
from services.policy.gate import Judge
from services.policy.metrics import LONGEST_NAME, MOST_METRICS
from services.policy.selector import Matched, asks
from services.policy.state import Pair, State, pair_key

AGENT: Final = ""
"""Stands for policy and rule where the job's agent asks for a verification."""


class Wanted(NamedTuple):
    """What a rule, or the job's agent, wants measured of a target's jobs, and from which trigger on."""

    policy_id: str
    rule_id: str
    trigger_on: str
    metrics: tuple[MetricSpec, ...]
    continue_seconds: int | None = None
    note: str = ""


def require_verifications(state: State, recorded: Sequence[Recorded], now: datetime) -> list[Draft]:
    """The verifications that follow from what jobs came to, those of rollback jobs included."""
    if not asks(state, "verification") and not any(
        isinstance(one.fact, JobStatusChanged) and one.fact.metrics for one in recorded
    ):
        return []
    judge = Judge(state, now)
    wanted: dict[Matched, list[Wanted]] = {}
    drafts: list[Draft] = []
    asked: set[tuple[str, str]] = set()
    for one in recorded:
        fact = one.fact
        if not isinstance(fact, JobCreated | JobStatusChanged):
            continue
        happened = _happened(fact)
        pair = state.pairs.get(pair_key(fact.deployment_id, fact.environment_id))
        if not happened or pair is None or fact.resource_id not in pair.targets:
            continue
        matched = judge.matched(pair, fact.resource_id)
        if matched not in wanted:
            wanted[matched] = wanted_of(state, matched)
        for want in (*wanted[matched], *_of_agent(fact, wanted[matched])):
            if want.trigger_on not in happened or (fact.job_id, want.rule_id) in asked or _is_checked(pair, fact, want.rule_id):
                continue
            asked.add((fact.job_id, want.rule_id))
            required = VerificationRequired(
                deployment_id=fact.deployment_id,
                version_id=fact.version_id,
                environment_id=fact.environment_id,
                resource_id=fact.resource_id,
                release_id=fact.release_id,
                job_id=fact.job_id,
                policy_id=want.policy_id,
                rule_id=want.rule_id,
                metrics=want.metrics,
                continue_seconds=want.continue_seconds,
                note=want.note,
                required_at=now,
            )
            drafts.append(Draft(required, one))
    return drafts


def wanted_of(state: State, matched: Matched) -> list[Wanted]:
    """The verifications of a target in the order of its policies; of metrics with one name the first counts, in whichever rule."""
    found: list[Wanted] = []
    names: set[str] = set()
    for match in matched:
        for rule in state.policies[match.policy_id].saved.rules:
            if rule.verification is None:
                continue
            metrics = []
            for metric in rule.verification.metrics:
                if metric.name not in names:
                    names.add(metric.name)
                    metrics.append(metric)
            if metrics:
                body = rule.verification
                found.append(Wanted(match.policy_id, rule.id, body.trigger_on, tuple(metrics), body.continue_seconds))
    return found


def _of_agent(fact: JobCreated | JobStatusChanged, rules: Sequence[Wanted]) -> list[Wanted]:
    """What the agent of a job wants measured beside what rules measure of a job that succeeds."""
    if isinstance(fact, JobCreated):
        return []
    names = {metric.name for want in rules if want.trigger_on != "jobFailure" for metric in want.metrics}
    own: dict[str, MetricSpec] = {}
    for metric in fact.metrics:
        if metric.name not in names:
            own.setdefault(metric.name, metric)
    badly_named = {name for name in own if not name.strip() or len(name) > LONGEST_NAME}
    metrics = tuple([own[name] for name in own if name not in badly_named][:MOST_METRICS])
    left_out = _left_out(len(own), len(badly_named), len(own) - len(badly_named) - len(metrics))
    return [Wanted(AGENT, AGENT, "jobSuccess", metrics, note=left_out)] if own else []


def _left_out(wanted: int, badly_named: int, too_many: int) -> str:
    """What of an agent's metrics is not measured, and why; empty where all are."""
    said = (
        *((f"{badly_named} without a name, or with one of more than {LONGEST_NAME} characters",) if badly_named else ()),
        *((f"{too_many} because at most {MOST_METRICS} are measured",) if too_many else ()),
    )
    if not said:
        return ""
    return f"Of the {wanted} metrics that the job's agent wants measured these are left out: {'; '.join(said)}."


def _happened(fact: JobCreated | JobStatusChanged) -> frozenset[str]:
    """The triggers that a fact about a job pulls. A job that succeeds at once has also started."""
    if isinstance(fact, JobCreated):
        # A job without an agent never runs: there is nothing to measure.
        return frozenset() if fact.status == "invalidJobAgent" else frozenset({"jobCreated"})
    match fact.status:
        case "inProgress":
            return frozenset({"jobStarted"})
        case "successful":
            return frozenset({"jobStarted", "jobSuccess"})
        case "failure":
            return frozenset({"jobFailure"})
        case _:
            return frozenset()


def _is_checked(pair: Pair, fact: JobCreated | JobStatusChanged, rule_id: str) -> bool:
    return any(
        check.rule_id == rule_id
        for job in pair.jobs_of(fact.resource_id, fact.version_id)
        if job.job_id == fact.job_id
        for check in job.checks
    )
