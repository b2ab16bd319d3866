"""The call back of a `webhook` agent: `{jobId, status, message?, externalId?, links?, startedAt?, completedAt?, at?}`, signed by us."""

from __future__ import annotations

from typing import Any, get_args

from contracts.shapes import JobStatus
from libs.webhooks.told import NoWebhook, Told, as_object, job_named_in, links, moment, parsed


def read(body: bytes) -> Told:
    """What a call back says. Raises: NoWebhook."""
    payload = parsed(body)
    job_id = job_named_in(payload.get("jobId"))
    if job_id is None:
        raise NoWebhook("jobId is missing or no UUID: name the job that this is about.")
    status = payload.get("status")
    if status is not None and status not in get_args(JobStatus):
        raise NoWebhook(f"status {status!r} is none of {', '.join(get_args(JobStatus))}.")
    named = as_object(payload.get("links"))
    metadata = {"ctrlplane/links": links(**{str(label): url for label, url in named.items()})} if named else {}
    return Told(
        job_id=job_id,
        external_id=_text(payload.get("externalId")),
        status=status,
        message=_text(payload.get("message")),
        metadata=metadata,
        started_at=moment(payload.get("startedAt")),
        completed_at=moment(payload.get("completedAt")),
        told_at=moment(payload.get("at")),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
