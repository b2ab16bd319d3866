"""GitHub: `workflow_run` events.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contracts.shapes import JobStatus
from libs.webhooks.told import Ignored, Told, as_object, job_named_in, links, moment, parsed

EVENT: Final = "workflow_run"
CONCLUSIONS: Final[Mapping[str, JobStatus]] = {
    "success": "successful",
    "action_required": "actionRequired",
    "cancelled": "cancelled",
    "neutral": "skipped",
    "skipped": "skipped",
}
"""What a run concluded with; anything else (failure, timed_out, stale, startup_failure …) is a failure."""


def status_of(status: Any, conclusion: Any) -> JobStatus:
    """How a job stands whose run has this status and conclusion."""
    if conclusion:
        return CONCLUSIONS.get(str(conclusion), "failure")
    return "successful" if status == "completed" else "inProgress"


def read(event: str | None, body: bytes) -> Told | Ignored:
    """What an event says. Raises: NoWebhook."""
    if event != EVENT:
        return Ignored(f"GitHub's event {event!r} says nothing of a run")
    payload = parsed(body)
    run = as_object(payload.get("workflow_run"))
    # Which of the two the workflow's `run-name` is in depends on the version of GitHub.
    job_id = job_named_in(run.get("name")) or job_named_in(run.get("display_title"))
    if job_id is None:
        return Ignored("the run's name holds no job id")
    status = status_of(run.get("status"), run.get("conclusion"))
    ended = status not in ("inProgress", "actionRequired")
    updated = moment(run.get("updated_at"))
    url = run.get("html_url")
    metadata = {"ctrlplane/links": links(Run=url, Workflow=as_object(payload.get("workflow")).get("html_url"))}
    if isinstance(url, str):
        metadata["run_url"] = url
    return Told(
        job_id=job_id,
        external_id=str(run["id"]) if run.get("id") is not None else None,
        status=status,
        metadata=metadata,
        started_at=moment(run.get("run_started_at")),
        completed_at=updated if ended else None,
        told_at=updated,
    )
