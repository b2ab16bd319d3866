"""Job agents and the jobs of releases: who executes, and how it went."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.fact import Fact, fact
from contracts.shapes import JobStatus, Json, MetricSpec


@fact
class JobAgentSaved(Fact):
    """A job agent was created or changed; the whole document."""

    TYPE: ClassVar[str] = "dispatcher.job_agent_saved.v1"
    agent_id: str
    name: str
    type: str
    config: Json = Field(default_factory=dict)
    metadata: dict[str, str] = Field(default_factory=dict)
    created_at: datetime

    @property
    def stream(self) -> str:
        return f"agent/{self.agent_id}"


@fact
class JobAgentDeleted(Fact):
    """A job agent is gone."""

    TYPE: ClassVar[str] = "dispatcher.job_agent_deleted.v1"
    agent_id: str

    @property
    def stream(self) -> str:
        return f"agent/{self.agent_id}"


class DispatchSnapshot(BaseModel):
    """The documents a job was made from, each named by the position of the fact that holds it: later edits do not alter the job.

    0 stands for no document (no agent).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    resource: int
    environment: int
    deployment: int
    version: int
    agent: int = 0
    release: int


class JobMove(BaseModel):
    """What `JobStatusChanged` and `WorkflowJobStatusChanged` tell of a job, whatever it is of."""

    status: JobStatus
    previous: JobStatus
    message: str | None = None
    external_id: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    started_at: datetime | None = None
    completed_at: datetime | None = None
    changed_at: datetime
    look_again_at: datetime | None = None
    observation: int = 0
    calls: int = 0
    told_at: datetime | None = None
    cancel: bool = False


class _Job(Fact):
    job_id: str
    release_id: str
    resource_id: str
    environment_id: str
    deployment_id: str
    version_id: str
    agent_id: str = ""

    @property
    def stream(self) -> str:
        return f"job/{self.job_id}"


@fact
class JobCreated(_Job):
    """A job was made for a release: `pending`, or `invalidJobAgent` at once when no agent was found (then `agent_id` is empty), or
    `failure` at once when its configuration is too large to be recorded (then `job_agent_config` is empty).

    `rollback` says that the release is dispatched again to undo a bad version.
    """

    TYPE: ClassVar[str] = "dispatcher.job_created.v1"
    status: JobStatus
    message: str | None = None
    job_agent_config: Json = Field(default_factory=dict)
    snapshot: DispatchSnapshot
    attempt: int = 1
    rollback: bool = False
    created_at: datetime
    deadline_at: datetime


@fact
class JobDispatched(_Job):
    """The intent to hand the job to its agent, recorded before the call; after a crash it is driven again with the same key."""

    TYPE: ClassVar[str] = "dispatcher.job_dispatched.v1"
    idempotency_key: str
    dispatched_at: datetime


@fact
class JobStatusChanged(JobMove, _Job):
    """A job moved on: told by its agent, a person, or our own deadline.

    Every field holds what is true of the job after the change, also message, ids, metadata and times that did not change.

    Attributes:
        look_again_at: when the agent is to be asked how the job stands; None when somebody tells us.
        observation: how often the agent was asked before `look_again_at`; with the job's id it names the next question.
        calls: how often it was tried before to hand it over; with the job's id it names that call.
        told_at: when the outside says that it was so, the newest of such times; None where it never said.
        cancel: it ended on our side while its agent may still run it: the agent is to be told.
        metrics: what the agent has verified of it, beside what policies ask for.
    """

    TYPE: ClassVar[str] = "dispatcher.job_status_changed.v1"
    metrics: tuple[MetricSpec, ...] = ()


class _AnyJob(Fact):
    """Of a release's job or a workflow run's: what does not depend on which. A workflow run's job has no target and no version."""

    job_id: str
    resource_id: str = ""
    environment_id: str = ""
    deployment_id: str = ""
    version_id: str = ""

    @property
    def stream(self) -> str:
        return f"job/{self.job_id}"


@fact
class JobDelayed(_AnyJob):
    """The agent did not take a call, for certain: it was not reached, or wants us to wait. The same call is made again.

    Attributes:
        call: to hand the job over, or to stop it.
        calls: how often that was tried; with the job's id it names the next call.
        agent_name: whose call it is, as it is called.
        next_at: when it is tried again.
    """

    TYPE: ClassVar[str] = "dispatcher.job_delayed.v1"
    agent_name: str = ""
    call: Literal["dispatch", "cancel"]
    calls: int
    message: str
    delayed_at: datetime
    next_at: datetime


@fact
class JobLeased(_AnyJob):
    """A pull agent took the job for a time, or said that it is still at it. When the time is over, the job goes back to the queue.

    Attributes:
        claim_id: only who names it may move the job on.
        instance: who took it, in the agent's own words.
        claims: how often the job was taken.
    """

    TYPE: ClassVar[str] = "dispatcher.job_leased.v1"
    claim_id: str
    instance: str = ""
    claims: int
    leased_at: datetime
    expires_at: datetime


@fact
class JobCancelAnswered(_AnyJob):
    """The agent of a job that ended on our side was told to stop it; `stopped` says whether it does, `message` what it said."""

    TYPE: ClassVar[str] = "dispatcher.job_cancel_answered.v1"
    calls: int = 0
    stopped: bool
    message: str | None = None
    answered_at: datetime


class HeldItem(BaseModel):
    """A target and its release that is due."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    resource_id: str
    release_id: str


@fact
class DispatchHeld(Fact):
    """These targets are cleared and wait for a free place: so many jobs as are allowed run at the agent, or of the deployment.

    Recorded when the wait begins; it ends with the target's next job, or with its release. At most 1,000 items.

    Attributes:
        agent_id: whose `maxConcurrentJobs` holds them; empty where it is the deployment's.
        agent_name: what that agent is called.
        agents: ids, ascending, of all the agents at which their jobs need a place.
    """

    TYPE: ClassVar[str] = "dispatcher.dispatch_held.v1"
    deployment_id: str
    environment_id: str
    items: tuple[HeldItem, ...]
    agent_id: str = ""
    agent_name: str = ""
    agents: tuple[str, ...] = ()
    limit: int
    held_at: datetime

    @property
    def stream(self) -> str:
        return f"deployment/{self.deployment_id}"
