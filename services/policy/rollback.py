"""rollback: must a target return to its last good release because of what its newest job came to?

Asked once for a version on a target, and never for a job that is itself a rollback. What the target returns to is planner's answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobCreated, JobStatusChanged
from contracts.facts.policy import RollbackRequired
from contracts.facts.verifier import VerificationFailed
from contracts.shapes import ACTIVE, Rollback
from libs.runtime.service import Draft
from services.policy.gate import Judge
from services.policy.recording import MOST_SAID
from services.policy.state import NOWHERE, Job, Pair, State, pair_key

_Ended = JobCreated | JobStatusChanged | VerificationFailed


def require_rollbacks(state: State, recorded: Sequence[Recorded], now: datetime) -> list[Draft]:
    """The rollbacks that follow from jobs that ended and verifications that failed."""
    if not any(rule.rollback is not None for policy in state.policies.values() for rule in policy.saved.rules):
        return []
    judge = Judge(state, now)
    drafts: list[Draft] = []
    asked: set[tuple[str, str, str]] = set()
    for one in recorded:
        fact = one.fact
        if not isinstance(fact, _Ended):
            continue
        pair = state.pairs.get(pair_key(fact.deployment_id, fact.environment_id))
        key = (pair.key if pair is not None else "", fact.resource_id, fact.version_id)
        if pair is None or key in asked or (job := _to_undo(pair, fact)) is None:
            continue
        required = _require(judge, pair, fact, job)
        if required is not None:
            asked.add(key)
            drafts.append(Draft(required, one))
    return drafts


def _to_undo(pair: Pair, fact: _Ended) -> Job | None:
    """The job, if a rollback because of it may be required: of the newest dispatch, no rollback itself, still as the fact says."""
    standing = pair.standings.get(fact.resource_id, NOWHERE)
    if fact.resource_id not in pair.targets or fact.version_id in standing.bad or fact.version_id in standing.asked:
        return None
    newest = pair.newest_job(fact.resource_id)
    job = next((job for job in pair.jobs_of(fact.resource_id, fact.version_id) if job.job_id == fact.job_id), None)
    if newest is None or job is None or job.rollback:
        return None
    # Several agents make several jobs of one attempt; each of them is the newest.
    if (job.release_id, job.attempt) != (newest.release_id, newest.attempt):
        return None
    if not isinstance(fact, VerificationFailed) and (fact.status in ACTIVE or job.status != fact.status):
        return None
    return job


def _require(judge: Judge, pair: Pair, fact: _Ended, job: Job) -> RollbackRequired | None:
    for match in judge.matched(pair, fact.resource_id):
        policy = judge.state.policies[match.policy_id].saved
        for rule in policy.rules:
            if rule.rollback is None or not (reason := _reason(judge.state, rule.rollback, fact, job, policy.name)):
                continue
            return RollbackRequired(
                deployment_id=fact.deployment_id,
                version_id=fact.version_id,
                environment_id=fact.environment_id,
                resource_id=fact.resource_id,
                release_id=fact.release_id,
                job_id=fact.job_id,
                policy_id=match.policy_id,
                rule_id=rule.id,
                reason=reason[:MOST_SAID],
                required_at=judge.now,
            )
    return None


def _reason(state: State, body: Rollback, fact: _Ended, job: Job, policy: str) -> str:
    """Why the rule asks for a rollback; empty when it does not."""
    where = f"{state.tag(fact.version_id)} on {state.resource_name(fact.resource_id)}"
    if isinstance(fact, VerificationFailed):
        if not body.on_verification_failure:
            return ""
        return f"The verification of {where} (policy '{policy}') failed: {fact.metric}: {_sentence(fact.message)}"
    if fact.status not in body.on_job_statuses:
        return ""
    told = f": {job.told}" if job.message else ""
    return f"The job of {where} ended as {fact.status}{told} (policy '{policy}' rolls back)."


def _sentence(text: str) -> str:
    return text if text.endswith((".", "…")) else f"{text}."
