"""Workflows: jobs that people run by hand, without a release."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from contracts.fact import Fact, fact
from contracts.facts.dispatcher.jobs import JobMove
from contracts.shapes import JobStatus, Json, WorkflowInput, WorkflowStep


class _Workflow(Fact):
    workflow_id: str

    @property
    def stream(self) -> str:
        return f"workflow/{self.workflow_id}"


@fact
class WorkflowSaved(_Workflow):
    """A workflow was created or changed; the whole document. `slug` is unique in the workspace."""

    TYPE: ClassVar[str] = "dispatcher.workflow_saved.v1"
    name: str
    slug: str
    inputs: tuple[WorkflowInput, ...] = ()
    job_agents: tuple[WorkflowStep, ...] = ()
    created_at: datetime


@fact
class WorkflowDeleted(_Workflow):
    """A workflow is gone, and its runs with it; jobs stay, and those that run go on."""

    TYPE: ClassVar[str] = "dispatcher.workflow_deleted.v1"


class _Run(Fact):
    run_id: str
    workflow_id: str

    @property
    def stream(self) -> str:
        return f"run/{self.run_id}"


@fact
class WorkflowRunStarted(_Run):
    """Somebody ran a workflow.

    Attributes:
        inputs: as given, with the defaults of what was not given.
        workflow: position of the fact that holds the workflow as it was run.
        resource_ids: the resources that it runs for, one after the other in each step; None where it runs once, for no resource.
    """

    TYPE: ClassVar[str] = "dispatcher.workflow_run_started.v1"
    inputs: dict[str, Any] = Field(default_factory=dict)
    workflow: int
    resource_ids: tuple[str, ...] | None = None
    started_at: datetime


@fact
class WorkflowRunEnded(_Run):
    """Every step of a run is through: `successful` when all its jobs were; the steps that need one that was not are left out."""

    TYPE: ClassVar[str] = "dispatcher.workflow_run_ended.v1"
    status: JobStatus
    message: str | None = None
    left_out: tuple[str, ...] = ()
    ended_at: datetime


class _RunJob(_Run):
    job_id: str
    agent_id: str = ""

    @property
    def stream(self) -> str:
        return f"job/{self.job_id}"


@fact
class WorkflowJobCreated(_RunJob):
    """A job of a step was made. Unless it waits for a free place it is handed to its agent: this is its intent as well.

    Attributes:
        step: name of the step.
        resource_id: the resource that it runs for, if any.
        status: `pending`, or `failure` at once when its configuration can not be recorded.
        waits: no place was free at its agent; it is handed over once it has one (`WorkflowJobDispatched`).
        workflow, agent, resource: positions of the facts that hold the documents it was made from; 0 where there is none.
        deadline_at: when it fails unless it ended before; of one that waits this only tells how long it may take.
    """

    TYPE: ClassVar[str] = "dispatcher.workflow_job_created.v1"
    step: str
    resource_id: str | None = None
    status: JobStatus
    message: str | None = None
    waits: bool = False
    job_agent_config: Json = Field(default_factory=dict)
    workflow: int
    agent: int
    resource: int = 0
    created_at: datetime
    deadline_at: datetime


@fact
class WorkflowJobDispatched(_RunJob):
    """A job of a run that waited has a place now, and is handed to its agent; from here its time counts."""

    TYPE: ClassVar[str] = "dispatcher.workflow_job_dispatched.v1"
    dispatched_at: datetime
    deadline_at: datetime


@fact
class WorkflowJobStatusChanged(JobMove, _RunJob):
    """A job of a run moved on; the fields are those of `JobStatusChanged`."""

    TYPE: ClassVar[str] = "dispatcher.workflow_job_status_changed.v1"
