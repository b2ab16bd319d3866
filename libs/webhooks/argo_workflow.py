"""Argo Workflows: what an exit handler or a sensor posts, in the fields that the reference documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contracts.shapes import JobStatus
from libs.webhooks.told import Ignored, Told, job_named_in, moment, parsed

PHASES: Final[Mapping[str, JobStatus]] = {
    "Succeeded": "successful",
    "Failed": "failure",
    "Error": "failure",
    "Running": "inProgress",
    "Pending": "pending",
}


def read(body: bytes) -> Told | Ignored:
    """What a workflow's event says; an empty body says nothing. Raises: NoWebhook."""
    if not body.strip():
        return Ignored("the body is empty")
    payload = parsed(body)
    status = PHASES.get(str(payload.get("phase")))
    if status is None:
        return Ignored(f"the phase {payload.get('phase')!r} says nothing")
    job_id = job_named_in(payload.get("jobId"))
    if job_id is None:
        return Ignored("the event holds no job id")
    finished = moment(payload.get("finishedAt"))
    uid = payload.get("uid")
    return Told(
        job_id=job_id,
        external_id=str(uid) if uid else None,
        status=status,
        started_at=moment(payload.get("startedAt")),
        completed_at=finished,
        told_at=finished,
    )
