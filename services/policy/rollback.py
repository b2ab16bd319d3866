"""rollback: must a target return to its last good release because of what its newest job came to?

Asked once for a version on a target, and never for a job that is itself a rollback. Retries come first: because of how a job ended a
target returns when no retry follows; because of a failed verification at once, unless the metric that failed leaves it to a person; where
the metric itself asks for it no rollback rule is needed. What the target returns to is planner's answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from contracts.envelope import Recorded
from contracts.facts.dispatcher import JobCreated, JobStatusChanged
from contracts.facts.policy import ClearanceWithdrawn, RollbackRequired
from contracts.facts.verifier import VerificationFailed
from contracts.shapes import ACTIVE, Retry, Rollback
from libs.runtime.service import Draft
from services.policy.candidates import Step, step_for
from services.policy.evaluation import Evaluation
from services.policy.gate import Judge
from services.policy.own import RETRY
from services.policy.recording import MOST_SAID
from services.policy.retry import failed_attempts, statuses_of
from services.policy.selector import asks
from services.policy.state import NOWHERE, Check, Job, Pair, State, pair_key

_Ended = JobCreated | JobStatusChanged | VerificationFailed


def require_rollbacks(state: State, recorded: Sequence[Recorded], now: datetime) -> list[Draft]:
    """The rollbacks that follow at once from jobs that ended and verifications that failed."""
    by_rule = asks(state, "rollback")
    judge = Judge(state, now)
    drafts: list[Draft] = []
    asked: set[tuple[str, str, str]] = set()
    for one in recorded:
        fact = one.fact
        if not isinstance(fact, _Ended) or not (
            by_rule or (isinstance(fact, VerificationFailed) and fact.reaction == "rollBack")
        ):
            continue
        pair = state.pairs.get(pair_key(fact.deployment_id, fact.environment_id))
        key = (pair.key if pair is not None else "", fact.resource_id, fact.version_id)
        if pair is None or key in asked or (job := _to_undo(pair, fact)) is None:
            continue
        required: RollbackRequired | None
        if isinstance(fact, VerificationFailed):
            required = _because_of(judge, pair, job, fact)
        else:
            required = _require(judge, pair, fact.resource_id, _given_up(judge, pair, fact.resource_id, job))
        if required is not None:
            asked.add(key)
            drafts.append(Draft(required, one))
    return drafts


def require_instead_of_retries(
    judge: Judge, pair: Pair, found: Evaluation, recorded: Sequence[Recorded], cause: Recorded | None
) -> list[Draft]:
    """The rollbacks of targets that waited for a retry, or were cleared for one, and now get none.

    Args:
        pair: as it was when the walk began, so that it tells what was waited for.
        found: what the walk came to.
        recorded: what was just folded; empty when a timer fired.
        cause: what led to the walk.
    """
    if not asks(judge.state, "rollback"):
        return []
    drafts: list[Draft] = []
    for version_id, one in sorted(set(_awaited(pair, recorded))):
        if one not in found.findings.get(version_id, ()):
            continue  # it was not looked at, or goes to a newer version
        standing = pair.standings.get(one, NOWHERE)
        if version_id in standing.bad or version_id in standing.asked or not failed_attempts(pair, one, version_id):
            continue
        if is_in_question(judge, pair, one, version_id) and not follows(judge, pair, one, version_id):
            required = _require(judge, pair, one, _newest_dispatch(pair, one, version_id))
            if required is not None:
                drafts.append(Draft(required, cause))
    return drafts


def follows(judge: Judge, pair: Pair, resource_id: str, version_id: str) -> bool:
    """Whether a dispatch that failed is tried again: every retry rule has one left, and when it is due no other rule holds it."""
    version = judge.state.versions.get(version_id)
    if version is None or not is_in_question(judge, pair, resource_id, version_id):
        return False
    again = judge.retry(pair, version, resource_id)
    if again is None:
        return False
    verdicts = {finding.verdict for key, finding in again.findings if key.rule_type == RETRY}
    return "blocked" not in verdicts and ("waiting" in verdicts or again.allows)


def is_in_question(judge: Judge, pair: Pair, resource_id: str, version_id: str) -> bool:
    """Whether a target is to have a version: nobody pinned it to another, no other one is cleared, and its status lets it go there."""
    pin = pair.pin_of(resource_id)
    if pin is not None and pin.version_id != version_id:
        return False
    version = judge.state.versions.get(version_id)
    others = pair.open.get(resource_id, version_id) != version_id
    return version is not None and not others and step_for(pair, resource_id, version) is Step.SETTLED


def _awaited(pair: Pair, recorded: Sequence[Recorded]) -> Iterator[tuple[str, str]]:
    """Versions with the targets on which a retry of them was waited for, or was cleared and withdrawn."""
    for version_id, by_rule in pair.held.items():
        for key, verdicts in by_rule.items():
            if key.rule_type == RETRY:
                yield from ((version_id, one) for one, held in verdicts.items() if held.verdict == "waiting")
    for told in recorded:
        fact = told.fact
        if isinstance(fact, ClearanceWithdrawn) and pair_key(fact.deployment_id, fact.environment_id) == pair.key:
            ids = tuple(pair.targets) if fact.resource_ids is None else fact.resource_ids
            yield from ((fact.version_id, one) for one in ids if one in pair.targets)


def _to_undo(pair: Pair, fact: _Ended) -> Job | None:
    """The job, if a rollback because of it may be required: of the newest dispatch, no rollback itself, still as the fact says."""
    standing = pair.standings.get(fact.resource_id, NOWHERE)
    if fact.resource_id not in pair.targets or fact.version_id in standing.bad or fact.version_id in standing.asked:
        return None
    # Several agents make several jobs of one attempt; each of them is the newest.
    jobs = _newest_dispatch(pair, fact.resource_id, fact.version_id)
    job = next((job for job in jobs if job.job_id == fact.job_id), None)
    if job is None or job.rollback:
        return None
    if isinstance(fact, VerificationFailed):
        # One that a person has measured anew since says nothing any more.
        return job if (check := _check_of(job, fact)) is not None and check.state == "failed" else None
    return None if fact.status in ACTIVE or job.status != fact.status else job


def _check_of(job: Job, fact: VerificationFailed) -> Check | None:
    return next((check for check in job.checks if check.verification_id == fact.verification_id), None)


def _because_of(judge: Judge, pair: Pair, job: Job, failed: VerificationFailed) -> RollbackRequired | None:
    """What a failed verification requires: what its metric asks for, or else what the rules say."""
    match failed.reaction:
        case "hold":
            return None
        case "rollBack":
            check = _check_of(job, failed)
            assert check is not None, "only what is known to have failed is looked at"
            where = f"{judge.state.tag(job.version_id)} on {judge.state.resource_name(failed.resource_id)}"
            reason = f"The verification of {where} failed: {failed.metric}, which rolls back: {_sentence(failed.message)}"
            return _required(judge, pair, failed.resource_id, job, check.policy_id, check.rule_id, reason)
        case None:
            return _require(judge, pair, failed.resource_id, (job,), failed)


def _newest_dispatch(pair: Pair, resource_id: str, version_id: str) -> tuple[Job, ...]:
    """The jobs of the newest dispatch on a target, oldest first; empty when it is of another version."""
    newest = pair.newest_job(resource_id)
    if newest is None or newest.version_id != version_id:
        return ()
    jobs = pair.jobs_of(resource_id, version_id)
    return tuple(job for job in jobs if (job.release_id, job.attempt) == (newest.release_id, newest.attempt))


def _given_up(judge: Judge, pair: Pair, resource_id: str, job: Job) -> tuple[Job, ...]:
    """The jobs because of which the target may return now that one of them ended: none while a retry may follow.

    Where a rule retries such an end, a dispatch is tried again or given up as a whole, when all its jobs have ended.
    """
    version = judge.state.versions.get(job.version_id)
    if version is None or not asks(judge.state, "retry"):
        return (job,)
    together = _newest_dispatch(pair, resource_id, job.version_id)
    retries = [one.body for one in judge.gate(pair, version, resource_id).own if isinstance(one.body, Retry)]
    if not any(one.status in statuses_of(body) for body in retries for one in together):
        return (job,)
    if any(one.status in ACTIVE for one in together) or follows(judge, pair, resource_id, job.version_id):
        return ()
    return together


def _require(
    judge: Judge, pair: Pair, resource_id: str, jobs: Sequence[Job], failed: VerificationFailed | None = None
) -> RollbackRequired | None:
    """What the first rule that asks for it requires because of one of these jobs, or of the verification of the only one."""
    for match in judge.matched(pair, resource_id):
        policy = judge.state.policies[match.policy_id].saved
        for rule in policy.rules:
            for job in jobs if rule.rollback is not None else ():
                assert rule.rollback is not None
                reason = _reason(judge.state, rule.rollback, resource_id, job, failed, policy.name)
                if not reason:
                    continue
                return _required(judge, pair, resource_id, job, match.policy_id, rule.id, reason)
    return None


def _required(
    judge: Judge, pair: Pair, resource_id: str, job: Job, policy_id: str, rule_id: str, reason: str
) -> RollbackRequired:
    return RollbackRequired(
        deployment_id=pair.deployment_id,
        version_id=job.version_id,
        environment_id=pair.environment_id,
        resource_id=resource_id,
        release_id=job.release_id,
        job_id=job.job_id,
        policy_id=policy_id,
        rule_id=rule_id,
        reason=reason[:MOST_SAID],
        required_at=judge.now,
    )


def _reason(state: State, body: Rollback, resource_id: str, job: Job, failed: VerificationFailed | None, policy: str) -> str:
    """Why the rule asks for a rollback; empty when it does not."""
    where = f"{state.tag(job.version_id)} on {state.resource_name(resource_id)}"
    if failed is not None:
        if not body.on_verification_failure:
            return ""
        return f"The verification of {where} (policy '{policy}') failed: {failed.metric}: {_sentence(failed.message)}"
    if job.status in ACTIVE or job.status not in body.on_job_statuses:
        return ""
    told = f": {job.told}" if job.message else ""
    return f"The job of {where} ended as {job.status}{told} (policy '{policy}' rolls back)."


def _sentence(text: str) -> str:
    return text if text.endswith((".", "…")) else f"{text}."
