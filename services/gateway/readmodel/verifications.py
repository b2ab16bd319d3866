"""Whether what was deployed is healthy: verifications and their measurements."""

from __future__ import annotations

from uuid import UUID, uuid5

from contracts.documents import stamp
from contracts.envelope import Recorded
from contracts.facts import verifier
from contracts.shapes import Json, Target
from services.gateway import documents
from services.gateway.readmodel.projection import Patches, projects
from services.gateway.rows import Merge, Put


def series_of(verification_id: str, metric: str) -> str:
    """Under which name the measurements of a metric are found: its own has no length limit, the entry of an index has one."""
    return str(uuid5(UUID(verification_id), metric))


@projects(verifier.VerificationStarted)
def _verification_started(recorded: Recorded, fact: verifier.VerificationStarted) -> Patches:
    at = stamp(fact.started_at)
    metrics = [documents.metric(one) for one in fact.metrics]
    for metric, first_at in zip(metrics, fact.first_at, strict=False):
        metric["firstAt"] = stamp(first_at)
    doc: Json = {
        "id": fact.verification_id,
        "jobId": fact.job_id,
        "releaseId": fact.release_id,
        # That of an agent belongs to no rule.
        "policyId": fact.policy_id or None,
        "ruleId": fact.rule_id or None,
        "attempt": fact.attempt,
        "reason": fact.reason or None,
        "note": fact.note or None,
        "continueSeconds": fact.continue_seconds,
        "metrics": metrics,
        "createdAt": at,
        "status": "running",
        "$createdAt": at,
        "$target": Target(fact.resource_id, fact.environment_id, fact.deployment_id).key,
    }
    return (Put("verification", fact.verification_id, doc),)


@projects(verifier.MeasurementTaken)
def _measurement_taken(recorded: Recorded, fact: verifier.MeasurementTaken) -> Patches:
    # Hundreds of these pass in a second: one row each, and none of the verification.
    series = series_of(fact.verification_id, fact.metric)
    doc: Json = {
        "metric": fact.metric,
        "number": fact.number,
        "status": fact.status,
        "measuredAt": stamp(fact.measured_at),
        "dueAt": stamp(fact.due_at),
        "data": fact.data,
        "$series": series,
    }
    if fact.message is not None:
        doc["message"] = fact.message
    if fact.value is not None:
        doc["value"] = fact.value
    if fact.asked:
        doc["asked"] = fact.asked
    if fact.conditions:
        doc["conditions"] = fact.conditions
    if fact.comparison is not None:
        doc["comparison"] = {name: told for name, told in fact.comparison.model_dump().items() if told is not None}
    if fact.error:
        doc["error"] = True
    if fact.held:
        doc["held"] = True
    if fact.standing is not None:
        doc["$standing"] = fact.standing
    return (Put("measurement", f"{series}/{fact.number:09d}", doc),)


@projects(verifier.VerificationPassed)
def _verification_passed(recorded: Recorded, fact: verifier.VerificationPassed) -> Patches:
    watched = stamp(fact.watched_until) if fact.watched_until is not None else None
    doc = {
        "status": "passed",
        "note": fact.note,
        "finishedAt": stamp(fact.finished_at),
        "watching": True if watched is not None else None,
        "watchedUntil": watched,
    }
    return (Merge("verification", fact.verification_id, doc),)


@projects(verifier.VerificationFailed)
def _verification_failed(recorded: Recorded, fact: verifier.VerificationFailed) -> Patches:
    doc: Json = {
        "status": "failed",
        "message": f"{fact.metric}: {fact.message}",
        "metric": fact.metric,
        "reaction": fact.reaction,
        "afterPassing": fact.after_passing or None,
        **_over(fact),
    }
    if fact.after_passing:
        doc["note"] = None  # it was about how it passed
    return (Merge("verification", fact.verification_id, doc),)


@projects(verifier.VerificationInconclusive)
def _verification_inconclusive(recorded: Recorded, fact: verifier.VerificationInconclusive) -> Patches:
    doc = {"status": "inconclusive", "message": f"{fact.metric}: {fact.message}", "metric": fact.metric, **_over(fact)}
    return (Merge("verification", fact.verification_id, doc),)


@projects(verifier.VerificationCancelled)
def _verification_cancelled(recorded: Recorded, fact: verifier.VerificationCancelled) -> Patches:
    return (Merge("verification", fact.verification_id, {"status": "cancelled", "message": fact.reason, **_over(fact)}),)


@projects(verifier.WatchEnded)
def _watch_ended(recorded: Recorded, fact: verifier.WatchEnded) -> Patches:
    # It passed, and stays so. One that was watched to its end was so until then; a reason says that it was not.
    doc = {"watching": None, "watchedUntil": stamp(fact.finished_at), "message": fact.reason or None}
    return (Merge("verification", fact.verification_id, doc),)


def _over(
    fact: verifier.VerificationFailed | verifier.VerificationInconclusive | verifier.VerificationCancelled,
) -> Json:
    """Nothing is measured any more."""
    return {"finishedAt": stamp(fact.finished_at), "watching": None}
