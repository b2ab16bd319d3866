"""Whether what was deployed is healthy: verifications and their measurements."""

from __future__ import annotations

from uuid import UUID, uuid5

from contracts.documents import stamp
from contracts.envelope import Recorded
from contracts.facts import verifier
from contracts.shapes import Json
from services.gateway import documents
from services.gateway.readmodel.projection import Patches, projects
from services.gateway.rows import Merge, Put


@projects(verifier.VerificationStarted)
def _verification_started(recorded: Recorded, fact: verifier.VerificationStarted) -> Patches:
    at = stamp(fact.started_at)
    doc = {
        "id": fact.verification_id,
        "jobId": fact.job_id,
        "metrics": [documents.metric(one) for one in fact.metrics],
        "createdAt": at,
        "status": "running",
        "$createdAt": at,
    }
    return (Put("verification", fact.verification_id, doc),)


@projects(verifier.MeasurementTaken)
def _measurement_taken(recorded: Recorded, fact: verifier.MeasurementTaken) -> Patches:
    doc: Json = {
        "status": fact.status,
        "measuredAt": stamp(fact.measured_at),
        "data": fact.data,
        "$verification": fact.verification_id,
        "$metric": fact.metric,
    }
    if fact.message is not None:
        doc["message"] = fact.message
    # The name of a metric has no length limit, the key of a row has one.
    metric = uuid5(UUID(fact.verification_id), fact.metric)
    return (Put("measurement", f"{fact.verification_id}/{fact.number:06d}/{metric}", doc),)


@projects(verifier.VerificationPassed)
def _verification_passed(recorded: Recorded, fact: verifier.VerificationPassed) -> Patches:
    return (Merge("verification", fact.verification_id, {"status": "passed"}),)


@projects(verifier.VerificationFailed)
def _verification_failed(recorded: Recorded, fact: verifier.VerificationFailed) -> Patches:
    return (Merge("verification", fact.verification_id, {"status": "failed", "message": f"{fact.metric}: {fact.message}"}),)
