"""Terraform Cloud and Enterprise: run notifications.

https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations#notification-payload
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contracts.shapes import JobStatus
from libs.webhooks.told import Ignored, Told, as_object, job_named_in, links, moment, parsed

TRIGGERS: Final[Mapping[str, JobStatus]] = {
    "run:created": "pending",
    "run:planning": "inProgress",
    "run:applying": "inProgress",
    "run:needs_attention": "actionRequired",
    "run:completed": "successful",
    "run:errored": "failure",
}


def read(body: bytes) -> Told | Ignored:
    """What a notification says. Raises: NoWebhook."""
    payload = parsed(body)
    notifications = payload.get("notifications")
    first = as_object(notifications[0]) if isinstance(notifications, list) and notifications else {}
    status = TRIGGERS.get(str(first.get("trigger")))
    if status is None:
        return Ignored(f"the trigger {first.get('trigger')!r} says nothing of a run")
    run_id = payload.get("run_id")
    job_id = job_named_in(payload.get("run_message"))
    if job_id is None and not run_id:
        return Ignored("the run's message holds no job id")
    at = moment(first.get("run_updated_at"))
    url = payload.get("run_url")
    workspace = url.split("/runs/")[0] if isinstance(url, str) and "/runs/" in url else None
    metadata = {"ctrlplane/links": links(Run=url, Workspace=workspace)}
    if isinstance(url, str):
        metadata["run_url"] = url
    message = first.get("message")
    return Told(
        job_id=job_id,
        external_id=str(run_id) if run_id else None,
        status=status,
        message=message if isinstance(message, str) else None,
        metadata=metadata,
        started_at=at if status == "inProgress" else None,
        completed_at=at if status in ("successful", "failure") else None,
        told_at=at,
    )
