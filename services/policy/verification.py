"""verification: which jobs are to be measured, and since when.

A rule asks for it once per job, when the job comes to the rule's trigger.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobCreated, JobStatusChanged
from contracts.facts.policy import VerificationRequired
from libs.runtime.service import Draft
from services.policy.gate import Judge
from services.policy.state import Pair, State, pair_key


def require_verifications(state: State, recorded: Sequence[Recorded], now: datetime) -> list[Draft]:
    """The verifications that follow from what jobs came to, those of rollback jobs included."""
    if not any(rule.verification is not None for policy in state.policies.values() for rule in policy.saved.rules):
        return []
    judge = Judge(state, now)
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
        for match in judge.matched(pair, fact.resource_id):
            for rule in state.policies[match.policy_id].saved.rules:
                body = rule.verification
                if body is None or body.trigger_on not in happened or (fact.job_id, rule.id) in asked:
                    continue
                if _is_checked(pair, fact, rule.id):
                    continue
                asked.add((fact.job_id, rule.id))
                required = VerificationRequired(
                    deployment_id=fact.deployment_id,
                    version_id=fact.version_id,
                    environment_id=fact.environment_id,
                    resource_id=fact.resource_id,
                    release_id=fact.release_id,
                    job_id=fact.job_id,
                    policy_id=match.policy_id,
                    rule_id=rule.id,
                    metrics=body.metrics,
                    required_at=now,
                )
                drafts.append(Draft(required, one))
    return drafts


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
