"""How a job moves: the fact of a change, complete, from the job as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypedDict

from contracts.facts.dispatcher import JobStatusChanged, WorkflowJobDispatched, WorkflowJobStatusChanged
from contracts.shapes import ACTIVE, JobStatus, MetricSpec, Target
from libs.eventlog.port import MAX_FACT_BYTES
from services.dispatcher.state import Job, OfRun

JobMoved = JobStatusChanged | WorkflowJobStatusChanged
"""A job of a release, or of a workflow run, moved on."""


class About(TypedDict):
    """Of what a job is, for facts that are told of all jobs; all empty for a workflow run's."""

    resource_id: str
    environment_id: str
    deployment_id: str
    version_id: str


def about(job: Job) -> About:
    """Of what a job is."""
    target = Target.parse(job.target)
    if target is None:
        return About(resource_id="", environment_id="", deployment_id="", version_id="")
    return About(
        resource_id=target.resource_id,
        environment_id=target.environment_id,
        deployment_id=target.deployment_id,
        version_id=job.version_id,
    )


def handed_over(job_id: str, job: Job, run: OfRun, now: datetime) -> WorkflowJobDispatched:
    """A job of a workflow run waits for a place no longer; its time counts from now."""
    return WorkflowJobDispatched(
        run_id=run.run_id,
        workflow_id=run.workflow_id,
        job_id=job_id,
        agent_id=job.agent_id,
        dispatched_at=now,
        deadline_at=now + job.time_allowed,
    )


MAX_MESSAGE: Final = 8 * 1024
"""Characters of a message that agents give, or that we make of names that people give."""
MAX_TOLD_BYTES: Final = MAX_FACT_BYTES - 64 * 1024
"""What is told of a job is kept in each further fact about it, which must have room for what we say ourselves."""

BACK: Final = ": it is back in the queue."
"""With this ends what is said of a job while nobody has it again whose lease is over."""

WAITS: Final = "Waits for a free place: "
"""With this begins what is said of a run's job while it waits for a place."""


def moved(
    job_id: str,
    job: Job,
    status: JobStatus,
    now: datetime,
    *,
    message: str | None = None,
    external_id: str | None = None,
    metadata: Mapping[str, str] | None = None,
    started_at: datetime | None = None,
    completed_at: datetime | None = None,
    look_again_at: datetime | None = None,
    observation: int | None = None,
    cancel: bool = False,
    told_at: datetime | None = None,
    metrics: tuple[MetricSpec, ...] = (),
) -> JobMoved:
    """Build the fact of a change. What is not given stays as it is; metadata is merged.

    A job that ends has a completion time (the one it had, else now); one that is reopened has none. One that begins to run has a
    start time. `look_again_at` is not kept: whoever moves a job says whether its agent is still to be asked. `cancel` says that the
    agent is to be told that the job ended.
    """
    if status in ACTIVE:
        completed = None
        look_again = look_again_at
    else:
        completed = completed_at or job.completed_at or now
        look_again = None
    started = started_at or job.started_at
    if started is None and status == "inProgress":
        started = now
    told: dict[str, Any] = {
        "job_id": job_id,
        "agent_id": job.agent_id,
        "status": status,
        "previous": job.status,
        "message": _kept_message(job, status) if message is None else message,
        "external_id": job.external_id if external_id is None else external_id,
        "metadata": {**dict(job.metadata), **(metadata or {})},
        "started_at": started,
        "completed_at": completed,
        "changed_at": now,
        "look_again_at": look_again,
        "observation": job.observation if observation is None else observation,
        "calls": job.calls,
        "told_at": told_at or job.told_at,
        "cancel": cancel,
    }
    if job.run is not None:
        return WorkflowJobStatusChanged(run_id=job.run.run_id, workflow_id=job.run.workflow_id, **told)
    of_target = about(job)
    assert of_target["resource_id"], f"job {job_id} has no target: {job.target}"
    return JobStatusChanged(release_id=job.release_id, metrics=metrics, **of_target, **told)


def _kept_message(job: Job, status: JobStatus) -> str | None:
    """What was said of a job, as far as it is still so."""
    said = job.message or ""
    is_over = (status != "queued" and said.endswith(BACK)) or (status != "pending" and said.startswith(WAITS))
    return None if is_over else job.message
