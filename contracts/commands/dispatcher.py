"""What dispatcher can be asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from contracts.command import Wish, wish
from contracts.shapes import JobStatus, Json, WorkflowInput, WorkflowStep


class _Dispatcher(Wish):
    SERVICE: ClassVar[str] = "dispatcher"


@wish
class SaveJobAgent(_Dispatcher):
    """Create or replace a job agent under the caller's id. Answers `{id}`."""

    NAME: ClassVar[str] = "save_job_agent"
    agent_id: str
    name: str
    type: str
    config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)


@wish
class DeleteJobAgent(_Dispatcher):
    """Delete a job agent; its jobs stay. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_job_agent"
    agent_id: str


@wish
class ClaimJob(_Dispatcher):
    """A pull agent takes a queued job; exactly one of several claims wins.

    With `lease_seconds` (here or in the agent's configuration) it has to say in time that it is still at it, else the job goes back to
    the queue. Answers `{id, claimId?, leaseExpiresAt?}`.
    """

    NAME: ClassVar[str] = "claim_job"
    agent_id: str
    job_id: str
    instance: str = ""
    lease_seconds: float | None = Field(None, gt=0, le=86_400)


@wish
class ExtendLease(_Dispatcher):
    """A pull agent is still at a job that it took for a time. Answers `{id, leaseExpiresAt}`."""

    NAME: ClassVar[str] = "extend_lease"
    agent_id: str
    job_id: str
    claim_id: str


@wish
class CancelJob(_Dispatcher):
    """A person stops a job: it ends as `cancelled`, and its agent is told to stop it. Answers `{id}`."""

    NAME: ClassVar[str] = "cancel_job"
    job_id: str
    reason: str = ""


@wish
class CompleteJob(_Dispatcher):
    """A person completes a job that waits for one (`manual`), with evidence where the agent asks for it. Answers `{id}`."""

    NAME: ClassVar[str] = "complete_job"
    job_id: str
    status: JobStatus = "successful"
    message: str | None = None
    evidence: dict[str, str] = Field(default_factory=dict)


@wish
class TellRun(_Dispatcher):
    """What a webhook said of a run outside: checked to be genuine, but perhaps late, repeated or out of order.

    Only an active job of an agent of this type moves, and never backwards. Answers `{id?, ignored?}`: the job, or why nothing came of it.

    Attributes:
        job_id: the job that the run names; else it is found by `external_id`.
        type: of the agent that the webhook belongs to.
        agent_id: that agent, where the webhook's address names it.
        status: None for a run that is only made known.
        told_at: when the outside says that it was so; older than what we know is ignored.
    """

    NAME: ClassVar[str] = "tell_run"
    type: str
    agent_id: str | None = None
    job_id: str | None = None
    external_id: str | None = None
    status: JobStatus | None = None
    message: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    started_at: datetime | None = None
    completed_at: datetime | None = None
    told_at: datetime | None = None


@wish
class SaveWorkflow(_Dispatcher):
    """Create or replace a workflow; without a slug a new one gets one from its name and an old one keeps its own. Answers `{id}`."""

    NAME: ClassVar[str] = "save_workflow"
    workflow_id: str | None = None
    name: str
    slug: str | None = None
    inputs: tuple[WorkflowInput, ...] = ()
    job_agents: tuple[WorkflowStep, ...] = ()


@wish
class DeleteWorkflow(_Dispatcher):
    """Delete a workflow; jobs of its runs stay. Answers `{id}`."""

    NAME: ClassVar[str] = "delete_workflow"
    workflow_id: str


@wish
class RunWorkflow(_Dispatcher):
    """Run a workflow, named by id or slug. Answers `{id, workflowId, inputs, jobs: [{jobId, jobAgentId}]}`, jobs of the first steps."""

    NAME: ClassVar[str] = "run_workflow"
    workflow_id: str | None = None
    slug: str | None = None
    inputs: dict[str, Any] = Field(default_factory=dict)


@wish
class CancelRun(_Dispatcher):
    """Stop a workflow run: its active jobs are cancelled, and what has not begun does not begin. Answers `{id}`."""

    NAME: ClassVar[str] = "cancel_run"
    run_id: str
    reason: str = ""


@wish
class CreatePlan(_Dispatcher):
    """Ask what a version would change on every target of a deployment. Answers `{id}`."""

    NAME: ClassVar[str] = "create_plan"
    deployment_id: str
    tag: str
    name: str | None = None
    config: Json = Field(default_factory=dict)
    job_agent_config: Json = Field(default_factory=dict)
    version_metadata: dict[str, str] = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)


@wish
class SetJobStatus(_Dispatcher):
    """Tell how a job stands. A person may set anything, an agent may not move a finished job. Answers `{id}`.

    Where the job was taken for a time, `claim_id` must be that of its lease, if it is given.
    """

    NAME: ClassVar[str] = "set_job_status"
    job_id: str
    status: JobStatus
    message: str | None = None
    external_id: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    started_at: datetime | None = None
    completed_at: datetime | None = None
    claim_id: str | None = None
